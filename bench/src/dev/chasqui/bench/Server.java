package dev.chasqui.bench;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A server under test, with the time that it took to answer and to be ready.
 *
 * @param nodePort where Chasqui's node answers gRPC; 0 where it is another server
 * @param log what it wrote
 * @param answersS seconds until the health address answered
 * @param readyS seconds until it was ready
 */
record Server(String name, Process process, URI base, int nodePort, File log, double answersS, double readyS)
        implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofMinutes(3);

    static Server start(String name, int port, int nodePort, String health, String ready, List<String> command)
            throws IOException {
        File log = new File(System.getProperty("bench.logs"), name + "-" + port + ".log");
        long began = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start();
        // Ends with this program, however that ends.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        URI base = URI.create("http://127.0.0.1:" + port);
        try {
            double answers = await(process, base.resolve(health), false, began, log);
            double readyAt = await(process, base.resolve(ready), true, began, log);
            return new Server(name, process, base, nodePort, log, answers, readyAt);
        } catch (RuntimeException problem) {
            process.destroy();
            throw problem;
        }
    }

    /** Seconds from {@code began} until the address answers, or answers with 200. */
    private static double await(Process process, URI address, boolean with200, long began, File log) {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request =
                HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(5)).build();
        while (process.isAlive() && System.nanoTime() - began < START_LIMIT.toNanos()) {
            try {
                int status = client.send(request, HttpResponse.BodyHandlers.discarding())
                        .statusCode();
                if (status == 200 || !with200) {
                    return (System.nanoTime() - began) / 1e9;
                }
            } catch (IOException notYet) {
                // Nobody listens there yet.
            } catch (InterruptedException problem) {
                throw new IllegalStateException(problem);
            }
            Pause.millis(20);
        }
        throw new IllegalStateException(address + " never became ready; see " + log);
    }

    /** Proportional memory of the process and its children in bytes, without what maps the model's file. */
    long memoryBeyond(Path model) {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .mapToLong(handle -> pssBeyond(handle.pid(), model))
                .sum();
    }

    private static long pssBeyond(long pid, Path model) {
        long kib = 0;
        boolean ofModel = false;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
                if (line.startsWith("Pss:")) {
                    kib += ofModel ? 0 : Long.parseLong(line.replaceAll("\\D", ""));
                } else if (line.matches("^[0-9a-f]+-[0-9a-f]+ .*")) {
                    ofModel = line.endsWith(model.toString());
                }
            }
        } catch (IOException gone) {
            return 0; // A child that has just ended.
        }
        return kib * 1024;
    }

    /** Lines of the log that tell of trouble. */
    List<String> trouble() throws IOException {
        try (Stream<String> lines = Files.lines(log.toPath())) {
            return lines.filter(line -> line.contains("ERROR") || line.contains("Exception"))
                    .toList();
        }
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}
