package dev.chasqui.node.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A web server on the loopback that serves files with ranges and marks, and misbehaves where a test says so. */
final class FileServer implements AutoCloseable {
    /** What a path answers. */
    interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    /** Method, path and Range of every request, in order. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    FileServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI origin() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    FileServer on(String path, Answer answer) {
        answers.put(path, answer);
        return this;
    }

    private void handle(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        requests.add(exchange.getRequestURI().getPath() + (range == null ? "" : " " + range));
        Answer answer = answers.get(exchange.getRequestURI().getPath());
        try {
            if (answer == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                answer.to(exchange);
            }
        } finally {
            exchange.close();
        }
    }

    /** The file with its mark, or from where a range asks for it. */
    static Answer file(byte[] bytes, String mark) {
        return cut(bytes, mark, Integer.MAX_VALUE);
    }

    /** The same, but every connection breaks after so many bytes. */
    static Answer cut(byte[] bytes, String mark, int after) {
        return exchange -> {
            exchange.getResponseHeaders().set("ETag", mark);
            String range = exchange.getRequestHeaders().getFirst("Range");
            boolean same = mark.equals(exchange.getRequestHeaders().getFirst("If-Range"));
            int from = range != null && same ? Integer.parseInt(range.replaceAll("\\D", "")) : 0;
            if (from >= bytes.length) {
                exchange.getResponseHeaders().set("Content-Range", "bytes */" + bytes.length);
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            if (from > 0) {
                exchange.getResponseHeaders()
                        .set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
            }
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, bytes.length - from);
            OutputStream out = exchange.getResponseBody();
            out.write(bytes, from, Math.min(after, bytes.length - from));
            out.flush();
        };
    }

    static Answer redirect(String location) {
        return exchange -> {
            exchange.getResponseHeaders().set("Location", location);
            exchange.sendResponseHeaders(302, -1);
        };
    }

    static Answer status(int status) {
        return exchange -> exchange.sendResponseHeaders(status, -1);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
