package dev.chasqui.node.grpc;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Leaves out of a tool's schema what says nothing to a grammar, and would stop the converter: types that there are not, keywords
 * with values of another kind. The tool is called all the same, as the model reads the rest.
 */
final class RelaxedSchema {
    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean", "null");

    private RelaxedSchema() {}

    /** Only this one; those below it are looked at by themselves. */
    static void relax(ObjectNode schema) {
        if (schema.get("type") instanceof ArrayNode listed) {
            listed.removeIf(one -> !isType(one));
        }
        keep(schema, "type", value -> isType(value) || value.isArray() && !value.isEmpty());
        keep(schema, "properties", JsonNode::isObject);
        keep(schema, "required", JsonNode::isArray);
        keep(schema, "items", value -> value.isObject() || value.isArray() || value.isBoolean());
        keep(schema, "additionalProperties", value -> value.isObject() || value.isBoolean());
        for (String key : List.of("enum", "anyOf", "oneOf", "allOf", "prefixItems")) {
            keep(schema, key, value -> value.isArray() && !value.isEmpty());
        }
        for (String key : List.of("minLength", "maxLength", "minItems", "maxItems")) {
            keep(schema, key, value -> value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 0);
        }
        for (String key : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
            keep(schema, key, JsonNode::isNumber);
        }
        for (String key : List.of("pattern", "format", "description")) {
            keep(schema, key, JsonNode::isString);
        }
    }

    private static boolean isType(JsonNode value) {
        return value.isString() && TYPES.contains(value.asString());
    }

    private static void keep(ObjectNode schema, String key, Predicate<JsonNode> good) {
        JsonNode value = schema.get(key);
        if (value != null && !good.test(value)) {
            schema.remove(key);
        }
    }
}
