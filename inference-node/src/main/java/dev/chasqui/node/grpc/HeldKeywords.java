package dev.chasqui.node.grpc;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which of a schema's keywords llama.cpp's converter makes part of the grammar, as it drops the others without a word, and which of
 * those we hold ourselves.
 */
final class HeldKeywords {
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
            OwnRules.OF_NUMBERS);
    private static final Set<String> FORMATS =
            Set.of("date", "time", "date-time", "uuid", "uuid1", "uuid2", "uuid3", "uuid4", "uuid5");

    private static final String LABEL = "[A-Za-z0-9]{1,20}(-[A-Za-z0-9]{1,20}){0,2}";
    private static final String NAME = "[A-Za-z0-9_%+-]{1,20}";
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final String COUNT = "[0-9]{1,4}";

    /** Formats that the converter does not know: patterns of such texts, if not of all, that come to an end. */
    private static final Map<String, String> PATTERNS = Map.of(
            "email",
            "^" + NAME + "(\\." + NAME + "){0,2}@(" + LABEL + "\\.){1,3}[A-Za-z]{2,24}$",
            "hostname",
            "^" + LABEL + "(\\." + LABEL + "){0,4}$",
            "ipv4",
            "^(" + OCTET + "\\.){3}" + OCTET + "$",
            "ipv6",
            "^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$",
            "duration",
            "^P(N(W|Y(NM)?(ND)?|M(ND)?|D(TNH)?)|TN(H(NM)?(NS)?|M(NS)?|S))$".replace("N", COUNT));

    private final AnswerSchema whole;
    private final OwnRules own = new OwnRules();
    private final OneOf oneOf;

    HeldKeywords(AnswerSchema whole) {
        this.whole = whole;
        this.oneOf = new OneOf(schema -> whole.target(schema, "#"));
    }

    /** What holds what the converter cannot, once all schemas are checked; see {@link HeldSchema}. */
    Map<String, String> ownRules() {
        return own.placed();
    }

    /** Says in words that are held what others say, or a little more. */
    void narrow(ObjectNode schema, String path) {
        if (schema.get("prefixItems") instanceof ArrayNode && !(schema.get("items") instanceof ArrayNode)) {
            schema.remove("items"); // of what may follow there is none
        }
        if (schema.get("items") instanceof ArrayNode) {
            schema.remove("additionalItems");
        }
        String pattern = PATTERNS.get(schema.path("format").asString(""));
        boolean free = !schema.has("pattern") && !schema.has("minLength") && !schema.has("maxLength");
        if (pattern != null && free && AnswerSchema.types(schema).equals(Set.of("string"))) {
            schema.put("pattern", pattern);
        }
        JsonNode names = schema.get("propertyNames");
        for (int i = 0; i < AnswerSchema.MOST_DEPTH && names instanceof ObjectNode one && one.has("$ref"); i++) {
            names = whole.target(one, path);
        }
        if (names instanceof ObjectNode one && Set.of("string").containsAll(AnswerSchema.types(one))) {
            propertyNames(schema, one);
        }
    }

    /** Any names, or a list of them, which then are the properties. */
    private static void propertyNames(ObjectNode schema, ObjectNode names) {
        Set<String> said = constraints(names);
        if (said.isEmpty()) {
            schema.remove("propertyNames");
        } else if (said.equals(Set.of("enum"))
                && !schema.has("properties")
                && names.get("enum").isArray()) {
            JsonNode value = schema.get("additionalProperties");
            boolean any = value == null || value.isBoolean() && value.asBoolean();
            JsonNode each = any ? JsonNodeFactory.instance.objectNode() : value;
            ObjectNode properties = JsonNodeFactory.instance.objectNode();
            for (JsonNode name : names.get("enum")) {
                if (name.isString()) {
                    properties.set(name.stringValue(), each);
                }
            }
            schema.remove("propertyNames");
            schema.set("properties", properties);
            schema.put("additionalProperties", false);
        }
    }

    /** Refuses a schema with a keyword that a grammar cannot hold. The schemas below it are not looked at. */
    void check(ObjectNode schema, String path) {
        Set<String> dropped = new HashSet<>(constraints(schema));
        dropped.removeAll(held(schema, path));
        dropped.removeIf(key -> idle(schema, key));
        whole.require(
                dropped.isEmpty(),
                path,
                dropped.stream().sorted().findFirst().orElse(""),
                "no such keyword in this place");
        Set<String> names = new HashSet<>();
        if (schema.get("properties") instanceof ObjectNode properties) {
            properties.propertyNames().forEach(names::add);
        }
        boolean object = schema.has("properties") || AnswerSchema.types(schema).contains("object");
        boolean others = schema.has("additionalProperties")
                && !schema.get("additionalProperties").equals(JsonNodeFactory.instance.booleanNode(false));
        if (object && !schema.has("allOf")) {
            whole.require(
                    names.containsAll(AnswerSchema.required(schema)),
                    path,
                    "required",
                    "names that are among the properties");
            boolean plain = names.stream().allMatch(name -> name.matches("[A-Za-z0-9_ ]+"));
            whole.require(
                    !others || plain, path, "additionalProperties", "names of letters, digits, _ and spaces beside it");
        }
    }

    /** The keywords of a node that restrict its values. */
    private static Set<String> constraints(ObjectNode schema) {
        Set<String> types = AnswerSchema.types(schema);
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
            whole.require(!schema.has("type"), path, "type", "no type beside $ref");
            return Set.of("$ref");
        }
        if (schema.has("oneOf") || schema.has("anyOf")) {
            String key = schema.has("oneOf") ? "oneOf" : "anyOf";
            boolean fits = !schema.has("type") || alternativesHaveItsType(schema, key);
            whole.require(fits, path, "type", "no type beside " + key + ", or the same in each");
            if (key.equals("oneOf")) {
                exclusive(schema.get(key), path);
            }
            return Set.of(key);
        }
        if (schema.has("const") || schema.has("enum")) {
            String key = schema.has("const") ? "const" : "enum";
            valuesFit(schema, key, path);
            return Set.of(key);
        }
        Set<String> types = AnswerSchema.types(schema);
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
        if (types.contains("integer") || types.contains("number")) {
            held.addAll(OwnRules.OF_NUMBERS);
            numbers(schema, types, path);
        }
        return held;
    }

    /** The converter holds a bound on each side of integers. */
    private void numbers(ObjectNode schema, Set<String> types, String path) {
        boolean twice = schema.has("minimum") && schema.has("exclusiveMinimum")
                || schema.has("maximum") && schema.has("exclusiveMaximum");
        boolean bounded = OwnRules.OF_NUMBERS.stream().anyMatch(schema::has);
        if (!twice && !schema.has("multipleOf") && !(types.contains("number") && bounded)) {
            return;
        }
        boolean longText = types.contains("string") && isLong(schema);
        whole.require(
                !longText, path, "maxLength", "at most " + AnswerSchema.MOST_REPETITIONS + " beside bounds of numbers");
        JsonNode step = schema.get("multipleOf");
        whole.require(step == null || step.isNumber(), path, "multipleOf", "a number");
        try {
            own.numbers(schema);
        } catch (NumberGrammar.Unknown e) {
            throw whole.refusal(path, "the numbers", String.valueOf(e.getMessage()));
        }
    }

    private static boolean isLong(ObjectNode schema) {
        return schema.path("maxLength").asInt(0) > AnswerSchema.MOST_REPETITIONS;
    }

    private void exclusive(JsonNode alternatives, String path) {
        int[] both = alternatives instanceof ArrayNode listed ? oneOf.overlap(listed) : null;
        if (both != null) {
            throw whole.refusal(
                    path,
                    "alternatives " + both[0] + " and " + both[1] + " of oneOf, which may both fit,",
                    "alternatives that differ in type, in values or in a required property; or anyOf");
        }
    }

    private static boolean alternativesHaveItsType(ObjectNode schema, String key) {
        Set<String> types = AnswerSchema.types(schema);
        for (JsonNode alternative : schema.get(key)) {
            Set<String> own = alternative instanceof ObjectNode one ? AnswerSchema.types(one) : Set.of();
            if (own.isEmpty() || !types.containsAll(own)) {
                return false;
            }
        }
        return true;
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

    private Set<String> stringHeld(ObjectNode schema) {
        if (schema.has("pattern")) {
            return Set.of("pattern");
        }
        if (FORMATS.contains(schema.path("format").asString(""))) {
            return Set.of();
        }
        if (isLong(schema)) {
            own.longText(schema);
        }
        return Set.of("minLength", "maxLength");
    }

    /** Several schemas at once are held where they are objects with properties of their own. */
    private void allOf(ObjectNode schema, String path) {
        Set<String> names = new HashSet<>();
        Set<String> wanted = new HashSet<>(AnswerSchema.required(schema));
        for (JsonNode part : schema.get("allOf")) {
            ObjectNode object = plainObject(part, path);
            wanted.addAll(AnswerSchema.required(object));
            for (String name : object.get("properties").propertyNames()) {
                whole.require(names.add(name), path, "allOf", "objects without a property in common");
            }
        }
        whole.require(names.containsAll(wanted), path, "required", "names that are among the properties");
    }

    private ObjectNode plainObject(JsonNode part, String path) {
        JsonNode object = part;
        for (int i = 0; i < AnswerSchema.MOST_DEPTH && object instanceof ObjectNode one && one.has("$ref"); i++) {
            object = whole.target(one, path);
        }
        if (object instanceof ObjectNode one
                && one.get("properties") instanceof ObjectNode
                && Set.of("properties", "required").containsAll(constraints(one))) {
            return one;
        }
        throw whole.refusal(path, "allOf", "objects with properties, or one schema");
    }

    private void valuesFit(ObjectNode schema, String key, String path) {
        Set<String> types = AnswerSchema.types(schema);
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
            whole.require(fits, path, key, "values of the type that it names");
        }
        whole.require(!(schema.has("const") && schema.has("enum")), path, "const and enum", "one of them");
    }

    static String typeOf(JsonNode value) {
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
            // What is written has no other properties than the named ones.
            case "unevaluatedProperties" ->
                value.isBoolean()
                        && (value.asBoolean() || schema.has("properties") && !schema.has("additionalProperties"));
            default -> false;
        };
    }
}
