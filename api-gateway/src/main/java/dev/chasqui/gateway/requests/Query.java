package dev.chasqui.gateway.requests;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.util.MultiValueMap;

/** The parameters behind a path's question mark, each read as {@link Fields} reads a field; an empty one is absent. */
public final class Query {
    private static final int LONGEST_QUOTE = 60;

    private final MultiValueMap<String, String> parameters;

    private Query(MultiValueMap<String, String> parameters) {
        this.parameters = parameters;
    }

    /** Those of a request; of one that comes twice the first counts. */
    public static Query of(ServerHttpRequest request) {
        return new Query(request.getQueryParams());
    }

    /** A text; null where it is absent. */
    public @Nullable String string(String name) {
        String value = parameters.getFirst(name);
        return value == null || value.isEmpty() ? null : value;
    }

    /** True only where it says so. */
    public boolean isTrue(String name) {
        return "true".equals(oneOf(name, Text.ordered("true", "false")));
    }

    /** One of some words; null where it is absent. */
    public @Nullable String oneOf(String name, Set<String> allowed) {
        String value = string(name);
        if (value != null && !allowed.contains(value)) {
            throw bad(name, value, String.join(", ", allowed));
        }
        return value;
    }

    /** A whole number; null where it is absent. */
    public @Nullable Long integer(String name, long least, long most) {
        String value = string(name);
        if (value == null) {
            return null;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw bad(name, value, "a whole number, " + least + " to " + most);
    }

    /** A moment; null where it is absent. */
    public @Nullable Instant moment(String name) {
        String value = string(name);
        try {
            return value == null ? null : Instant.parse(value);
        } catch (DateTimeParseException e) {
            throw bad(name, String.valueOf(value), "a moment such as 2026-01-31T12:00:00Z");
        }
    }

    private static RequestError bad(String name, String value, String expected) {
        String shown = value.length() <= LONGEST_QUOTE
                ? "\"" + Text.whole(value) + "\""
                : "a string of " + value.length() + " characters";
        return RequestError.badValue(name, shown + " (expected: " + expected + ")");
    }
}
