package dev.chasqui.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What all servers of a measurement have in common.
 *
 * @param chasqui the launcher
 * @param peer llama-server
 * @param threads that compute
 * @param more arguments for Chasqui beyond what the measurement says
 */
record Setting(Path chasqui, Path peer, Path model, int threads, List<String> more) {
    static Setting of(Options options) {
        return new Setting(
                Path.of(options.text("chasqui", "")),
                Path.of(options.text("peer", "")),
                options.path("model"),
                options.number("threads", Runtime.getRuntime().availableProcessors()),
                options.words("arguments"));
    }

    /** Chasqui, all of it, ready to answer. */
    Server chasqui(int parallel, int context, String... arguments) throws IOException {
        int port = freePort();
        int nodePort = freePort();
        List<String> command = new ArrayList<>(List.of(
                chasqui.toString(),
                "serve",
                "--port",
                "" + port,
                "--node-port",
                "" + nodePort,
                // Beside a server whose chats are stored in the usual place, and leaving none of its own there.
                "--database-url",
                "memory:"));
        command.addAll(engine(parallel, context));
        command.addAll(List.of(arguments));
        command.addAll(more);
        return Server.start("chasqui", port, nodePort, "/api/health", "/readyz", command);
    }

    /** The command of a node alone. */
    List<String> node(int port, int parallel, int context) {
        List<String> command = new ArrayList<>(List.of(chasqui.toString(), "node", "--listen", "127.0.0.1:" + port));
        command.addAll(engine(parallel, context));
        command.addAll(more);
        return command;
    }

    private List<String> engine(int parallel, int context) {
        return List.of(
                "--model", "" + model, "--parallel", "" + parallel, "--ctx", "" + context, "--threads", "" + threads);
    }

    /** A gateway alone; ready when one of its nodes is. */
    Server gateway(List<String> nodes, String... arguments) throws IOException {
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                chasqui.toString(),
                "gateway",
                "--port",
                "" + port,
                "--nodes",
                String.join(",", nodes),
                "--database-url",
                "memory:"));
        command.addAll(List.of(arguments));
        return Server.start("gateway", port, 0, "/api/health", "/readyz", command);
    }

    /** The same without guesses and company: what it says is the model's own word. */
    Server alone(int context) throws IOException {
        return chasqui(1, context, "--lookahead", "off", "--prompt-cache", "0");
    }

    Server peer(int parallel, int context, List<String> arguments) throws IOException {
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                peer.toString(),
                "--host",
                "127.0.0.1",
                "--port",
                "" + port,
                "-m",
                "" + model,
                "-np",
                "" + parallel,
                "-c",
                "" + parallel * context,
                "-t",
                "" + threads));
        command.addAll(arguments);
        return Server.start("llama-server", port, 0, "/health", "/health", command);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
