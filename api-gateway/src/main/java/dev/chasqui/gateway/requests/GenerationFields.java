package dev.chasqui.gateway.requests;

import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Scheduling;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What any generation may be told, with a template or without: how much, how many, and in what form. */
public final class GenerationFields {
    private static final int MOST_STOPS = 16;
    private static final int LONGEST_STOP_BYTES = 1024;
    private static final int MOST_CHOICES = 16;
    private static final int MOST_TOKENS = Integer.MAX_VALUE;

    private static final int MOST_URGENT = -100;
    private static final int LEAST_URGENT = 100;
    private static final int MOST_TIMEOUT_MS = 86_400_000;
    private static final double MOST_KEEP_ALIVE = 1e9;
    private static final Pattern TIME = Pattern.compile(
            "-?(?:(?<hours>\\d{1,6})h)?(?:(?<minutes>\\d{1,8})m)?(?:(?<seconds>\\d{1,9}(?:\\.\\d{1,9})?)s?)?");

    private GenerationFields() {}

    /** {@code n}; 1 where it is absent. */
    public static int choices(Fields fields) {
        Long choices = fields.integer("n", 1, MOST_CHOICES);
        return choices == null ? 1 : choices.intValue();
    }

    /** {@code max_tokens}, {@code max_completion_tokens}, {@code stop} and {@code keep_alive}. */
    public static Limits limits(Fields fields) {
        return limits(fields, false);
    }

    /** @param nothing whether 0 tokens may be asked for */
    public static Limits limits(Fields fields, boolean nothing) {
        Limits.Builder limits = Limits.newBuilder();
        Long old = fields.integer("max_tokens", -1, MOST_TOKENS);
        Long current = fields.integer("max_completion_tokens", -1, MOST_TOKENS);
        Long most = current == null ? old : current;
        limits.setPromptOnly(nothing && most != null && most == 0);
        if (most != null && most == 0 && !nothing) {
            String name = current == null ? "max_tokens" : "max_completion_tokens";
            throw RequestError.badValue(name, "0 (expected: 1 or more, or -1 for as many as fit)");
        }
        if (most != null && most > 0) {
            limits.setMaxTokens(most.intValue());
        }
        JsonNode stop = fields.any("stop");
        if (stop != null && stop.isArray()) {
            List<JsonNode> stops = fields.array("stop", MOST_STOPS);
            for (int i = 0; i < stops.size(); i++) {
                limits.addStop(stop("stop[" + i + "]", stops.get(i)));
            }
        } else if (stop != null) {
            limits.addStop(stop("stop", stop));
        }
        Double keepAlive = keepAlive(fields);
        if (keepAlive != null) {
            limits.setKeepAliveS(keepAlive);
        }
        return limits.build();
    }

    /** {@code priority} and {@code timeout_ms}: when a request is served, and until when it waits for its end. */
    public static Scheduling scheduling(Fields fields) {
        Long priority = fields.integer("priority", MOST_URGENT, LEAST_URGENT);
        Long timeout = fields.integer("timeout_ms", 1, MOST_TIMEOUT_MS);
        return Scheduling.newBuilder()
                .setPriority(priority == null ? 0 : priority.intValue())
                .setTimeoutMs(timeout == null ? 0 : timeout.intValue())
                .build();
    }

    /**
     * {@code keep_alive} in seconds, negative for ever: a number, or a text such as {@code "5m"} or {@code "1h30m"}. Null where it
     * is absent.
     */
    public static @Nullable Double keepAlive(Fields fields) {
        JsonNode value = fields.any("keep_alive");
        if (value == null) {
            return null;
        }
        if (value.isNumber() && Math.abs(value.doubleValue()) <= MOST_KEEP_ALIVE) {
            return value.doubleValue();
        }
        String text = value.isString() ? value.stringValue() : "";
        Matcher units = TIME.matcher(text);
        if (!text.isEmpty() && units.matches()) {
            double seconds = 3600 * number(units.group("hours"))
                    + 60 * number(units.group("minutes"))
                    + number(units.group("seconds"));
            return text.startsWith("-") ? -1.0 : seconds;
        }
        throw fields.bad("keep_alive", value, "seconds, a time such as 5m or 1h30m, 0 or -1");
    }

    private static double number(@Nullable String digits) {
        return digits == null ? 0 : Double.parseDouble(digits);
    }

    /** One stop string; its bounds are the node's. */
    public static String stop(String path, JsonNode value) {
        if (!value.isString()) {
            throw RequestError.badValue(path, Fields.kind(value) + " (expected: a string, or an array of strings)");
        }
        String text = Text.whole(value.stringValue());
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        if (length < 1 || length > LONGEST_STOP_BYTES) {
            throw RequestError.badValue(path, length + " bytes (expected: 1 to " + LONGEST_STOP_BYTES + ")");
        }
        return text;
    }

    /** {@code response_format}, {@code json_schema} and {@code grammar}; null where any form will do. */
    public static @Nullable OutputFormat outputFormat(Fields fields) {
        Fields format = fields.object("response_format");
        String grammar = fields.string("grammar");
        OutputFormat byGrammar = grammar == null || grammar.isEmpty()
                ? null
                : OutputFormat.newBuilder().setGrammar(grammar).build();
        boolean bare = fields.object("json_schema") != null;
        if (format == null) {
            return bare ? jsonSchema(String.valueOf(fields.any("json_schema"))) : byGrammar;
        }
        String type = format.oneOf("type", Text.ordered("text", "json_object", "json_schema"));
        if (byGrammar != null && type != null && !type.equals("text")) {
            throw RequestError.badValue("grammar", "given with response_format (expected: one of them)");
        }
        if (type == null) {
            throw format.bad("type", null, "text, json_object or json_schema");
        }
        return switch (type) {
            case "json_object" -> {
                JsonNode schema = schema(format);
                yield jsonSchema(schema == null ? "{\"type\":\"object\"}" : schema.toString());
            }
            case "json_schema" -> {
                Fields named = format.object("json_schema");
                JsonNode schema = schema(named == null ? format : named);
                if (schema == null) {
                    throw format.bad("json_schema", null, "an object with a schema");
                }
                yield jsonSchema(schema.toString());
            }
            default -> byGrammar;
        };
    }

    private static @Nullable JsonNode schema(Fields fields) {
        JsonNode schema = fields.any("schema");
        if (schema != null && !schema.isObject() && !schema.isBoolean()) {
            throw fields.bad("schema", schema, "a JSON schema");
        }
        return schema;
    }

    private static OutputFormat jsonSchema(String schema) {
        return OutputFormat.newBuilder().setJsonSchema(schema).build();
    }
}
