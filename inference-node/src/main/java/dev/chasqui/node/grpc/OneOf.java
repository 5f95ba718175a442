package dev.chasqui.node.grpc;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Whether the alternatives of a {@code oneOf} exclude each other. A grammar lets an answer be any of them, so only then does
 * it fit exactly one: alternatives of different types, with different values, or objects that a required property tells apart.
 */
final class OneOf {
    private static final int MOST_STEPS = 100_000;
    private static final int MOST_DEPTH = 20;
    private static final String CONST = "const";
    private static final String ENUM = "enum";

    private final Function<ObjectNode, @Nullable JsonNode> target;
    private int steps;

    /** @param target where a schema's {@code $ref} leads */
    OneOf(Function<ObjectNode, @Nullable JsonNode> target) {
        this.target = target;
    }

    /** Two alternatives that an answer may fit at once; null: none. What tells objects apart is made a required property. */
    int @Nullable [] overlap(ArrayNode alternatives) {
        tellApart(alternatives);
        for (int a = 0; a < alternatives.size(); a++) {
            for (int b = 0; b < alternatives.size(); b++) {
                if (a != b && !apart(alternatives.get(a), alternatives.get(b), 0)) {
                    return new int[] {Math.min(a, b), Math.max(a, b)};
                }
            }
        }
        return null;
    }

    /** A discriminator often has a default, and is not required for it; whoever leaves it out says nothing. */
    private void tellApart(ArrayNode alternatives) {
        List<ObjectNode> objects = new ArrayList<>();
        for (JsonNode alternative : alternatives) {
            if (resolved(alternative) instanceof ObjectNode object && object.get("properties") instanceof ObjectNode) {
                objects.add(object);
            }
        }
        if (objects.size() < alternatives.size() || objects.isEmpty()) {
            return;
        }
        for (String name : objects.get(0).get("properties").propertyNames()) {
            if (objects.stream().allMatch(object -> object.get("properties").has(name)) && differ(objects, name)) {
                for (ObjectNode object : objects) {
                    if (!names(object, "required").contains(name)) {
                        object.withArray("required").add(name);
                    }
                }
                return;
            }
        }
    }

