package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.AdapterFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.ReasoningEffort;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.SamplingFields;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.gateway.requests.ToolFields;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request for a response, read once and in full.
 *
 * @param chat what goes to the node, but for the messages
 * @param instructions a system message of this response alone; null: none
 * @param input the new messages
 * @param previous the stored response that this goes on from; null: none
 * @param stream whether the answer comes in pieces
 * @param background whether it is made even if nobody waits for it
 * @param store whether it can be asked for again
 * @param truncates whether the oldest is left out where the model's context does not hold all
 * @param body as it came, for what a response repeats of it
 */
record ResponseRequest(
        ChatRequest chat,
        @Nullable String instructions,
        List<ChatMessage> input,
        @Nullable String previous,
        boolean stream,
        boolean background,
        boolean store,
        boolean truncates,
        JsonNode body) {
    private static final int MOST_INCLUDED = 100;
    private static final Set<String> CHOICES = Text.ordered("function", "allowed_tools");
    private static final Set<String> TRUNCATIONS = Text.ordered("disabled", "auto");
    private static final Set<String> FORMATS = Text.ordered("text", "json_object", "json_schema");

    /**
     * Reads all of it.
     *
     * @param known finds an item that this server wrote, by its name
     * @throws RequestError where the request is not valid
     */
    static ResponseRequest parse(JsonNode body, ModelNames names, Function<String, @Nullable ResponseItem> known) {
        Fields fields = Fields.of(body, "");
        refuseWhatCannotBe(fields);
        ChatRequest.Builder chat = ChatRequest.newBuilder().setChoices(1);
        chat.setModel(names.resolve(fields.string("model")));
        chat.setSampling(SamplingFields.parse(fields));
        chat.setLimits(GenerationFields.limits(fields));
        chat.setScheduling(GenerationFields.scheduling(fields));
        chat.addAllLora(AdapterFields.parse(fields));
        Long most = fields.integer("max_output_tokens", 1, Integer.MAX_VALUE);
        if (most != null) {
            chat.getLimitsBuilder().setMaxTokens(most.intValue());
        }
        tools(fields, chat);
        reasoning(fields, chat);
        outputFormat(fields, chat);
        logprobs(fields, chat);
        String instructions = fields.string("instructions");
        Boolean store = fields.bool("store");
        return new ResponseRequest(
                chat.build(),
                instructions == null ? null : Text.whole(instructions),
                ResponseInput.parse(fields, known),
                fields.string("previous_response_id"),
                fields.isTrue("stream"),
                background(fields, store),
                store == null || store,
                "auto".equals(fields.oneOf("truncation", TRUNCATIONS)),
                body);
    }

    private static boolean background(Fields fields, @Nullable Boolean store) {
        boolean background = fields.isTrue("background");
        if (background && Boolean.FALSE.equals(store)) {
            throw RequestError.badValue("background", "true without store (expected: stored, and asked for later)");
        }
        return background;
    }

    /** What a response can tell beside its text; most of it is of tools that this server has not. */
    private static void logprobs(Fields fields, ChatRequest.Builder chat) {
        Long top = fields.integer("top_logprobs", 0, 20);
        boolean wanted = top != null && top > 0;
        List<JsonNode> include = fields.array("include", MOST_INCLUDED);
        for (int i = 0; i < include.size(); i++) {
            if (!include.get(i).isString()) {
                throw fields.bad("include[" + i + "]", include.get(i), "a string");
            }
            wanted |= include.get(i).stringValue().equals("message.output_text.logprobs");
        }
        if (wanted) {
            chat.setLogprobs(Logprobs.newBuilder().setTop(top == null ? 0 : top.intValue()));
        }
    }

    private static void refuseWhatCannotBe(Fields fields) {
        for (String name : List.of("conversation", "prompt")) {
            if (fields.any(name) != null) {
                throw fields.bad(name, fields.any(name), "absent; this server has none");
            }
        }
    }

    private static void tools(Fields fields, ChatRequest.Builder chat) {
        Set<String> known = ToolFields.add(fields, chat, ResponseRequest::tool);
        Boolean parallel = fields.bool("parallel_tool_calls");
        if (parallel != null && !known.isEmpty()) {
            chat.setParallelToolCalls(parallel);
        }
        JsonNode choice = fields.any("tool_choice");
        if (choice != null) {
            chat.setToolChoice(toolChoice(fields, choice, chat, known));
        }
    }

    private static Tool tool(Fields fields) {
        String type = fields.string("type");
        if (!"function".equals(type)) {
            throw fields.bad("type", fields.any("type"), "function; tools that the server runs are not supported");
        }
        return ToolFields.tool(fields, "parameters", false);
    }

    private static ToolChoice toolChoice(Fields fields, JsonNode value, ChatRequest.Builder chat, Set<String> known) {
        if (value.isString()) {
            return ToolFields.choice(fields, value, known);
        }
        Fields choice = Fields.of(value, "tool_choice");
        return "allowed_tools".equals(choice.oneOf("type", CHOICES))
                ? ToolFields.allowed(choice, chat, known, tool -> tool)
                : ToolFields.only(choice, known);
    }

    private static void reasoning(Fields fields, ChatRequest.Builder chat) {
        Fields reasoning = fields.object("reasoning");
        String effort = reasoning == null ? null : reasoning.oneOf("effort", ReasoningEffort.OPENAI);
        if (effort == null) {
            return;
        }
        chat.setReasoning(
                effort.equals("none")
                        ? Reasoning.newBuilder().setMode(Reasoning.Mode.MODE_OFF)
                        : Reasoning.newBuilder().setEffort(ReasoningEffort.known(effort)));
    }

    private static void outputFormat(Fields fields, ChatRequest.Builder chat) {
        Fields text = fields.object("text");
        Fields format = text == null ? null : text.object("format");
        if (format == null) {
            return;
        }
        String type = format.oneOf("type", FORMATS);
        JsonNode schema = format.any("schema");
        if (type == null || type.equals("json_schema") && (schema == null || !schema.isObject())) {
            throw format.bad(type == null ? "type" : "schema", schema, type == null ? "a type" : "a JSON schema");
        }
        if (!type.equals("text")) {
            String form = schema == null || type.equals("json_object") ? "{\"type\":\"object\"}" : schema.toString();
            chat.setOutputFormat(OutputFormat.newBuilder().setJsonSchema(form));
        }
    }

    /** All that goes to the node. */
    ChatRequest chat(List<ChatMessage> conversation) {
        ChatRequest.Builder all = chat.toBuilder();
        if (instructions != null) {
            all.addMessages(ChatMessage.newBuilder()
                    .setRole("system")
                    .addContent(ContentPart.newBuilder().setText(instructions)));
        }
        return all.addAllMessages(conversation).build();
    }
}
