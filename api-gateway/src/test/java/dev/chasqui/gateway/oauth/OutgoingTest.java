package dev.chasqui.gateway.oauth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OutgoingTest {
    private final EventLoop loop = new EventLoop("test");
    private final Outgoing outgoing = new Outgoing(loop, Duration.ofMillis(500));

    @AfterEach
    void close() {
        outgoing.close();
        loop.close();
    }

    @Test
    void whoSaysNothingIsNotWaitedForLong() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> ask(outgoing, silent.getLocalPort()))
                    .isInstanceOf(RequestError.class)
                    .hasMessage("Somewhere did not answer in time.");
        }
    }

    @Test
    void whoSpeaksSlowlyIsNotWaitedForEither() throws Exception {
        try (ServerSocket slow = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread drip = new Thread(() -> drip(slow));
            drip.setDaemon(true);
            drip.start();

            assertThatThrownBy(() -> ask(outgoing, slow.getLocalPort()))
                    .hasMessage("Somewhere did not answer in time.");
        }
    }

    private static void drip(ServerSocket slow) {
        try (Socket socket = slow.accept()) {
            socket.getOutputStream()
                    .write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            while (true) {
                socket.getOutputStream().write(' ');
                Thread.sleep(50);
            }
        } catch (Exception ended) {
            // The other end hung up.
        }
    }

    @Test
    void whoIsNotThereCannotBeReached() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        try (Outgoing patient = new Outgoing(loop, Duration.ofMinutes(1))) {
            assertThatThrownBy(() -> ask(patient, port)).hasMessage("Somewhere cannot be reached.");
        }
    }

    @Test
    void formsAreEscaped() {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("scope", "name email");
        form.put("redirect_uri", "https://a/?b=c&d");

        assertThat(Outgoing.encoded(form)).isEqualTo("scope=name%20email&redirect_uri=https%3A%2F%2Fa%2F%3Fb%3Dc%26d");
    }

    private static void ask(Outgoing from, int port) {
        from.get("Somewhere", "http://127.0.0.1:" + port + "/?code=secret", Map.of())
                .block(Duration.ofMinutes(2));
    }
}
