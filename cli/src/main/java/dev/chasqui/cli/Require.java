package dev.chasqui.cli;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What several commands want of a value, told as it was written. Null counts as not given. */
final class Require {
    /** Requests may not ask for more either. */
    private static final int MOST_TEMPERATURE = 2;

    private Require() {}

    static void temperature(@Nullable Double value) {
        if (value != null && !(value >= 0 && value <= MOST_TEMPERATURE)) {
            String written = Double.isFinite(value)
                    ? BigDecimal.valueOf(value).stripTrailingZeros().toPlainString()
                    : value.toString();
            throw failure("temperature", written, "0 to " + MOST_TEMPERATURE);
        }
    }

    static void atLeast(int least, String name, @Nullable Number value, String unit) {
        if (value != null && value.longValue() < least) {
            throw failure(name, value.toString(), least + " or more " + unit);
        }
    }

    static void range(int least, int most, String name, int value, String unit) {
        if (value < least || value > most) {
            throw failure(name, String.valueOf(value), least + " to " + most + " " + unit);
        }
    }

    /** It may have to be made yet. */
    static void folder(String name, @Nullable Path path) {
        for (Path there = path == null ? null : path.toAbsolutePath(); there != null; there = there.getParent()) {
            if (Files.exists(there)) {
                if (!Files.isDirectory(there)) {
                    throw failure(name, String.valueOf(path), "a folder; " + there + " is a file");
                }
                return;
            }
        }
    }

    private static Failure failure(String name, String written, String expected) {
        return new Failure(name + ": " + written + " (expected: " + expected + ")", 2);
    }
}
