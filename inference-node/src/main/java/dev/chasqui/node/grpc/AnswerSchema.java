package dev.chasqui.node.grpc;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A JSON schema from a request, as llama.cpp's converter takes it. The converter drops what a grammar cannot hold without a
 * word, and some schemas lead it astray; here a schema is bounded, and for an answer's form every keyword that would be dropped
 * is refused by its name ({@link HeldKeywords}), so that the text does fit the schema.
 */
final class AnswerSchema {
    static final int MOST_REPETITIONS = 2000;
    private static final int MOST_BYTES = 256 << 10;
    static final int MOST_DEPTH = 100;
    private static final int MOST_NODES = 4096;
    private static final int MOST_VALUES = 1000;
    private static final int MOST_OPTIONAL = 200;
    private static final int MOST_NAME = 256;
    private static final int MOST_PATH = 8192;
    private static final int MOST_READINGS = 10_000;
    private static final long MOST_BOUND = 1_000_000_000_000_000L;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final JsonNode root;
    private final String field;
    private final boolean exact;
    private final Map<JsonNode, Boolean> seen = new IdentityHashMap<>();
    private final Map<JsonNode, Integer> readings = new IdentityHashMap<>();
    private final Map<String, String> refs = new HashMap<>();
    private final HeldKeywords keywords = new HeldKeywords(this);
    private int nodes;

    private AnswerSchema(JsonNode root, String field, boolean exact) {
        this.root = root;
        this.field = field;
        this.exact = exact;
    }

    /** The form of an answer: whatever the grammar could not hold is refused. */
    static HeldSchema exact(String schema, String field) {
        return read(schema, field, true);
    }

    /** What a tool takes: bounded, but keywords that a grammar cannot hold are left to the model, which reads them. */
    static JsonNode bounded(String schema, String field) {
        return read(schema, field, false).schema();
    }

    private static HeldSchema read(String schema, String field, boolean exact) {
        int bytes = schema.getBytes(StandardCharsets.UTF_8).length;
        InvalidRequest.require(bytes <= MOST_BYTES, field, bytes + " bytes", "at most " + MOST_BYTES);
        JsonNode root;
        try {
            root = JSON.readTree(schema);
        } catch (JacksonException e) {
            throw new InvalidRequest(field, "not shown", "a JSON text; " + e.getOriginalMessage());
        }
        RootReference.name(root);
        AnswerSchema reader = new AnswerSchema(root, field, exact);
        reader.node(root, "#", 0);
        return new HeldSchema(root, reader.keywords.ownRules(), field);
    }

    // --- one node and those below it

    private void node(JsonNode value, String path, int depth) {
        if (seen.put(value, true) != null) {
            return;
        }
        require(path.length() <= MOST_PATH, "#", "long names", "names that are shorter in all");
        require(depth <= MOST_DEPTH, "#", "nested deeper", "at most " + MOST_DEPTH + " levels");
        require(++nodes <= MOST_NODES, "#", "more schemas", "at most " + MOST_NODES);
        require(value.isObject(), path, "no object", "a schema");
        ObjectNode schema = (ObjectNode) value;
        if (!exact) {
            RelaxedSchema.relax(schema);
        }
        simplify(schema);
        if (exact) {
            keywords.narrow(schema, path);
        }
        countReadings(schema, path);
        bounds(schema, path);
        if (exact) {
            keywords.check(schema, path);
        }
        children(schema, path, depth);
    }

    private void children(ObjectNode schema, String path, int depth) {
        for (String key : List.of("properties", "$defs", "definitions")) {
            JsonNode named = schema.get(key);
            if (named != null && named.isObject()) {
                named.properties().forEach(one -> {
                    require(
                            one.getKey().length() <= MOST_NAME,
                            path,
                            "a name of " + one.getKey().length() + " characters",
                            "at most " + MOST_NAME);
                    node(one.getValue(), path + "/" + key + "/" + one.getKey(), depth + 1);
                });
            }
        }
        for (String key : List.of("anyOf", "oneOf", "allOf", "items", "prefixItems")) {
            JsonNode listed = schema.get(key);
            if (listed != null && listed.isArray()) {
                for (int i = 0; i < listed.size(); i++) {
                    node(listed.get(i), path + "/" + key + "/" + i, depth + 1);
                }
            } else if (listed != null && key.equals("items")) {
                node(listed, path + "/items", depth + 1);
            }
        }
        JsonNode additional = schema.get("additionalProperties");
        if (additional != null && additional.isObject()) {
            node(additional, path + "/additionalProperties", depth + 1);
        }
        JsonNode target = target(schema, path);
        if (target == null && !exact) {
            schema.remove("$ref");
        }
        if (target != null) {
            node(target, schema.get("$ref").asString(), depth + 1);
        }
    }