    private boolean differ(List<ObjectNode> objects, String name) {
        for (ObjectNode a : objects) {
            for (ObjectNode b : objects) {
                if (a != b
                        && !apart(
                                a.get("properties").get(name),
                                b.get("properties").get(name),
                                0)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether nothing that is written as {@code a}, whose objects have the named properties only, fits {@code b}. */
    private boolean apart(@Nullable JsonNode one, @Nullable JsonNode other, int depth) {
        JsonNode a = resolved(one);
        JsonNode b = resolved(other);
        if (!(a instanceof ObjectNode written) || !(b instanceof ObjectNode held) || depth > MOST_DEPTH) {
            return b != null && b.isBoolean() && !b.asBoolean();
        }
        if (++steps > MOST_STEPS) {
            return false;
        }
        List<JsonNode> ways = alternatives(written);
        if (!ways.isEmpty()) {
            return ways.stream().allMatch(way -> apart(way, held, depth + 1));
        }
        List<JsonNode> fits = alternatives(held);
        if (!fits.isEmpty()) {
            return fits.stream().allMatch(fit -> apart(written, fit, depth + 1));
        }
        if (written.get("allOf") instanceof ArrayNode all) {
            return apart(merged(all), held, depth + 1);
        }
        if (held.get("allOf") instanceof ArrayNode all) {
            for (JsonNode part : all) {
                if (apart(written, part, depth + 1)) {
                    return true;
                }
            }
        }
        return values(written, held) || typesDiffer(written, held) || objectsDiffer(written, held, depth);
    }

    private @Nullable JsonNode resolved(@Nullable JsonNode schema) {
        JsonNode found = schema;
        for (int i = 0; i < MOST_DEPTH && found instanceof ObjectNode one && one.has("$ref"); i++) {
            found = target.apply(one);
        }
        return found;
    }

    private static List<JsonNode> alternatives(ObjectNode schema) {
        List<JsonNode> all = new ArrayList<>();
        for (String key : List.of("oneOf", "anyOf")) {
            if (all.isEmpty() && schema.get(key) instanceof ArrayNode listed) {
                listed.forEach(all::add);
            }
        }
        return all;
    }

    /** What is written for several objects at once. */
    private ObjectNode merged(ArrayNode all) {
        ObjectNode object = JsonNodeFactory.instance.objectNode().put("type", "object");
        for (JsonNode part : all) {
            if (resolved(part) instanceof ObjectNode one) {
                if (one.get("properties") instanceof ObjectNode properties) {
                    object.withObject("/properties").setAll(properties);
                }
                names(one, "required").forEach(object.withArray("required")::add);
            }
        }
        return object;
    }

    /** Whether each value that the one may be is none of the other. */
    private static boolean values(ObjectNode a, ObjectNode b) {
        List<JsonNode> own = values(a);
        List<JsonNode> others = values(b);
        if (own.isEmpty() || others.isEmpty()) {
            return false;
        }
        return own.stream().noneMatch(value -> others.stream().anyMatch(other -> same(value, other)));
    }

    private static boolean same(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? a.decimalValue().compareTo(b.decimalValue()) == 0 : a.equals(b);
    }

    private static List<JsonNode> values(ObjectNode schema) {
        List<JsonNode> values = new ArrayList<>();
        if (schema.has(CONST)) {
            values.add(schema.get(CONST));
        } else if (schema.get(ENUM) instanceof ArrayNode listed) {
            listed.forEach(values::add);
        }
        return values;
    }

    private static boolean typesDiffer(ObjectNode a, ObjectNode b) {
        Set<String> written = types(a);
        if (written.isEmpty()) {
            written = writtenWithoutType(a);
        }
        Set<String> held = types(b);
        if (written.isEmpty() || held.isEmpty()) {
            return false;
        }
        for (String type : written) {
            boolean number = type.equals("number") || type.equals("integer");
            if (held.contains(type) || number && (held.contains("number") || held.contains("integer"))) {
                return false;
            }
        }
        return true;
    }

    /** What the converter takes a schema for that names no type. */
    private static Set<String> writtenWithoutType(ObjectNode schema) {
        if (schema.has("properties") || schema.has("additionalProperties")) {
            return Set.of("object");
        }
        if (schema.has("items") || schema.has("prefixItems")) {
            return Set.of("array");
        }
        return schema.has("pattern") || schema.has("minLength") || schema.has("maxLength")
                ? Set.of("string")
                : Set.of();
    }

    /** The types that a schema names, or that its values have. */
    private static Set<String> types(ObjectNode schema) {
        Set<String> types = new HashSet<>();
        List<JsonNode> values = values(schema);
        if (!values.isEmpty()) {
            values.forEach(value -> types.add(HeldKeywords.typeOf(value)));
            return types;
        }
        return AnswerSchema.types(schema);
    }

    private boolean objectsDiffer(ObjectNode a, ObjectNode b, int depth) {
        Set<String> written = types(a).isEmpty() ? writtenWithoutType(a) : types(a);
        if (!written.equals(Set.of("object")) || a.has(CONST) || a.has(ENUM)) {
            return false;
        }
        JsonNode own = a.path("properties");
        JsonNode others = b.path("properties");
        boolean closed = !own.isEmpty() && isAbsentOrFalse(a.get("additionalProperties"));
        for (String name : names(b, "required")) {
            if (closed && !own.has(name)) {
                return true;
            }
        }
        JsonNode additional = b.get("additionalProperties");
        boolean shut = additional != null && additional.isBoolean() && !additional.asBoolean();
        for (String name : names(a, "required")) {
            boolean unknown = !others.has(name) && shut && !b.has("patternProperties");
            if (unknown || others.has(name) && apart(own.get(name), others.get(name), depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isAbsentOrFalse(@Nullable JsonNode value) {
        return value == null || value.isBoolean() && !value.asBoolean();
    }

    private static Set<String> names(ObjectNode schema, String key) {
        Set<String> names = new HashSet<>();
        if (schema.get(key) instanceof ArrayNode listed) {
            listed.forEach(one -> names.add(one.asString("")));
        }
        return names;
    }
}
