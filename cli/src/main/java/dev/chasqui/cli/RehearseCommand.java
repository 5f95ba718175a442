package dev.chasqui.cli;

import dev.chasqui.gateway.Gateway;
import dev.chasqui.gateway.GatewaySettings;
import dev.chasqui.llama.TinyGguf;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Goes through what a server does from its start through its first answers to its end, so that the classes that a gateway loads,
 * and a node with a tiny model beside it, can be kept in archives. On loopback; the launcher gives it a home of its own.
 */
@Command(name = "rehearse", hidden = true)
final class RehearseCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String QUESTION =
            "{\"model\":\"default\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":2,\"stream\":";

    @Option(names = "--node-archive", required = true)
    private Path nodeArchive;

    @Mixin
    private GatewayOptions options;

    @Mixin
    private LogOptions log;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Override
    public Integer call() throws IOException, InterruptedException {
        log.apply();
        Main.commandLine(System.getenv(), Map::of).getUsageMessage();
        ConfigCommand.text();
        String address = "127.0.0.1:" + Ports.anyFree(InetAddress.getLoopbackAddress());
        Process node = node(address, TinyGguf.write(Files.createTempDirectory("rehearsal")));
        try (Gateway gateway =
                Gateway.start(options.settings(List.of(address), null, GatewaySettings.NodeTls.NONE, List.of()))) {
            talk(options.url(gateway.port()), node);
        } finally {
            end(node);
        }
        return node.exitValue();
    }

    private static void end(Process node) throws IOException, InterruptedException {
        node.getOutputStream().close();
        if (!node.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            node.destroyForcibly().waitFor();
        }
    }

    /** Ends when its standard input does. */
    private Process node(String address, Path model) throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:ArchiveClassesAtExit=" + nodeArchive,
                        "-jar",
                        System.getProperty("java.class.path"),
                        "node",
                        "--supervised",
                        "--backend",
                        "cpu",
                        "--listen",
                        address,
                        "--model",
                        model.toString(),
                        "--ctx",
                        "512")
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private void talk(String server, Process node) throws IOException, InterruptedException {
        await(server + "/readyz", node);
        await(server + "/api/conversations", node);
        require(server + "/api/health", null);
        require(server + "/api/models", null);
        require(server + "/", null);
        require(server + "/v1/chat/completions", QUESTION + "true}");
        require(server + "/v1/chat/completions", QUESTION + "false}");
        require(server + "/v1/completions", "{\"prompt\":\"Once\",\"max_tokens\":2}");
        require(server + "/v1/messages", QUESTION + "true}");
        require(server + "/api/conversations", "{\"title\":\"A rehearsal\"}");
    }

    private void await(String address, Process node) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (ask(address, null) != 200 && node.isAlive() && System.nanoTime() < end) {
            Thread.sleep(20);
        }
    }

    private void require(String address, @Nullable String body) throws IOException, InterruptedException {
        int status = ask(address, body);
        if (status != 200 && status != 201) {
            throw new IOException(address + ": status " + status);
        }
    }

    private int ask(String address, @Nullable String body) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(address)).timeout(PATIENCE);
        if (body != null) {
            request.header("content-type", "application/json").POST(BodyPublishers.ofString(body));
        }
        return client.send(request.build(), BodyHandlers.discarding()).statusCode();
    }
}
