package dev.chasqui.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A client of OpenAI's dialect that notes when what came. Any thread. */
final class Client {
    static final JsonMapper JSON = new JsonMapper();
    static final String CHAT = "/v1/chat/completions";
    static final String RAW = "/v1/completions";

    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final String BYTES = "bytes:";
    private static final Pattern BYTE = Pattern.compile("\\\\x([0-9a-f]{2})");

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI base;

    Client(Server server) {
        base = server.base();
    }

    /** The request was refused. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        final int status;

        /** -1: nothing said */
        final int retryAfterS;

        Refused(int status, int retryAfterS, String body) {
            super("status " + status + ": " + body);
            this.status = status;
            this.retryAfterS = retryAfterS;
        }
    }

    /** Asks, and reads a stream to its end. */
    Answer ask(String path, Object body) throws IOException, InterruptedException {
        long began = System.nanoTime();
        try (Stream stream = open(path, body)) {
            return stream.read(began);
        }
    }

    /** Asks; the answer is to be read, or left. */
    Stream open(String path, Object body) throws IOException, InterruptedException {
        HttpResponse<InputStream> response =
                client.send(request(path, body), HttpResponse.BodyHandlers.ofInputStream());
        if (response.statusCode() != 200) {
            String text = new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
            String retry = response.headers().firstValue("retry-after").orElse("-1");
            throw new Refused(response.statusCode(), Integer.parseInt(retry), text);
        }
        return new Stream(response.body());
    }

    /** Asks for an answer in one piece. */
    JsonNode whole(String path, Object body) throws IOException, InterruptedException {
        try (Stream stream = open(path, body)) {
            return JSON.readTree(stream.body.readAllBytes());
        }
    }

    /** Lets all sequences hold as much as they may, since memory is taken by its use. */
    void fill(int slots, int context) throws IOException, InterruptedException {
        whole(RAW, Map.of("prompt", "word ".repeat(context - 96), "max_tokens", 2, "n", slots, "temperature", 0));
    }

    /** Asks for an answer in one piece, and hangs up after a while. */
    void abandon(String path, Object body, long afterMs) {
        CompletableFuture<?> answer = client.sendAsync(request(path, body), HttpResponse.BodyHandlers.discarding());
        Pause.millis(afterMs);
        answer.cancel(true);
    }

    private HttpRequest request(String path, Object body) {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(LIMIT)
                .header("Content-Type", "application/json")
                // Some servers close an idle connection just as the next request takes it.
                .header("Connection", "close")
                .POST(HttpRequest.BodyPublishers.ofString(
                        body instanceof String text ? text : JSON.writeValueAsString(body)))
                .build();
    }

    /** A streamed answer. Closing it early hangs up. */
    static final class Stream implements AutoCloseable {
        private final InputStream body;
        private final BufferedReader lines;
        private final List<Double> arrivals = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private final List<byte[]> pieces = new ArrayList<>();
        private int tokens = -1;
        private int prompt;
        private int cached;
        private boolean done;

        Stream(InputStream body) {
            this.body = body;
            this.lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        }

        /** Reads to the end. */
        Answer read(long began) throws IOException {
            String line = lines.readLine();
            while (line != null) {
                take(line, began);
                line = lines.readLine();
            }
            if (!done || arrivals.isEmpty() || tokens < 0) {
                throw new IOException("the stream ended early");
            }
            return new Answer(arrivals, text.toString(), pieces, tokens, prompt, cached, millisSince(began));
        }

        /** Reads until so many pieces of text have come. */
        void readPieces(int count) throws IOException {
            String line = "";
            while (arrivals.size() < count && line != null) {
                line = lines.readLine();
                if (line != null) {
                    take(line, 0);
                }
            }
        }

        /** Reads to the end, whatever comes, and be it nothing. */
        void readAll() throws IOException {
            String line = lines.readLine();
            while (line != null) {
                take(line, 0);
                line = lines.readLine();
            }
            if (!done) {
                throw new IOException("the stream ended early");
            }
        }

        /** Pieces of text so far. */
        int count() {
            return arrivals.size();
        }

        private void take(String line, long began) throws IOException {
            if (line.equals("data: [DONE]")) {
                done = true;
            } else if (line.startsWith("data:")) {
                take(JSON.readTree(line.substring(5)), began);
            }
        }

        private void take(JsonNode event, long began) throws IOException {
            if (event.has("error")) {
                throw new IOException("error event: " + event.get("error"));
            }
            JsonNode choice = event.path("choices").path(0);
            String piece = choice.path("delta").path("content").asString("")
                    + choice.path("text").asString("");
            if (!piece.isEmpty()) {
                arrivals.add(millisSince(began));
                text.append(piece);
            }
            for (JsonNode name : choice.path("logprobs").path("tokens")) {
                pieces.add(bytes(name.asString()));
            }
            JsonNode usage = event.path("usage");
            tokens = usage.path("completion_tokens").asInt(tokens);
            prompt = usage.path("prompt_tokens").asInt(prompt);
            cached = usage.path("prompt_tokens_details").path("cached_tokens").asInt(cached);
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    static double millisSince(long began) {
        return (System.nanoTime() - began) / 1e6;
    }

    /** A token's bytes from its name, which spells them where they are no text. */
    private static byte[] bytes(String name) {
        if (!name.startsWith(BYTES)) {
            return name.getBytes(StandardCharsets.UTF_8);
        }
        Matcher matcher = BYTE.matcher(name);
        byte[] bytes = new byte[(name.length() - BYTES.length()) / 4];
        for (int i = 0; matcher.find(); i++) {
            bytes[i] = (byte) Integer.parseInt(matcher.group(1), 16);
        }
        return bytes;
    }
}
