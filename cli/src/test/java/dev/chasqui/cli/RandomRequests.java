package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Requests that an OpenAPI description allows, and such that it does not: each is made by chance from a seed, so that one
 * that found something can be made again.
 */
final class RandomRequests {
    /** One thing that can be asked, as it is described. */
    record Operation(String method, String path, JsonNode node) {}

    /**
     * A request as it goes out.
     *
     * @param target path and query
     * @param body empty for none
     */
    record Made(Operation operation, String target, String contentType, byte[] body) {
        @Override
        public String toString() {
            String text = new String(body, UTF_8);
            return operation.method() + " " + target + " " + contentType + " "
                    + (text.length() > 1000 ? text.substring(0, 1000) + "…" : text);
        }
    }

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int DEEPEST = 6;
    private static final List<String> TEXTS = List.of(
            "", "a", "Say hello.", "Grüße 🌄", "x".repeat(200), "\u0000\u0007", "{\"a\":1}", "<|im_end|>", "[1,2]");
    /** What no field of a request takes, as it stands in JSON. */
    private static final List<String> ODD = List.of(
            "null",
            "1e400",
            "-1",
            "18446744073709551616",
            "0.1",
            "true",
            "\"\"",
            "\"\\ud800\"",
            "\"" + "y".repeat(70_000) + "\"",
            "[]",
            "{}",
            "[[]]",
            "{\"\":{}}",
            "[".repeat(99) + "]".repeat(99),
            "[".repeat(2000) + "]".repeat(2000),
            "[" + "7,".repeat(20_000) + "7]",
            "1" + "0".repeat(2000));
    /** What would make an answer long, and so the run. */
    private static final Set<String> LENGTHS = Set.of("max_tokens", "max_completion_tokens", "max_output_tokens");

    private final JsonNode description;
    private final Random random;
    private final String model;

    /** @param model the name of one that is there */
    RandomRequests(JsonNode description, String model, long seed) {
        this.description = description;
        this.model = model;
        this.random = new Random(seed);
    }

    static List<Operation> operations(JsonNode description) {
        List<Operation> operations = new ArrayList<>();
        description
                .get("paths")
                .forEachEntry((path, methods) -> methods.forEachEntry(
                        (method, node) -> operations.add(new Operation(method.toUpperCase(Locale.ROOT), path, node))));
        return operations;
    }

    Made next(Operation operation) {
        JsonNode content = operation.node().at("/requestBody/content/application~1json");
        byte[] body = content.isMissingNode() ? new byte[0] : body(content);
        boolean odd = chance(0.05);
        return new Made(operation, target(operation), odd ? "text/plain" : "application/json", body);
    }

    // --- the way to it

    private String target(Operation operation) {
        String path = operation.path();
        StringBuilder query = new StringBuilder();
        for (JsonNode parameter : operation.node().path("parameters")) {
            String name = parameter.get("name").asString();
            String in = parameter.get("in").asString();
            if (in.equals("path")) {
                path = path.replace("{" + name + "}", encoded(name(operation)));
            } else if (in.equals("query") && chance(0.4)) {
                String value =
                        chance(0.3) ? text() : value(parameter.get("schema"), 0).asString("");
                query.append(query.isEmpty() ? "?" : "&")
                        .append(name)
                        .append("=")
                        .append(encoded(value));
            }
        }
        return path + query;
    }

    /** What changes models on disk never gets the name of one. */
    private String name(Operation operation) {
        boolean reads = operation.method().equals("GET");
        return reads && chance(0.5) ? model : "none-" + random.nextInt(1000) + (chance(0.3) ? "/ü%" : "");
    }

    private static String encoded(String value) {
        return URLEncoder.encode(value, UTF_8).replace("+", "%20");
    }

    // --- what it says

    private byte[] body(JsonNode content) {
        JsonNode body = content.get("example").deepCopy();
        JsonNode schema = content.get("schema");
        if (chance(0.3)) {
            body = value(schema, 0);
        } else if (body instanceof ObjectNode object) {
            for (Map.Entry<String, JsonNode> property : properties(schema).entrySet()) {
                if (chance(0.1)) {
                    object.set(property.getKey(), value(property.getValue(), 1));
                }
            }
        }
        if (body instanceof ObjectNode object) {
            keepShort(object, properties(schema).keySet());
        }
        String text = body.toString();
        return chance(0.5) ? damaged(text, body) : text.getBytes(UTF_8);
    }

    private void keepShort(ObjectNode body, Set<String> known) {
        for (String length : LENGTHS) {
            if (known.contains(length)) {
                body.put(length, 1 + random.nextInt(4));
            }
        }
        if (body.path("n").isNumber()) {
            body.put("n", 2);
        }
    }

