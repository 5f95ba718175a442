package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that a test runs to its end. */
final class Program {
    private Program() {}

    /**
     * Runs it; it must end in time and with 0, else all that it printed is told.
     *
     * @return what it printed, but for its errors
     */
    static String run(Path folder, Map<String, String> environment, Duration limit, String... command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("output-", ".txt");
        Path errors = Files.createTempFile("errors-", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            String printed = Files.readString(output);
            assertThat(ended && process.exitValue() == 0)
                    .as("%s%n%s%n%s", String.join(" ", command), printed, Files.readString(errors))
                    .isTrue();
            return printed;
        } finally {
            process.destroyForcibly();
            Files.delete(output);
            Files.delete(errors);
        }
    }
}
