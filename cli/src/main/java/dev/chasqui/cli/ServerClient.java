package dev.chasqui.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A Chasqui server as the command line sees it: the routes below {@code /api}. */
final class ServerClient {
    private static final Duration LOOK = Duration.ofMillis(700);
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final URI base;
    private final @Nullable String key;
    private final JsonMapper json = JsonMapper.shared();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT)
            .build();

    /** @param key sent as a bearer token; null: none */
    ServerClient(URI base, @Nullable String key) {
        this.base = base;
        this.key = key;
    }

    URI base() {
        return base;
    }

    /** Whether a Chasqui server answers there. */
    boolean answers() {
        try {
            HttpResponse<String> health =
                    http.send(request("/api/health").timeout(LOOK).GET().build(), BodyHandlers.ofString());
            return health.statusCode() == 200
                    && json.readTree(health.body()).path("success").asBoolean(false);
        } catch (IOException | JacksonException nobody) {
            return false;
        } catch (InterruptedException ended) {
            throw interrupted();
        }
    }

    /**
     * How the server's default model is: {@code status}, {@code model}, {@code progress} and more.
     *
     * @throws Failure with what the server says
     */
    JsonNode health() {
        return body(send(request("/api/health").timeout(PATIENCE).GET()));
    }

    /** @throws Failure with what the server says */
    JsonNode get(String path) {
        return data(send(request(path).timeout(PATIENCE).GET()));
    }

    /** @throws Failure with what the server says */
    JsonNode post(String path) {
        return data(send(request(path).timeout(PATIENCE).POST(BodyPublishers.noBody())));
    }

    /** @throws Failure with what the server says */
    JsonNode delete(String path) {
        return data(send(request(path).timeout(PATIENCE).DELETE()));
    }

    /**
     * Posts a body, and reads the events that are answered.
     *
     * @throws Failure with what the server says
     */
    Events events(String path, JsonNode body) {
        HttpRequest.Builder request = request(path)
                .header("accept", "text/event-stream")
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(body.toString()));
        try {
            HttpResponse<InputStream> response = http.send(request.build(), BodyHandlers.ofInputStream());
            if (response.statusCode() != 200) {
                try (InputStream in = response.body()) {
                    throw failure(new String(in.readAllBytes(), StandardCharsets.UTF_8), response.statusCode());
                }
            }
            return new Events(response.body());
        } catch (IOException unreachable) {
            throw unreachable(unreachable);
        } catch (InterruptedException ended) {
            throw interrupted();
        }
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException unreachable) {
            throw unreachable(unreachable);
        } catch (InterruptedException ended) {
            throw interrupted();
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path));
        return key == null ? request : request.header("authorization", "Bearer " + key);
    }

    private JsonNode data(HttpResponse<String> response) {
        return body(response).path("data");
    }

    private JsonNode body(HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            throw failure(response.body(), response.statusCode());
        }
        try {
            return json.readTree(response.body());
        } catch (JacksonException strange) {
            throw new Failure(base + " answers something that is no Chasqui server's", 1);
        }
    }

    private Failure failure(String body, int status) {
        String reason = "";
        try {
            reason = json.readTree(body).path("error").asString("");
        } catch (JacksonException strange) {
            // Told by its status, then.
        }
        return new Failure(reason.isEmpty() ? base + " answers with status " + status : reason, 1);
    }

    private Failure unreachable(IOException problem) {
        return problem instanceof ConnectException || problem instanceof HttpTimeoutException
                ? new Failure("no server answers at " + base + " (start one with: chasqui serve)", 1)
                : new Failure(base + ": " + problem.getMessage(), 1);
    }

    private static Failure interrupted() {
        Thread.currentThread().interrupt();
        return new Failure("interrupted", 1);
    }

    /** Server-sent events, read by one thread; any other may close them. */
    final class Events implements AutoCloseable {
        private final BufferedReader lines;
        private final InputStream in;
        private volatile boolean closed;

        Events(InputStream in) {
            this.in = in;
            this.lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        }

        /** The next one; null after the last, and once it is closed. */
        @Nullable
        JsonNode next() {
            try {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith("data:")) {
                        return told(json.readTree(line.substring("data:".length())));
                    }
                }
                return null;
            } catch (IOException broken) {
                if (closed) {
                    return null;
                }
                throw new Failure("the connection to " + base + " broke", 1);
            }
        }

        private JsonNode told(JsonNode event) {
            if (event.path("type").asString("").equals("error")) {
                throw new Failure(event.path("error").asString("the server failed"), 1);
            }
            return event;
        }

        @Override
        public void close() {
            closed = true;
            try {
                in.close();
            } catch (IOException gone) {
                // As closed as it can be.
            }
        }
    }
}