    private byte[] damaged(String text, JsonNode body) {
        int kind = random.nextInt(8);
        if (kind == 0) {
            return text.substring(0, random.nextInt(text.length() + 1)).getBytes(UTF_8);
        }
        if (kind == 1) {
            byte[] bytes = text.getBytes(UTF_8);
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            return bytes;
        }
        if (kind == 2 && body.isObject() && !body.isEmpty()) {
            String name = pick(List.copyOf(body.propertyNames()));
            return ("{\"" + name + "\":" + pick(ODD) + "," + text.substring(1)).getBytes(UTF_8);
        }
        return replaced(body, pick(ODD)).getBytes(UTF_8);
    }

    /** One value somewhere in it is another; lengths stay, so that no answer becomes long. */
    private String replaced(JsonNode body, String odd) {
        String mark = "\"the place " + random.nextLong() + "\"";
        JsonNode at = body;
        while (true) {
            List<JsonNode> deeper = at.valueStream()
                    .filter(JsonNode::isContainer)
                    .filter(n -> !n.isEmpty())
                    .toList();
            if (deeper.isEmpty() || chance(0.4)) {
                break;
            }
            at = pick(deeper);
        }
        String place = mark.substring(1, mark.length() - 1);
        if (at instanceof ObjectNode object && !object.isEmpty()) {
            String name = pick(List.copyOf(object.propertyNames()));
            if (!LENGTHS.contains(name)) {
                object.put(name, place);
            }
        } else if (at instanceof ArrayNode array && !array.isEmpty()) {
            array.set(random.nextInt(array.size()), JSON.stringNode(place));
        } else {
            return odd;
        }
        return body.toString().replace(mark, odd);
    }

    // --- values that a schema allows

    private JsonNode value(JsonNode unresolved, int depth) {
        JsonNode schema = resolved(unresolved);
        if (schema.has("anyOf") && !schema.has("properties")) {
            return value(pick(schema.get("anyOf").valueStream().toList()), depth);
        }
        if (schema.has("enum")) {
            return pick(schema.get("enum").valueStream().toList());
        }
        if (schema.has("allOf")) {
            return object(schema, depth);
        }
        JsonNode type = schema.path("type");
        return switch (type.isArray() ? pick(type.valueStream().toList()).asString() : type.asString("")) {
            case "object" -> object(schema, depth);
            case "array" -> array(schema, depth);
            case "string" -> JSON.stringNode(text());
            case "integer" -> JSON.numberNode(integer(schema));
            case "number" -> JSON.numberNode(number(schema));
            case "boolean" -> JSON.booleanNode(random.nextBoolean());
            case "null" -> JSON.nullNode();
            default -> JSON.numberNode(random.nextInt(100));
        };
    }

    private ObjectNode object(JsonNode schema, int depth) {
        ObjectNode object = JSON.objectNode();
        Set<String> required = new HashSet<>();
        required(schema, required);
        for (Map.Entry<String, JsonNode> property : properties(schema).entrySet()) {
            if (required.contains(property.getKey()) || depth < DEEPEST && chance(0.25)) {
                object.set(property.getKey(), value(property.getValue(), depth + 1));
            }
        }
        if (schema.has("additionalProperties") && chance(0.5)) {
            object.put("type", "object");
        }
        return object;
    }

    private ArrayNode array(JsonNode schema, int depth) {
        ArrayNode array = JSON.arrayNode();
        int size = depth < DEEPEST ? random.nextInt(4) : 0;
        for (int i = 0; i < size; i++) {
            array.add(value(schema.path("items"), depth + 1));
        }
        return array;
    }

    private long integer(JsonNode schema) {
        long least = schema.path("minimum").asLong(-5);
        long most = schema.path("maximum").asLong(least + 40);
        return switch (random.nextInt(4)) {
            case 0 -> least;
            case 1 -> most;
            default -> least + (long) (random.nextDouble() * Math.min(40, most - least));
        };
    }

    private double number(JsonNode schema) {
        double least = schema.path("minimum").asDouble(-5);
        double most = schema.path("maximum").asDouble(least + 10);
        return least + (most - least) * (chance(0.3) ? Math.rint(random.nextDouble()) : random.nextDouble());
    }

    private String text() {
        return pick(TEXTS);
    }

    private Map<String, JsonNode> properties(JsonNode unresolved) {
        JsonNode schema = resolved(unresolved);
        Map<String, JsonNode> properties = new LinkedHashMap<>();
        schema.path("allOf").forEach(part -> properties.putAll(properties(part)));
        schema.path("properties").forEachEntry(properties::put);
        return properties;
    }

    private void required(JsonNode unresolved, Set<String> names) {
        JsonNode schema = resolved(unresolved);
        schema.path("allOf").forEach(part -> required(part, names));
        schema.path("required").forEach(name -> names.add(name.asString()));
    }

    private JsonNode resolved(JsonNode schema) {
        return schema.has("$ref") ? description.at(schema.get("$ref").asString().substring(1)) : schema;
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private <T> T pick(List<T> some) {
        return some.get(random.nextInt(some.size()));
    }
}
