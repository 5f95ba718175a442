package dev.chasqui.gateway.requests;

import dev.chasqui.proto.v1.AdapterUse;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * {@code lora}: the LoRA adapters to answer with. One name; or a list of names and of objects with a {@code name}, or an {@code
 * id} as llama-server has it, and a {@code scale}. Which there are is the node's to know.
 */
public final class AdapterFields {
    private static final int MOST = 16;
    private static final int MOST_SCALE = 100;
    private static final int LONGEST_NAME = 64;

    private AdapterFields() {}

    /** None where the field is absent. */
    public static List<AdapterUse> parse(Fields fields) {
        JsonNode lora = fields.any("lora");
        if (lora != null && !lora.isArray()) {
            return List.of(named(lora, fields.path("lora")));
        }
        List<AdapterUse> uses = new ArrayList<>();
        List<JsonNode> elements = fields.array("lora", MOST);
        for (int i = 0; i < elements.size(); i++) {
            String path = fields.path("lora[" + i + "]");
            JsonNode element = elements.get(i);
            uses.add(element.isObject() ? use(Fields.of(element, path)) : named(element, path));
        }
        return uses;
    }

    private static AdapterUse named(JsonNode name, String path) {
        if (!name.isString()
                || name.stringValue().isEmpty()
                || name.stringValue().length() > LONGEST_NAME) {
            throw RequestError.badValue(
                    path, Fields.shown(name) + " (expected: an adapter's name, or an array of them)");
        }
        return AdapterUse.newBuilder().setName(name.stringValue()).build();
    }

    private static AdapterUse use(Fields fields) {
        AdapterUse.Builder use = AdapterUse.newBuilder();
        Long id = fields.integer("id", 0, Integer.MAX_VALUE);
        JsonNode name = fields.any("name");
        if ((id == null) == (name == null)) {
            throw fields.bad("id", fields.any("id"), "either an id or a name");
        }
        if (name != null) {
            use.mergeFrom(named(name, fields.path("name")));
        }
        if (id != null) {
            use.setIndex(id.intValue());
        }
        Float scale = fields.number("scale", -MOST_SCALE, MOST_SCALE);
        if (scale != null) {
            use.setScale(scale);
        }
        return use.build();
    }
}
