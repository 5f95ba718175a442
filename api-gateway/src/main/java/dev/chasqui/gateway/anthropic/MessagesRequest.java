package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.AdapterFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.ReasoningEffort;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.SamplingFields;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.gateway.requests.ToolFields;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request for a message, read once and in full. Unknown fields are accepted; a known one with a bad value is a
 * {@link RequestError} that names it.
 *
 * @param chat what goes to the node
 * @param stream whether the answer comes in pieces
 */
record MessagesRequest(ChatRequest chat, boolean stream) {
    private static final int MOST_STOPS = 16;
    private static final Set<String> CHOICES = Text.ordered("auto", "any", "tool", "none");
    private static final Set<String> THINKING = Text.ordered("enabled", "adaptive", "disabled");

    /** @throws RequestError where the request is not valid */
    static MessagesRequest parse(JsonNode body, ModelNames names) {
        Fields fields = Fields.of(body, "");
        ChatRequest.Builder chat = ChatRequest.newBuilder().setChoices(1);
        chat.setModel(names.resolve(fields.string("model")));
        MessageFields.parse(fields, chat);
        chat.setSampling(SamplingFields.parse(fields));
        chat.setLimits(limits(fields));
        chat.setScheduling(GenerationFields.scheduling(fields));
        chat.addAllLora(AdapterFields.parse(fields));
        tools(fields, chat);
        reasoning(fields, chat);
        outputFormat(fields, chat);
        return new MessagesRequest(chat.build(), fields.isTrue("stream"));
    }

    private static Limits limits(Fields fields) {
        Limits.Builder limits = Limits.newBuilder();
        Long most = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
        if (most != null) {
            limits.setMaxTokens(most.intValue());
        }
        List<JsonNode> stops = fields.array("stop_sequences", MOST_STOPS);
        for (int i = 0; i < stops.size(); i++) {
            limits.addStop(GenerationFields.stop("stop_sequences[" + i + "]", stops.get(i)));
        }
        return limits.build();
    }

    private static void tools(Fields fields, ChatRequest.Builder chat) {
        Set<String> names = ToolFields.add(fields, chat, MessagesRequest::tool);
        Fields choice = fields.object("tool_choice");
        if (choice != null) {
            chat.setToolChoice(toolChoice(choice, names));
            Boolean alone = choice.bool("disable_parallel_tool_use");
            if (alone != null && !names.isEmpty()) {
                chat.setParallelToolCalls(!alone);
            }
        }
    }

    private static Tool tool(Fields fields) {
        String type = fields.string("type");
        if (type != null && !type.equals("custom")) {
            throw fields.bad("type", fields.any("type"), "custom; tools that the server runs are not supported");
        }
        return ToolFields.tool(fields, "input_schema", true);
    }

    private static ToolChoice toolChoice(Fields choice, Set<String> names) {
        String type = choice.oneOf("type", CHOICES);
        if (type == null) {
            throw choice.bad("type", null, String.join(", ", CHOICES));
        }
        choice.string("name");
        if (type.equals("tool")) {
            return ToolFields.only(choice, names);
        }
        if (type.equals("any") && names.isEmpty()) {
            throw choice.bad("type", choice.any("type"), "tools to choose from");
        }
        return ToolChoice.newBuilder()
                .setMode(
                        switch (type) {
                            case "none" -> ToolChoice.Mode.MODE_NONE;
                            case "auto" -> ToolChoice.Mode.MODE_AUTO;
                            default -> ToolChoice.Mode.MODE_REQUIRED;
                        })
                .build();
    }

    private static void reasoning(Fields fields, ChatRequest.Builder chat) {
        Reasoning.Builder reasoning = Reasoning.newBuilder();
        Fields thinking = fields.object("thinking");
        if (thinking != null) {
            String type = thinking.oneOf("type", THINKING);
            if (type == null) {
                throw thinking.bad("type", null, String.join(", ", THINKING));
            }
            // Checked, but not held: how long a model thinks is up to it.
            thinking.integer("budget_tokens", 1, Integer.MAX_VALUE);
            switch (type) {
                case "enabled" -> reasoning.setMode(Reasoning.Mode.MODE_ON);
                case "disabled" -> reasoning.setMode(Reasoning.Mode.MODE_OFF);
                default -> {}
            }
        }
        Fields config = fields.object("output_config");
        String effort = config == null ? null : config.oneOf("effort", ReasoningEffort.ANTHROPIC);
        if (effort != null && reasoning.getMode() != Reasoning.Mode.MODE_OFF) {
            reasoning.setEffort(ReasoningEffort.known(effort));
        }
        if (!reasoning.build().equals(Reasoning.getDefaultInstance())) {
            chat.setReasoning(reasoning);
        }
    }

    private static void outputFormat(Fields fields, ChatRequest.Builder chat) {
        Fields config = fields.object("output_config");
        @Nullable Fields format = config == null ? null : config.object("format");
        format = format == null ? fields.object("output_format") : format;
        if (format == null) {
            return;
        }
        JsonNode schema = format.any("schema");
        if (format.oneOf("type", Set.of("json_schema")) == null || schema == null || !schema.isObject()) {
            throw format.bad("schema", schema, "a JSON schema, with type json_schema");
        }
        chat.setOutputFormat(OutputFormat.newBuilder().setJsonSchema(schema.toString()));
    }
}
