package dev.chasqui.node.store;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which names model files may have, and how a split model names its parts. */
final class FileNames {
    static final String SUFFIX = ".gguf";
    /** Bytes; leaves room for the endings of partial and side files within the usual 255. */
    private static final int MAX_BYTES = 200;

    private static final int MAX_PARTS = 1000;
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}_][\\p{L}\\p{N} ._+\\-()@,=~]*");
    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    private FileNames() {}

    /** Whether it is a plain file name that ends in {@code .gguf}: nothing that leaves its folder or hides in it. */
    static boolean isGgufName(String fileName) {
        return fileName.endsWith(SUFFIX) && isModelName(fileName.substring(0, fileName.length() - SUFFIX.length()));
    }

    /** The same for a name without the ending. */
    static boolean isModelName(String name) {
        return NAME.matcher(name).matches()
                && !name.contains("..")
                && !name.endsWith(".")
                && !name.endsWith(" ")
                && name.getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES;
    }

    static void requireGgufName(String fileName) {
        if (!isGgufName(fileName)) {
            throw SourceSyntax.refused(fileName, "a plain file name ending in .gguf");
        }
    }

    /** Outside text as a message may carry it: short and without control characters. */
    static String shown(String value) {
        String plain = CONTROL.matcher(value).replaceAll("?");
        return plain.length() <= 120 ? plain : plain.substring(0, 120) + "…";
    }

    /** One part of a model that was split into several files; numbers count from 1. */
    record Part(String prefix, int number, int count) {
        String fileName(int part) {
            return "%s-%05d-of-%05d%s".formatted(prefix, part, count, SUFFIX);
        }
    }

    /** Null where the name is not that of a part. */
    static @Nullable Part part(String fileName) {
        Matcher m = PART.matcher(fileName);
        if (!m.matches()) {
            return null;
        }
        int number = Integer.parseInt(m.group(2));
        int count = Integer.parseInt(m.group(3));
        return number >= 1 && number <= count && count <= MAX_PARTS ? new Part(m.group(1), number, count) : null;
    }

    /** The model's name that a file name gives: without {@code .gguf}, and without a part's number. */
    static String modelName(String fileName) {
        Part part = part(fileName);
        return part != null ? part.prefix() : fileName.substring(0, fileName.length() - SUFFIX.length());
    }
}
