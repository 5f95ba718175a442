package dev.chasqui.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What a whole {@code chasqui} has said, in a pipe, when it has ended. */
record Ran(int code, String out, String err) {

    /** Runs it with this home, the JVM of the tests, and the build as it is. */
    static Ran chasqui(Path home, Map<String, String> environment, String input, String... arguments)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(Launched.ROOT.resolve("chasqui").toString()));
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile("chasqui", ".out");
        Path err = Files.createTempFile("chasqui", ".err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("CHASQUI_"));
        builder.environment().put("CHASQUI_HOME", home.toString());
        builder.environment().put("CHASQUI_BUILD", "never");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        if (!process.waitFor(10, TimeUnit.MINUTES)) {
            process.destroy();
            throw new AssertionError("still runs: " + command + "\n" + Files.readString(err));
        }
        String said = Files.readString(err).replaceAll("chasqui: preparing fast starts\n", "");
        Ran ran = new Ran(process.exitValue(), Files.readString(out), said);
        Files.delete(out);
        Files.delete(err);
        return ran;
    }
}
