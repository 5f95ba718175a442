package dev.chasqui.node.grpc;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
 * is refused by its name, so that the text does fit the schema.
 */
final class AnswerSchema {
    static final int MOST_REPETITIONS = 2000;
    private static final int MOST_BYTES = 256 << 10;
    private static final int MOST_DEPTH = 100;
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

    private static final Set<String> OF_ALL = Set.of(
            "$ref",
            "$dynamicRef",
            "$recursiveRef",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "const",
            "enum");
    private static final Map<String, Set<String>> OF_TYPE = Map.of(
            "object",
            Set.of(
                    "properties",
                    "required",
                    "additionalProperties",
                    "patternProperties",
                    "propertyNames",
                    "minProperties",
                    "maxProperties",
                    "dependencies",
                    "dependentRequired",
                    "dependentSchemas",
                    "unevaluatedProperties"),
            "array",
            Set.of(
                    "items",
                    "prefixItems",
                    "additionalItems",
                    "contains",
                    "minContains",
                    "maxContains",
                    "minItems",
                    "maxItems",
                    "uniqueItems",
                    "unevaluatedItems"),
            "string",
            Set.of("pattern", "minLength", "maxLength"),
            "number",
            Set.of("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"));
    private static final Set<String> FORMATS =
            Set.of("date", "time", "date-time", "uuid", "uuid1", "uuid2", "uuid3", "uuid4", "uuid5");

    private final JsonNode root;
    private final String field;
    private final boolean exact;
    private final Map<JsonNode, Boolean> seen = new IdentityHashMap<>();
    private final Map<JsonNode, Integer> readings = new IdentityHashMap<>();
    private final Map<String, String> refs = new HashMap<>();
    private int nodes;

    private AnswerSchema(JsonNode root, String field, boolean exact) {
        this.root = root;
        this.field = field;
        this.exact = exact;
    }

    /** The form of an answer: whatever the grammar could not hold is refused. */
    static JsonNode exact(String schema, String field) {
        return read(schema, field, true);
    }

    /** What a tool takes: bounded, but keywords that a grammar cannot hold are left to the model, which reads them. */
    static JsonNode bounded(String schema, String field) {
        return read(schema, field, false);
    }

