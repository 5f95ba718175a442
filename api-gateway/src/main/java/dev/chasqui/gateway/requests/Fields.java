package dev.chasqui.gateway.requests;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The fields of one JSON object of a request, each read with its type and range. A field that is absent or null reads
 * as null; one that is not as it must be is an {@link RequestError} that names it, what it is and what it should be.
 */
public final class Fields {
    private static final int LONGEST_QUOTE = 60;

    private final JsonNode object;
    private final String path;

    private Fields(JsonNode object, String path) {
        this.object = object;
        this.path = path;
    }

    /** @param path of the object in the request; empty for the whole request */
    public static Fields of(JsonNode value, String path) {
        if (!value.isObject()) {
            throw RequestError.badValue(path.isEmpty() ? "body" : path, kind(value) + " (expected: an object)");
        }
        return new Fields(value, path);
    }

    public String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    public @Nullable JsonNode any(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    public RequestError bad(String name, @Nullable JsonNode value, String expected) {
        return RequestError.badValue(path(name), shown(value) + " (expected: " + expected + ")");
    }

    public @Nullable String string(String name) {
        JsonNode value = any(name);
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw bad(name, value, "a string");
        }
        return value.stringValue();
    }

    /** A string that is not content, so that an error may quote it. */
    public String requiredString(String name) {
        String value = string(name);
        if (value == null || value.isEmpty()) {
            throw bad(name, any(name), "a non-empty string");
        }
        return value;
    }

    public @Nullable String oneOf(String name, Set<String> allowed) {
        String value = string(name);
        if (value != null && !allowed.contains(value)) {
            throw bad(name, any(name), String.join(", ", allowed));
        }
        return value;
    }

    public @Nullable Boolean bool(String name) {
        JsonNode value = any(name);
        if (value == null) {
            return null;
        }
        if (!value.isBoolean()) {
            throw bad(name, value, "true or false");
        }
        return value.booleanValue();
    }

    public boolean isTrue(String name) {
        return Boolean.TRUE.equals(bool(name));
    }

    /** A whole number; 3.0 is one. */
    public @Nullable Long integer(String name, long least, long most) {
        JsonNode value = any(name);
        if (value == null) {
            return null;
        }
        String expected = "a whole number, " + least + " to " + most;
        if (!value.isNumber()) {
            throw bad(name, value, expected);
        }
        double number = value.doubleValue();
        if (number != Math.rint(number) || Double.isInfinite(number) || !value.canConvertToLong()) {
            throw bad(name, value, expected);
        }
        long whole = value.longValue();
        if (whole < least || whole > most) {
            throw bad(name, value, expected);
        }
        return whole;
    }

    public @Nullable Float number(String name, double least, double most) {
        JsonNode value = any(name);
        if (value == null) {
            return null;
        }
        String expected = shown(least) + " to " + shown(most);
        if (!value.isNumber()) {
            throw bad(name, value, "a number, " + expected);
        }
        double number = value.doubleValue();
        if (!(number >= least && number <= most)) {
            throw bad(name, value, expected);
        }
        return (float) number;
    }

    public @Nullable Fields object(String name) {
        JsonNode value = any(name);
        return value == null ? null : of(value, path(name));
    }

    /** The elements of an array; empty where the field is absent. */
    public List<JsonNode> array(String name, int most) {
        JsonNode value = any(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            // What stands there may be a prompt.
            throw RequestError.badValue(path(name), kind(value) + " (expected: an array)");
        }
        if (value.size() > most) {
            throw RequestError.badValue(path(name), value.size() + " elements (expected: at most " + most + ")");
        }
        return List.copyOf(value.values());
    }

    /** A value as an error may show it: short ones as they are, long or nested ones by their kind. */
    public static String shown(@Nullable JsonNode value) {
        if (value == null || value.isNull()) {
            return "absent";
        }
        if (value.isContainer()) {
            return kind(value);
        }
        String text = value.isString() ? value.toString() : value.asString();
        return text.length() <= LONGEST_QUOTE ? text : kind(value) + " of " + text.length() + " characters";
    }

    public static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT, POJO -> "an object";
            case ARRAY -> value.isEmpty() ? "an empty array" : "an array";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case NULL, MISSING -> "absent";
            case BINARY -> "binary";
        };
    }

    private static String shown(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}
