package dev.chasqui.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A streamed answer that is read as it comes, over a connection that can be broken off. */
final class RawStream implements AutoCloseable {
    private static final int PATIENCE_MS = 20_000;

    private final Socket socket;
    private final InputStream in;
    private final StringBuilder read = new StringBuilder();

    private RawStream(int port, String request) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(PATIENCE_MS);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
        in = socket.getInputStream();
    }

    static RawStream get(int port, String path, String... headers) throws IOException {
        StringBuilder request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        return new RawStream(port, request + "\r\n");
    }

    static RawStream post(int port, String path, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        return new RawStream(
                port,
                "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                        + body.length + "\r\n\r\n" + json);
    }

    /** Reads on until the text has come; all that was read so far. */
    String await(String text) throws IOException {
        byte[] buffer = new byte[8192];
        while (read.indexOf(text) < 0) {
            int n = in.read(buffer);
            if (n < 0) {
                throw new AssertionError("the stream ended before \"" + text + "\": " + read);
            }
            read.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
        }
        return read.toString();
    }

    /** Reads what has come by now. */
    void drain() throws IOException {
        while (in.available() > 0) {
            byte[] buffer = new byte[in.available()];
            read.append(new String(buffer, 0, in.read(buffer), StandardCharsets.UTF_8));
        }
    }

    /** All that was read so far. */
    String text() {
        return read.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
