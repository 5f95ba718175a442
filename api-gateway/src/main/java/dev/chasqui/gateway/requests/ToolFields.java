package dev.chasqui.gateway.requests;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** What the dialects say of tools in the same words. */
public final class ToolFields {
    private static final int MOST_TOOLS = 128;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.:/-]{1,128}");

    private ToolFields() {}

    /**
     * Takes the field {@code tools} into a request.
     *
     * @param read reads one of them
     * @return their names
     */
    public static Set<String> add(Fields fields, ChatRequest.Builder chat, Function<Fields, Tool> read) {
        List<JsonNode> tools = fields.array("tools", MOST_TOOLS);
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < tools.size(); i++) {
            Tool tool = read.apply(Fields.of(tools.get(i), "tools[" + i + "]"));
            names.add(tool.getName());
            chat.addTools(tool);
        }
        return names;
    }

    /**
     * A tool's name, description and schema of arguments.
     *
     * @param schemaField where the schema stands
     * @param schemaNeeded whether it may not be absent
     */
    public static Tool tool(Fields fields, String schemaField, boolean schemaNeeded) {
        String name = fields.requiredString("name");
        if (!NAME.matcher(name).matches()) {
            throw fields.bad("name", fields.any("name"), "1 to 128 letters, digits or _.:/-");
        }
        Tool.Builder tool = Tool.newBuilder().setName(name);
        String description = fields.string("description");
        if (description != null) {
            tool.setDescription(Text.whole(description));
        }
        JsonNode schema = fields.any(schemaField);
        if (schema == null ? schemaNeeded : !schema.isObject()) {
            throw fields.bad(schemaField, schema, "a JSON schema");
        }
        if (schema != null) {
            tool.setParametersSchema(schema.toString());
        }
        return tool.build();
    }

    /** The field {@code arguments} of a call: JSON as a text, or the object itself; empty where there are none. */
    static String arguments(Fields call) {
        JsonNode arguments = call.any("arguments");
        if (arguments == null) {
            return "";
        }
        if (!arguments.isString() && !arguments.isObject()) {
            throw RequestError.badValue(
                    call.path("arguments"), Fields.kind(arguments) + " (expected: a string of JSON)");
        }
        return arguments.isString() ? Text.whole(arguments.stringValue()) : arguments.toString();
    }

    /** The words of {@code tool_choice}: none, auto and required. */
    public static ToolChoice choice(Fields fields, JsonNode word, Set<String> names) {
        ToolChoice.Mode mode = switch (word.stringValue()) {
            case "auto" -> ToolChoice.Mode.MODE_AUTO;
            case "none" -> ToolChoice.Mode.MODE_NONE;
            case "required" -> ToolChoice.Mode.MODE_REQUIRED;
            default -> throw fields.bad("tool_choice", word, "none, auto, required or a function");
        };
        if (mode == ToolChoice.Mode.MODE_REQUIRED && names.isEmpty()) {
            throw RequestError.badValue("tool_choice", "\"required\" without tools (expected: tools to choose from)");
        }
        return ToolChoice.newBuilder().setMode(mode).build();
    }

    /**
     * A choice among some of the tools; the model hears of no others.
     *
     * @param choice has {@code mode} and {@code tools}
     * @param named where in an element of {@code tools} the name stands
     */
    public static ToolChoice allowed(
            Fields choice, ChatRequest.Builder chat, Set<String> names, UnaryOperator<Fields> named) {
        Set<String> allowed = new LinkedHashSet<>();
        List<JsonNode> tools = choice.array("tools", MOST_TOOLS);
        for (int i = 0; i < tools.size(); i++) {
            Fields tool = Fields.of(tools.get(i), choice.path("tools[" + i + "]"));
            allowed.add(only(named.apply(tool), names).getName());
        }
        if (allowed.isEmpty()) {
            throw choice.bad("tools", choice.any("tools"), "an array of at least one tool");
        }
        String mode = choice.oneOf("mode", Text.ordered("auto", "required"));
        List<Tool> kept = chat.getToolsList().stream()
                .filter(tool -> allowed.contains(tool.getName()))
                .toList();
        chat.clearTools().addAllTools(kept);
        return ToolChoice.newBuilder()
                .setMode("required".equals(mode) ? ToolChoice.Mode.MODE_REQUIRED : ToolChoice.Mode.MODE_AUTO)
                .build();
    }

    /** The choice of the one tool whose name the fields have. */
    public static ToolChoice only(Fields named, Set<String> names) {
        String name = named.requiredString("name");
        if (!names.contains(name)) {
            throw named.bad("name", named.any("name"), "the name of one of the tools");
        }
        return ToolChoice.newBuilder()
                .setMode(ToolChoice.Mode.MODE_REQUIRED)
                .setName(name)
                .build();
    }
}
