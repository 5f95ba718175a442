package dev.chasqui.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What the command line says: {@code --name value} pairs, each taken once. */
final class Options {
    private final Map<String, String> given = new HashMap<>();

    private Options() {}

    static Options parse(List<String> arguments) {
        if (arguments.size() % 2 != 0) {
            throw new IllegalArgumentException("an option without a value (expected: --name value, each time)");
        }
        Options options = new Options();
        for (int i = 0; i < arguments.size(); i += 2) {
            options.given.put(arguments.get(i), arguments.get(i + 1));
        }
        return options;
    }

    String text(String name, String otherwise) {
        String value = given.remove("--" + name);
        return value == null ? otherwise : value;
    }

    int number(String name, int otherwise) {
        String value = text(name, Integer.toString(otherwise));
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + ": " + value + " (expected: a whole number)", e);
        }
    }

    /** Words apart by blanks; none where it is not given. */
    List<String> words(String name) {
        return Stream.of(text(name, "").split(" "))
                .filter(one -> !one.isEmpty())
                .toList();
    }

    Path path(String name) {
        String value = text(name, "");
        Path path = Path.of(value).toAbsolutePath().normalize();
        if (value.isEmpty() || !Files.isRegularFile(path)) {
            throw new IllegalArgumentException("--" + name + ": " + value + " (expected: a file that is there)");
        }
        return path;
    }

    /** To be called when all were taken. */
    void done() {
        if (!given.isEmpty()) {
            throw new IllegalArgumentException("unknown options: " + given.keySet());
        }
    }
}
