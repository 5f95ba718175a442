package dev.chasqui.cli;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long running requests may go on after the first signal, for whatever serves them. */
final class ShutdownTimeout implements ITypeConverter<Duration> {
    static final String DESCRIPTION =
            "How long running answers may go on after the first SIGTERM or Ctrl-C; new requests are refused from then on."
                    + " Default: ${DEFAULT-VALUE}.";
    private static final int MOST_SECONDS = 86_400;

    @Override
    public Duration convert(String text) {
        try {
            int seconds = Integer.parseInt(text);
            if (seconds >= 0 && seconds <= MOST_SECONDS) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException noNumber) {
            // Told below.
        }
        throw new TypeConversionException(text + " (expected: 0 to " + MOST_SECONDS + " seconds)");
    }
}
