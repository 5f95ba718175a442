package dev.chasqui.gateway.requests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** Bodies of bytes by chance, and what is demanded of whoever reads them. */
public final class FuzzedBodies {
    private static final String[] WORDS = {
        "null",
        "true",
        "{}",
        "[]",
        "[[]]",
        "\"\"",
        "-1",
        "0",
        "1e400",
        "18446744073709551616",
        "\"\\ud800\"",
        "\"a\"",
        "{\"type\":\"text\"}",
        "{\"type\":\"function\"}",
        ",",
        "\"",
        "\\u0000",
        "}",
        "]"
    };

    private FuzzedBodies() {}

    /** Reads a body: it is taken, or refused in a sentence. Nothing else may come of it. */
    public static void read(byte[] body, Consumer<JsonNode> parser) {
        try {
            parser.accept(RequestBody.tree(new ByteArrayInputStream(body)));
        } catch (RequestError refused) {
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.sentence()).isNotBlank().hasSizeLessThan(1000);
        }
    }

    /**
     * Bodies that are the like of those in the test's corpus, always the same.
     *
     * @param corpus the folder of the corpus, beside the test's class
     */
    public static Stream<byte[]> like(Class<?> test, String corpus, int count) {
        List<byte[]> seeds = seeds(test, corpus);
        Random random = new Random(7);
        return Stream.generate(() -> {
                    byte[] body = seeds.get(random.nextInt(seeds.size()));
                    for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                        body = changed(body, random);
                    }
                    return body;
                })
                .limit(count);
    }

    private static List<byte[]> seeds(Class<?> test, String corpus) {
        URL folder = Objects.requireNonNull(test.getResource(corpus), corpus);
        try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
            return files.sorted()
                    .map(file -> {
                        try {
                            return Files.readAllBytes(file);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] changed(byte[] body, Random random) {
        int at = random.nextInt(body.length + 1);
        return switch (random.nextInt(4)) {
            case 0 -> joined(body, at, WORDS[random.nextInt(WORDS.length)], at);
            case 1 -> joined(body, at, "", Math.min(body.length, at + random.nextInt(9)));
            case 2 -> value(body, at, WORDS[random.nextInt(WORDS.length)]);
            default -> {
                byte[] other = body.clone();
                if (other.length > 0) {
                    other[random.nextInt(other.length)] = (byte) random.nextInt(256);
                }
                yield other;
            }
        };
    }

    /** What stands behind the next colon is another value, so that most of them stay JSON. */
    private static byte[] value(byte[] body, int at, String word) {
        int colon = at;
        while (colon < body.length && body[colon] != ':') {
            colon++;
        }
        int end = colon;
        while (end < body.length && body[end] != ',' && body[end] != '}') {
            end++;
        }
        return colon == body.length ? body : joined(body, colon + 1, word, end);
    }

    private static byte[] joined(byte[] body, int end, String between, int from) {
        byte[] middle = between.getBytes(StandardCharsets.UTF_8);
        byte[] joined = Arrays.copyOf(body, end + middle.length + body.length - from);
        System.arraycopy(middle, 0, joined, end, middle.length);
        System.arraycopy(body, from, joined, end + middle.length, body.length - from);
        return joined;
    }
}