    private static JsonNode read(String schema, String field, boolean exact) {
        int bytes = schema.getBytes(StandardCharsets.UTF_8).length;
        InvalidRequest.require(bytes <= MOST_BYTES, field, bytes + " bytes", "at most " + MOST_BYTES);
        JsonNode root;
        try {
            root = JSON.readTree(schema);
        } catch (JacksonException e) {
            throw new InvalidRequest(field, "not shown", "a JSON text; " + e.getOriginalMessage());
        }
        AnswerSchema reader = new AnswerSchema(root, field, exact);
        reader.node(root, "#", 0);
        return root;
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
        simplify(schema);
        countReadings(schema, path);
        bounds(schema, path);
        if (exact) {
            keywords(schema, path);
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
    private @Nullable JsonNode target(ObjectNode schema, String path) {
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
        JsonNode values = schema.get("enum");
        if (values != null) {
            require(
                    values.isArray() && values.size() >= 1 && values.size() <= MOST_VALUES,
                    path,
                    "enum",
                    "1 to " + MOST_VALUES + " values");
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
        } catch (SchemaPattern.Unknown e) {
            throw new InvalidRequest(field, "pattern at " + shown(path), String.valueOf(e.getMessage()));
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
        if (value.asInt() > MOST_REPETITIONS) {
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

    // --- what the converter would drop

    private void keywords(ObjectNode schema, String path) {
        Set<String> dropped = new HashSet<>(constraints(schema));
        dropped.removeAll(held(schema, path));
        dropped.removeIf(key -> idle(schema, key));
        require(
                dropped.isEmpty(),
                path,
                dropped.stream().sorted().findFirst().orElse(""),
                "no such keyword in this place");
        Set<String> names = new HashSet<>();
        if (schema.get("properties") instanceof ObjectNode properties) {
            properties.propertyNames().forEach(names::add);
        }
        boolean object = schema.has("properties") || types(schema).contains("object");
        boolean others = schema.has("additionalProperties")
                && !schema.get("additionalProperties")
                        .equals(JSON.getNodeFactory().booleanNode(false));
        if (object && !schema.has("allOf")) {
            require(names.containsAll(required(schema)), path, "required", "names that are among the properties");
            boolean plain = names.stream().allMatch(name -> name.matches("[A-Za-z0-9_ ]+"));
            require(!others || plain, path, "additionalProperties", "names of letters, digits, _ and spaces beside it");
        }
    }

    /** The keywords of a node that restrict its values. */
    private static Set<String> constraints(ObjectNode schema) {
        Set<String> types = types(schema);
        Set<String> present = new HashSet<>();
        for (String key : schema.propertyNames()) {
            boolean matters = OF_ALL.contains(key)
                    || OF_TYPE.entrySet().stream()
                            .anyMatch(of -> of.getValue().contains(key)
                                    && (types.isEmpty()
                                            || types.contains(of.getKey())
                                            || of.getKey().equals("number") && types.contains("integer")));
            if (matters) {
                present.add(key);
            }
        }
        return present;
    }

    /** Those of them that the converter holds, which looks for the first that fits. */
    private Set<String> held(ObjectNode schema, String path) {
        if (schema.has("$ref")) {
            require(!schema.has("type"), path, "type", "no type beside $ref");
            return Set.of("$ref");
        }
        if (schema.has("oneOf") || schema.has("anyOf")) {
            String key = schema.has("oneOf") ? "oneOf" : "anyOf";
            boolean typed = true;
            for (JsonNode alternative : schema.get(key)) {
                Set<String> own = alternative instanceof ObjectNode one ? types(one) : Set.of();
                typed &= !own.isEmpty() && types(schema).containsAll(own);
            }
            require(typed || !schema.has("type"), path, "type", "no type beside " + key + ", or the same in each");
            return Set.of(key);
        }
        if (schema.has("const") || schema.has("enum")) {
            String key = schema.has("const") ? "const" : "enum";
            valuesFit(schema, key, path);
            return Set.of(key);
        }
        Set<String> types = types(schema);
        Set<String> held = new HashSet<>();
        boolean properties = schema.has("properties") || schema.has("additionalProperties");
        if (schema.has("allOf") && !properties) {
            allOf(schema, path);
            return Set.of("allOf");
        }
        if (types.contains("object") || types.isEmpty() && properties) {
            held.addAll(Set.of("properties", "required", "additionalProperties"));
        }
        boolean items = schema.has("items") || schema.has("prefixItems");
        if (types.contains("array") || types.isEmpty() && !properties && items) {
            held.addAll(arrayHeld(schema));
        }
        if (types.contains("string") || types.isEmpty() && !properties && !items) {
            held.addAll(stringHeld(schema));
        }
        if (types.contains("integer") && !types.contains("number")) {
            held.add(schema.has("minimum") ? "minimum" : "exclusiveMinimum");
            held.add(schema.has("maximum") ? "maximum" : "exclusiveMaximum");
        }
        return held;
    }

    private static Set<String> arrayHeld(ObjectNode schema) {
        JsonNode items = schema.has("items") ? schema.get("items") : schema.get("prefixItems");
        String key = schema.has("items") ? "items" : "prefixItems";
        if (items == null || !items.isArray()) {
            return Set.of("items", "minItems", "maxItems");
        }
        Set<String> held = new HashSet<>(Set.of(key));
        int size = items.size();
        if (schema.path("minItems").asInt(0) <= size) {
            held.add("minItems");
        }
        if (schema.path("maxItems").asInt(size) >= size) {
            held.add("maxItems");
        }
        return held;
    }

    private static Set<String> stringHeld(ObjectNode schema) {
        if (schema.has("pattern")) {
            return Set.of("pattern");
        }
        return FORMATS.contains(schema.path("format").asString("")) ? Set.of() : Set.of("minLength", "maxLength");
    }

    /** Several schemas at once are held where they are objects with properties of their own. */
    private void allOf(ObjectNode schema, String path) {
        Set<String> names = new HashSet<>();
        Set<String> wanted = new HashSet<>(required(schema));
        for (JsonNode part : schema.get("allOf")) {
            ObjectNode object = plainObject(part, path);
            wanted.addAll(required(object));
            for (String name : object.get("properties").propertyNames()) {
                require(names.add(name), path, "allOf", "objects without a property in common");
            }
        }
        require(names.containsAll(wanted), path, "required", "names that are among the properties");
    }

    private ObjectNode plainObject(JsonNode part, String path) {
        JsonNode object = part;
        for (int i = 0; i < MOST_DEPTH && object instanceof ObjectNode one && one.has("$ref"); i++) {
            object = target(one, path);
        }
        if (object instanceof ObjectNode one
                && one.get("properties") instanceof ObjectNode
                && Set.of("properties", "required").containsAll(constraints(one))) {
            return one;
        }
        throw new InvalidRequest(field, "allOf at " + shown(path), "objects with properties, or one schema");
    }

    private void valuesFit(ObjectNode schema, String key, String path) {
        Set<String> types = types(schema);
        List<JsonNode> values = new ArrayList<>();
        if (key.equals("const")) {
            values.add(schema.get(key));
        } else {
            schema.get(key).forEach(values::add);
        }
        for (JsonNode value : values) {
            boolean fits = types.isEmpty()
                    || types.contains(typeOf(value))
                    || value.isIntegralNumber() && types.contains("number");
            require(fits, path, key, "values of the type that it names");
        }
        require(!(schema.has("const") && schema.has("enum")), path, "const and enum", "one of them");
    }

    private static String typeOf(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "object";
            case ARRAY -> "array";
            case STRING -> "string";
            case BOOLEAN -> "boolean";
            case NULL -> "null";
            default -> value.isIntegralNumber() ? "integer" : "number";
        };
    }

    /** Whether a keyword restricts nothing as it stands. */
    private static boolean idle(ObjectNode schema, String key) {
        JsonNode value = schema.get(key);
        return switch (key) {
            case "uniqueItems" -> value.isBoolean() && !value.asBoolean();
            case "minItems", "minLength", "minProperties", "minContains" -> value.isNumber() && value.asDouble() == 0;
            case "required" -> value.isArray() && value.isEmpty();
            case "then", "else" -> !schema.has("if");
            default -> false;
        };
    }

    private static Set<String> types(ObjectNode schema) {
        JsonNode type = schema.get("type");
        Set<String> types = new HashSet<>();
        if (type != null && type.isString()) {
            types.add(type.asString());
        } else if (type != null && type.isArray()) {
            type.forEach(one -> types.add(one.asString("")));
        }
        return types;
    }

    private static Set<String> required(ObjectNode schema) {
        Set<String> names = new HashSet<>();
        if (schema.get("required") instanceof ArrayNode required) {
            required.forEach(one -> names.add(one.asString("")));
        }
        return names;
    }

    private void require(boolean holds, String path, String what, String expected) {
        if (!holds) {
            throw new InvalidRequest(field, what + " at " + shown(path), expected);
        }
    }

    private static String shown(String path) {
        return path.length() > 200 ? path.substring(0, 200) + "…" : path;
    }
}
