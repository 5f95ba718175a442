package dev.chasqui.node.grpc;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Schemas that hold themselves: llama.cpp's converter follows references to parts of a document, but not to all of it. */
final class RootReference {
    private static final String ALL = "#";

    private RootReference() {}

    /** Gives the whole a name among its definitions where something refers to it. */
    static void name(JsonNode root) {
        if (!(root instanceof ObjectNode whole)) {
            return;
        }
        List<JsonNode> references = whole.findParents("$ref").stream()
                .filter(one ->
                        one.get("$ref").isString() && one.get("$ref").asString().equals(ALL))
                .toList();
        if (references.isEmpty() || whole.has("$defs") && !whole.get("$defs").isObject()) {
            return;
        }
        String name = "whole";
        while (whole.path("$defs").has(name)) {
            name += "-";
        }
        for (JsonNode one : references) {
            ((ObjectNode) one).put("$ref", "#/$defs/" + name);
        }
        ObjectNode copy = whole.deepCopy();
        copy.remove(List.of("$defs", "definitions"));
        ObjectNode definitions = whole.get("$defs") instanceof ObjectNode some ? some : whole.putObject("$defs");
        definitions.set(name, copy);
    }
}
