package dev.chasqui.cli;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.URI;
import java.net.URLEncoder;
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
    private static final String SESSION_COOKIE = "chasqui_session=";
    private static final int UNAUTHORIZED = 401;

    private final URI base;
    private final Credential credential;
    private final JsonMapper json = JsonMapper.shared();
    private final HttpClient http;

    /** Asks as nobody. What is brought goes to this server alone: redirections are not followed. */
    ServerClient(URI base) {
        this(
                base,
                Credential.NONE,
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(CONNECT)
                        .build());
    }

    private ServerClient(URI base, Credential credential, HttpClient http) {
        this.base = base;
        this.credential = credential;
        this.http = http;
    }

    /** The same server, asked as somebody. */
    ServerClient as(Credential other) {
        return new ServerClient(base, other, http);
    }

    URI base() {
        return base;
    }

    /** A name as one part of a path. */
    static String segment(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
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
    JsonNode post(String path, JsonNode body) {
        return data(send(withBody(path, body).timeout(PATIENCE)));
    }

    /**
     * What a sign-in gives.
     *
     * @param token of the session
     */
    record SignedIn(String token, JsonNode data) {}

    /** @throws Failure with what the server says */
    SignedIn signIn(String path, JsonNode body) {
        HttpResponse<String> response =
                as(Credential.PASSWORD).send(withBody(path, body).timeout(PATIENCE));
        JsonNode data = as(Credential.PASSWORD).data(response);
        String token = response.headers().allValues("set-cookie").stream()
                .filter(cookie -> cookie.startsWith(SESSION_COOKIE))
                .map(cookie -> cookie.substring(SESSION_COOKIE.length()).replaceFirst(";.*", ""))
                .findFirst()
                .orElse("");
        if (token.isEmpty()) {
            throw strange();
        }
        return new SignedIn(token, data);
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
        HttpRequest.Builder request = withBody(path, body).header("accept", "text/event-stream");
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
        String token = credential.token();
        return token.isEmpty() ? request : request.header("authorization", "Bearer " + token);
    }

    private HttpRequest.Builder withBody(String path, JsonNode body) {
        return request(path).header("content-type", "application/json").POST(BodyPublishers.ofString(body.toString()));
    }

    private JsonNode data(HttpResponse<String> response) {
        return body(response).path("data");
    }

    private JsonNode body(HttpResponse<String> response) {
        if (response.statusCode() / 100 != 2) {
            throw failure(response.body(), response.statusCode());
        }
        try {
            return json.readTree(response.body());
        } catch (JacksonException odd) {
            throw strange();
        }
    }

    private Failure strange() {
        return new Failure(base + " answers something that is no Chasqui server's", 1);
    }

    private Failure failure(String body, int status) {
        String reason = "";
        try {
            reason = json.readTree(body).path("error").asString("");
        } catch (JacksonException strange) {
            // Told by its status, then.
        }
        String said = reason.isEmpty() ? base + " answers with status " + status : reason;
        return status == UNAUTHORIZED ? credential.refused(base, said) : new Failure(said, 1);
    }

    private Failure unreachable(IOException problem) {
        if (problem instanceof ConnectException || problem instanceof HttpTimeoutException) {
            return new Failure("no server answers at " + base + " (start one with: chasqui serve)", 1);
        }
        String said = String.valueOf(problem.getMessage());
        // How Java says that the server went away before it had answered.
        boolean gone = problem instanceof EOFException
                || problem instanceof SocketException
                || said.contains("received no bytes");
        return gone ? broken() : new Failure(base + ": " + said, 1);
    }

    private Failure broken() {
        return new Failure("the connection to " + base + " broke", 1);
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
            } catch (IOException gone) {
                if (closed) {
                    return null;
                }
                throw broken();
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