    /** Writes in the converter's words what it knows by another: {@code true} for any value, one schema in {@code allOf}. */
    private static void simplify(ObjectNode schema) {
        JsonNode all = schema.get("allOf");
        if (all != null && all.isArray() && all.size() == 1 && all.get(0).isObject() && !schema.has("$ref")) {
            schema.remove("allOf");
            schema.set("anyOf", JSON.createArrayNode().add(all.get(0)));
        }
        if (JSON.getNodeFactory().booleanNode(true).equals(schema.get("items"))) {
            schema.putObject("items");
        }
        if (schema.get("properties") instanceof ObjectNode named) {
            named.properties().forEach(one -> {
                if (one.getValue().isBoolean() && one.getValue().asBoolean()) {
                    one.setValue(JSON.createObjectNode());
                }
            });
        }
    }

    // --- what would lead the converter astray

    /** Where a reference leads; null: nowhere that the converter finds either, which it says itself. */
    @Nullable
    JsonNode target(ObjectNode schema, String path) {
        JsonNode ref = schema.get("$ref");
        if (ref == null || !ref.isString() || !ref.asString().startsWith("#/")) {
            return null;
        }
        String text = ref.asString();
        String other = refs.putIfAbsent(text.replaceAll("[^a-zA-Z0-9-]+", "-"), text);
        require(other == null || other.equals(text), path, "$ref", "names that differ in letters or digits");
        JsonNode found = root;
        for (String step : text.substring(2).split("/", -1)) {
            found = found == null
                    ? null
                    : found.isArray() && step.matches("[0-9]{1,6}")
                            ? found.get(Integer.parseInt(step))
                            : found.get(step);
        }
        return found;
    }

    /** In how many ways a value can be read as alternatives of alternatives; a schema that leads to itself has no value. */
    private int countReadings(@Nullable JsonNode schema, String path) {
        if (!(schema instanceof ObjectNode object)) {
            return 1;
        }
        Integer known = readings.putIfAbsent(object, 0);
        if (known != null) {
            require(known > 0, path, "a schema that leads to itself", "a value in it");
            return known;
        }
        long count = countReadings(target(object, path), path) - 1L;
        for (String key : List.of("anyOf", "oneOf", "allOf")) {
            if (object.get(key) instanceof ArrayNode alternatives) {
                for (JsonNode alternative : alternatives) {
                    count += countReadings(alternative, path);
                }
            }
        }
        require(count < MOST_READINGS, path, "alternatives of alternatives", "at most " + MOST_READINGS);
        readings.put(object, (int) count + 1);
        return (int) count + 1;
    }

    private void bounds(ObjectNode schema, String path) {
        if (schema.path("enum").isNull()) {
            schema.remove("enum"); // as some programs write what is absent
        }
        JsonNode values = schema.get("enum");
        if (values != null) {
            require(
                    values.isArray() && values.size() >= 1 && values.size() <= MOST_VALUES,
                    path,
                    "enum",
                    "1 to " + MOST_VALUES + " values");
        }
        for (String key : List.of("anyOf", "oneOf", "allOf")) {
            boolean some = !(schema.get(key) instanceof ArrayNode listed) || !listed.isEmpty();
            require(some, path, key, "at least one schema in it");
        }
        pair(schema, path, "minLength", "maxLength");
        pair(schema, path, "minItems", "maxItems");
        integerBounds(schema, path);
        JsonNode properties = schema.get("properties");
        if (properties != null && properties.isObject()) {
            long optional = properties.size()
                    - required(schema).stream().filter(properties::has).count();
            require(optional <= MOST_OPTIONAL, path, optional + " optional properties", "at most " + MOST_OPTIONAL);
        }
        JsonNode pattern = schema.get("pattern");
        if (pattern != null && pattern.isString()) {
            pattern(schema, path, pattern.asString());
        }
    }

