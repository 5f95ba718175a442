package dev.chasqui.gateway.requests;

import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.proto.v1.ErrorReason;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What the fields of the wire are called in the requests of one dialect: a node's error about one of them names the field that the client
 * sent.
 */
public final class SentNames {
    private static final Pattern INDEX = Pattern.compile("\\[\\d+]");
    private static final Pattern PLACE = Pattern.compile("\\[]");
    /** What an error without a field is about. */
    private static final String PROMPT = "messages";

    private final Map<String, String> names = new HashMap<>();

    private SentNames() {}

    /**
     * Names by pairs.
     *
     * @param pairs of a field of the wire, with {@code []} for an index, and what it was sent as; without its {@code []} there the index
     *     is left out. What is below a field follows it, and a field that is in no pair keeps its name
     */
    public static SentNames of(String... pairs) {
        SentNames sent = new SentNames();
        for (int i = 0; i < pairs.length; i += 2) {
            sent.names.put(pairs[i], pairs[i + 1]);
        }
        return sent;
    }

    /** The answers of a node, with its errors in the client's words. */
    public <T> Flux<T> in(Flux<T> answers) {
        return answers.onErrorMap(NodeException.class, this::told);
    }

    /** The answer of a node, with its error in the client's words. */
    public <T> Mono<T> in(Mono<T> answer) {
        return answer.onErrorMap(NodeException.class, this::told);
    }

    private NodeException told(NodeException error) {
        @Nullable String field = error.field();
        if (field == null && error.reason() == ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED) {
            field = PROMPT;
        }
        if (field == null) {
            return error;
        }
        String sent = sent(field);
        String sentence = error.sentence();
        return new NodeException(
                error.reason(),
                sentence.startsWith(field + ":") ? sent + sentence.substring(field.length()) : sentence,
                sent,
                error.retryAfter());
    }

    /** By the longest of its beginnings that has another name. */
    private String sent(String field) {
        Deque<String> numbers = new ArrayDeque<>();
        INDEX.matcher(field).results().forEach(index -> numbers.add(index.group()));
        String plain = INDEX.matcher(field).replaceAll("[]");
        int end = plain.length();
        while (end > 0 && !names.containsKey(plain.substring(0, end))) {
            end = Math.max(plain.lastIndexOf('.', end - 1), plain.lastIndexOf('[', end - 1));
        }
        if (end <= 0) {
            return field;
        }
        String wire = plain.substring(0, end);
        String name = String.valueOf(names.get(wire));
        for (long i = places(name); i < places(wire); i++) {
            numbers.poll();
        }
        return PLACE.matcher(name + plain.substring(end)).replaceAll(place -> String.valueOf(numbers.poll()));
    }

    private static long places(String name) {
        return PLACE.matcher(name).results().count();
    }
}
