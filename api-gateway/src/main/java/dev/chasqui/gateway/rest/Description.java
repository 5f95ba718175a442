package dev.chasqui.gateway.rest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The description of all dialects in OpenAPI's words, which a test holds against the routes. What a request may leave out it may also say as
 * null: that is put in here, rather than written at every field.
 */
final class Description {
    private final JsonNode root;
    private final Set<JsonNode> done = Collections.newSetFromMap(new IdentityHashMap<>());

    private Description(JsonNode root) {
        this.root = root;
    }

    /** For people: as it is written. */
    static byte[] written() {
        try (InputStream in = Description.class.getResourceAsStream("/dev/chasqui/gateway/openapi.json")) {
            return Objects.requireNonNull(in).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** For programs. */
    static byte[] whole() {
        Description description = new Description(JsonMapper.shared().readTree(written()));
        for (JsonNode path : description.root.get("paths")) {
            for (JsonNode operation : path) {
                description.allowNulls(operation.at("/requestBody/content/application~1json/schema"));
            }
        }
        return description.root.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void allowNulls(JsonNode reference) {
        JsonNode schema = resolved(reference);
        if (!schema.isObject() || !done.add(schema)) {
            return;
        }
        schema.path("allOf").forEach(this::allowNulls);
        schema.path("anyOf").forEach(this::allowNulls);
        allowNulls(schema.path("items"));
        Set<String> required = new HashSet<>();
        schema.path("required").forEach(name -> required.add(name.asString()));
        for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
            allowNulls(property.getValue());
            if (!required.contains(property.getKey())) {
                property.setValue(orNull((ObjectNode) property.getValue()));
            }
        }
    }

    private JsonNode orNull(ObjectNode schema) {
        if (schema.has("$ref")) {
            ObjectNode either = schema.objectNode();
            either.putArray("anyOf").add(schema).addObject().put("type", "null");
            return either;
        }
        if (schema.get("anyOf") instanceof ArrayNode some) {
            some.addObject().put("type", "null");
        } else if (schema.path("type").isString()) {
            String type = schema.get("type").stringValue();
            schema.putArray("type").add(type).add("null");
        }
        if (schema.get("enum") instanceof ArrayNode words) {
            words.addNull();
        }
        return schema;
    }

    private JsonNode resolved(JsonNode schema) {
        JsonNode reference = schema.path("$ref");
        return reference.isString() ? root.at(reference.stringValue().substring(1)) : schema;
    }
}