    private void pattern(ObjectNode schema, String path, String pattern) {
        if (!exact) {
            // The model reads the schema, so it is told in words what it would not understand as the converter wants
            // it.
            schema.remove("pattern");
            schema.put("description", (schema.path("description").asString("") + " Pattern: " + pattern).strip());
            return;
        }
        try {
            schema.put("pattern", SchemaPattern.of(pattern));
            if (schema.has("minLength") || schema.has("maxLength")) {
                String within = SchemaPattern.within(
                        schema.get("pattern").asString(),
                        schema.path("minLength").asInt(0),
                        schema.path("maxLength").asInt(MOST_REPETITIONS));
                schema.put("pattern", within).remove(List.of("minLength", "maxLength"));
            }
        } catch (SchemaPattern.Unknown e) {
            throw refusal(path, "pattern", String.valueOf(e.getMessage()));
        }
    }

    private void pair(ObjectNode schema, String path, String least, String most) {
        int min = count(schema, path, least, 0);
        int max = count(schema, path, most, Integer.MAX_VALUE);
        require(min <= max, path, least + " over " + most, "the smaller number as " + least);
    }

    private int count(ObjectNode schema, String path, String key, int absent) {
        JsonNode value = schema.get(key);
        if (value == null) {
            return absent;
        }
        boolean fits = value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 0;
        require(fits, path, key, "a number from 0 to " + MOST_REPETITIONS);
        if (value.asInt() > MOST_REPETITIONS && !(exact && key.equals("maxLength"))) {
            require(!exact, path, key, "at most " + MOST_REPETITIONS);
            schema.remove(key);
            return absent;
        }
        return value.asInt();
    }

    private void integerBounds(ObjectNode schema, String path) {
        for (String key : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
            JsonNode value = schema.get(key);
            if (value == null || value.isNumber() && Math.abs(value.doubleValue()) <= MOST_BOUND) {
                continue;
            }
            boolean lower = key.toLowerCase(Locale.ROOT).endsWith("minimum");
            if (value.isNumber() && lower == (value.doubleValue() < 0)) {
                // So wide a bound is mostly "any integer" in the words of some language; a closer one holds it too.
                schema.put(key, lower ? -MOST_BOUND : MOST_BOUND);
            } else {
                require(!exact, path, key, "a number from -10^15 to 10^15");
                schema.remove(key);
            }
        }
        double min = schema.has("minimum")
                ? Math.ceil(schema.get("minimum").asDouble())
                : schema.has("exclusiveMinimum")
                        ? Math.floor(schema.get("exclusiveMinimum").asDouble()) + 1
                        : -MOST_BOUND;
        double max = schema.has("maximum")
                ? Math.floor(schema.get("maximum").asDouble())
                : schema.has("exclusiveMaximum")
                        ? Math.ceil(schema.get("exclusiveMaximum").asDouble()) - 1
                        : MOST_BOUND;
        require(
                min <= max || !types(schema).contains("integer"),
                path,
                "minimum over maximum",
                "a number between them");
    }

    static Set<String> types(ObjectNode schema) {
        JsonNode type = schema.get("type");
        Set<String> types = new HashSet<>();
        if (type != null && type.isString()) {
            types.add(type.asString());
        } else if (type != null && type.isArray()) {
            type.forEach(one -> types.add(one.asString("")));
        }
        return types;
    }

    static Set<String> required(ObjectNode schema) {
        Set<String> names = new HashSet<>();
        if (schema.get("required") instanceof ArrayNode required) {
            required.forEach(one -> names.add(one.asString("")));
        }
        return names;
    }

    void require(boolean holds, String path, String what, String expected) {
        if (!holds) {
            throw refusal(path, what, expected);
        }
    }

    InvalidRequest refusal(String path, String what, String expected) {
        return new InvalidRequest(field, what + " at " + shown(path), expected);
    }

    private static String shown(String path) {
        return path.length() > 200 ? path.substring(0, 200) + "…" : path;
    }
}
