package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** PostgreSQL that goes away and comes back, behind a connection that can be cut. */
class DatabaseAwayTest extends GatewayTest {
    private @Nullable Wire wire;

    /** Passes bytes on to the database, while it is not cut. */
    private static final class Wire {
        final int port;
        private final int target;
        private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
        private volatile @Nullable ServerSocket server;

        Wire(int target) throws IOException {
            this.target = target;
            ServerSocket first = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            port = first.getLocalPort();
            serve(first);
        }

        private void serve(ServerSocket listening) {
            server = listening;
            daemon(() -> {
                while (true) {
                    Socket client = listening.accept();
                    Socket database = new Socket(InetAddress.getLoopbackAddress(), target);
                    sockets.add(client);
                    sockets.add(database);
                    daemon(() -> client.getInputStream().transferTo(database.getOutputStream()));
                    daemon(() -> database.getInputStream().transferTo(client.getOutputStream()));
                }
            });
        }

        void cut() throws IOException {
            ServerSocket listening = server;
            if (listening != null) {
                listening.close();
            }
            for (Socket socket : sockets) {
                socket.close();
            }
            sockets.clear();
        }

        void mend() throws IOException {
            serve(new ServerSocket(port, 50, InetAddress.getLoopbackAddress()));
        }

        private interface Work {
            void run() throws IOException;
        }

        private static void daemon(Work work) {
            Thread thread = new Thread(() -> {
                try {
                    work.run();
                } catch (IOException cut) {
                    // That is what it is for.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
    }

    @Override
    GatewaySettings settings() {
        try {
            String address = TestDatabases.postgres();
            int port = TestDatabases.server().getPort();
            Wire made = new Wire(port);
            wire = made;
            GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
            return stored(new GatewaySettings.Stored(
                    address.replace(":" + port, ":" + made.port),
                    usual.maxHistoryMessages(),
                    false,
                    usual.undo(),
                    usual.retention(),
                    usual.mostEvents(),
                    usual.queue(),
                    usual.backpressure()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void cut() throws IOException {
        wire().cut();
    }

    private Wire wire() {
        return java.util.Objects.requireNonNull(wire);
    }

    @Test
    void itIsSaidAndWhatNeedsNoDatabaseGoesOn() throws Exception {
        assertThat(get("/api/conversations").statusCode()).isEqualTo(200);
        wire().cut();

        HttpResponse<String> away = get("/api/conversations");
        assertThat(away.statusCode()).isEqualTo(503);
        assertThat(away.headers().firstValue("retry-after")).isPresent();
        assertThat(json(away.body()).get("code").asString()).isEqualTo("database_unavailable");
        assertThat(json(away.body()).get("error").asString()).isEqualTo("The database cannot be reached.");
        assertThat(get("/api/stream/local").statusCode()).isEqualTo(503);
        assertThat(get("/readyz").statusCode()).isEqualTo(503);
        assertThat(json(get("/readyz").body()).get("database").asString()).isEqualTo("unavailable");
        assertThat(json(get("/api/health").body()).at("/database/status").asString())
                .isEqualTo("unavailable");
        String hi = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        assertThat(post("/v1/chat/completions", hi).statusCode()).isEqualTo(200);
        assertThat(post("/api/chat", hi).statusCode()).isEqualTo(200);

        wire().mend();
        await(() -> isReady());
        assertThat(get("/api/conversations").statusCode()).isEqualTo(200);
    }

    @Test
    void anAnswerOutlivesTheAbsence() throws Exception {
        BlockingQueue<String> words = new LinkedBlockingQueue<>();
        node.does((request, answer) -> {
            answer.admit(3);
            for (String word = words.take(); !word.equals("end"); word = words.take()) {
                answer.say(0, word);
            }
            answer.finish(0, dev.chasqui.proto.v1.FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(3, 0, 2);
        });
        String id = json(post("/api/conversations", "{}").body()).at("/data/id").asString();
        try (RawStream stream = RawStream.post(
                gateway.port(), "/api/conversations/" + id + "/messages", "{\"content\":\"Go\",\"stream\":true}")) {
            words.add("one");
            stream.await("\"content\":\"one\"");
            wire().cut();
            words.add(" two");
            stream.await("\"content\":\" two\"");
            words.add("end");
            stream.await("\"saved\":false");
        }
        wire().mend();

        await(() -> {
            try {
                return get("/api/conversations/" + id + "/messages")
                                .body()
                                .contains("\"status\":\"complete\",\"created")
                        && get("/api/conversations/" + id + "/messages").body().contains("one two")
                        && !get("/api/conversations/" + id + "/messages").body().contains("running");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
