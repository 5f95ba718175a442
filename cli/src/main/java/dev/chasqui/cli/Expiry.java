package dev.chasqui.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * When a key ends.
 *
 * @param seconds from now; 0: never
 */
record Expiry(long seconds) {
    private static final Pattern TIME = Pattern.compile("([1-9]\\d{0,8})([smhd]?)");

    /** Reads {@code 30d}, {@code 12h}, a number of seconds, or {@code never}. */
    static final class Converter implements ITypeConverter<Expiry> {
        @Override
        public Expiry convert(String text) {
            Matcher time = TIME.matcher(text);
            if (text.equals("never")) {
                return new Expiry(0);
            }
            if (!time.matches()) {
                throw new TypeConversionException(text + " (expected: such as 30d, 12h, or never)");
            }
            return new Expiry(Long.parseLong(time.group(1)) * secondsOf(time.group(2)));
        }

        private static long secondsOf(String unit) {
            return switch (unit) {
                case "d" -> 86_400;
                case "h" -> 3_600;
                case "m" -> 60;
                default -> 1;
            };
        }
    }
}
