package dev.chasqui.gateway;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The processes of a measurement: the scripted node, and what stands in front of it. */
final class Upstreams {
    private static final Duration START_LIMIT = Duration.ofMinutes(5);

    private Upstreams() {}

    /**
     * Something that answers OpenAI's chat.
     *
     * @param port of its HTTP
     */
    record Server(String name, Process process, int port) implements AutoCloseable {
        Watched watched() {
            return new Watched(process.toHandle());
        }

        @Override
        public void close() {
            // The scripted node runs as long as its input is open; the others end at a signal.
            try {
                process.getOutputStream().close();
                process.destroy();
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (IOException | InterruptedException e) {
                process.destroyForcibly();
            }
        }
    }

    /** The scripted node in a process of its own, with the port of its gRPC. */
    record Node(Server http, int grpcPort) {}

    static Node startNode(Path logs) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                PacedNode.class.getName());
        Process process = builder.redirectError(log(logs, "node")).start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
        String ports = out.readLine();
        if (ports == null) {
            throw new IllegalStateException("the scripted node did not start; see " + logs);
        }
        int space = ports.indexOf(' ');
        return new Node(
                new Server("direct", process, Integer.parseInt(ports.substring(space + 1))),
                Integer.parseInt(ports.substring(0, space)));
    }

    static Server startGateway(Path chasqui, Node node, Path logs) throws IOException, InterruptedException {
        int port = freePort();
        Process process = started(
                log(logs, "chasqui"),
                chasqui.toString(),
                "gateway",
                "--nodes",
                "127.0.0.1:" + node.grpcPort(),
                "--port",
                Integer.toString(port));
        return await(new Server("chasqui", process, port), "/readyz", logs);
    }

    static Server startLiteLlm(Path program, Node node, Path logs) throws IOException, InterruptedException {
        Path config = logs.resolve("litellm.yaml");
        Files.writeString(config, """
                model_list:
                  - model_name: %s
                    litellm_params:
                      model: openai/%1$s
                      api_base: http://127.0.0.1:%d/v1
                      api_key: none
                litellm_settings:
                  telemetry: false
                """.formatted(ScriptedNode.MODEL, node.http().port()));
        int port = freePort();
        Process process = started(
                log(logs, "litellm"),
                program.toString(),
                "--config",
                config.toString(),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--telemetry",
                "False");
        return await(new Server("litellm", process, port), "/health/liveliness", logs);
    }

    private static Process started(File log, String... command) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(List.of(command)).redirectErrorStream(true).redirectOutput(log);
        // Without this LiteLLM asks the network for prices.
        builder.environment().put("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        builder.environment().put("LITELLM_LOG", "ERROR");
        // It listens on loopback only, and Chasqui asks for no key here either.
        builder.environment().put("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true");
        return builder.start();
    }

    private static Server await(Server server, String health, Path logs) throws InterruptedException {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + health))
                .timeout(Duration.ofSeconds(5))
                .build();
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (server.process().isAlive() && System.nanoTime() < deadline) {
            try {
                if (client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200) {
                    return server;
                }
            } catch (IOException e) {
                // Nobody listens there yet.
            }
            Thread.sleep(100);
        }
        server.close();
        throw new IllegalStateException(server.name() + " did not start; see " + logs);
    }

    private static File log(Path logs, String name) {
        return logs.resolve(name + ".log").toFile();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
