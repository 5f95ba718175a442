package dev.chasqui.gateway.requests;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The fields of a chat: messages, tools, reasoning, and all that any generation knows. Unknown fields are accepted; a
 * known one with a bad value is a {@link RequestError} that names it.
 */
public final class ChatFields {
    private static final int MOST_MESSAGES = 100_000;
    private static final int MOST_PARTS = 1_000;
    private static final int MOST_TOOLS = 128;
    private static final Set<String> ROLES =
            Text.ordered("system", "developer", "user", "assistant", "tool", "function");
    private static final Set<String> CHOICES = Text.ordered("function", "allowed_tools");

    /** What the fields of a {@link ChatRequest} are called here. */
    public static final SentNames NAMES = SentNames.of(
            "output_format", "response_format",
            "output_format.json_schema", "response_format.json_schema.schema",
            "output_format.grammar", "grammar",
            "tools[].name", "tools[].function.name",
            "tools[].parameters_schema", "tools[].function.parameters",
            "template_arguments", "chat_template_kwargs",
            "continue_last_message", "continue_final_message",
            "choices", "n",
            "logprobs.top", "top_logprobs",
            "penalty_last_n", "repeat_last_n");

    private ChatFields() {}

    /**
     * Reads a whole request in the words that OpenAI's and the product's own chat share.
     *
     * @throws RequestError where the request is not valid
     */
    public static ChatRequest parse(Fields fields, ModelNames names) {
        ChatRequest.Builder chat = ChatRequest.newBuilder();
        chat.setModel(names.resolve(fields.string("model")));
        messages(fields, chat);
        modalities(fields);
        chat.setSampling(SamplingFields.parse(fields));
        chat.setLimits(GenerationFields.limits(fields));
        chat.setScheduling(GenerationFields.scheduling(fields));
        chat.addAllLora(AdapterFields.parse(fields));
        tools(fields, chat);
        OutputFormat format = GenerationFields.outputFormat(fields);
        if (format != null) {
            chat.setOutputFormat(format);
        }
        reasoning(fields, chat);
        templateArguments(fields, chat);
        Logprobs logprobs = logprobs(fields);
        if (logprobs != null) {
            chat.setLogprobs(logprobs);
        }
        chat.setChoices(GenerationFields.choices(fields));
        chat.setContinueLastMessage(continuesLastMessage(fields, chat));
        return chat.build();
    }

    private static void messages(Fields fields, ChatRequest.Builder chat) {
        List<JsonNode> messages = fields.array("messages", MOST_MESSAGES);
        if (messages.isEmpty()) {
            throw fields.bad("messages", fields.any("messages"), "an array of at least one message");
        }
        for (int i = 0; i < messages.size(); i++) {
            chat.addMessages(message(Fields.of(messages.get(i), "messages[" + i + "]")));
        }
    }

    private static void modalities(Fields fields) {
        List<JsonNode> modalities = fields.array("modalities", MOST_PARTS);
        for (int i = 0; i < modalities.size(); i++) {
            if (!modalities.get(i).isString()
                    || !modalities.get(i).stringValue().equals("text")) {
                throw fields.bad("modalities[" + i + "]", modalities.get(i), "text; answers come in no other form");
            }
        }
    }

    private static ChatMessage message(Fields fields) {
        String role = fields.oneOf("role", ROLES);
        if (role == null) {
            throw fields.bad("role", null, String.join(", ", ROLES));
        }
        ChatMessage.Builder message = ChatMessage.newBuilder().setRole(role);
        List<JsonNode> calls = fields.array("tool_calls", MOST_TOOLS);
        content(fields, message, role.equals("assistant"));
        for (int i = 0; i < calls.size(); i++) {
            message.addToolCalls(toolCall(Fields.of(calls.get(i), fields.path("tool_calls[" + i + "]"))));
        }
        FunctionFields.call(fields, message);
        String name = fields.string("name");
        if (name != null) {
            message.setName(Text.whole(name));
        }
        String reasoning = fields.string("reasoning_content");
        reasoning = reasoning == null ? fields.string("reasoning") : reasoning;
        if (reasoning != null) {
            message.setReasoning(Text.whole(reasoning));
        }
        String callId = fields.string("tool_call_id");
        if (callId != null) {
            message.setToolCallId(Text.whole(callId));
        }
        if (role.equals("function")) {
            FunctionFields.result(fields, message);
        }
        return message.build();
    }

    private static void content(Fields fields, ChatMessage.Builder message, boolean mayBeAbsent) {
        JsonNode content = fields.any("content");
        if (content == null) {
            if (!mayBeAbsent) {
                throw fields.bad("content", null, "a string or an array of parts");
            }
        } else if (content.isString()) {
            message.addContent(text(content.stringValue()));
        } else if (content.isArray()) {
            List<JsonNode> parts = fields.array("content", MOST_PARTS);
            for (int i = 0; i < parts.size(); i++) {
                message.addContent(part(Fields.of(parts.get(i), fields.path("content[" + i + "]"))));
            }
        } else {
            throw RequestError.badValue(
                    fields.path("content"), Fields.kind(content) + " (expected: a string or an array of parts)");
        }
    }

    private static ContentPart part(Fields fields) {
        String type = fields.requiredString("type");
        String field = type.equals("refusal") ? "refusal" : "text";
        if (!type.equals(field)) {
            throw fields.bad("type", fields.any("type"), "text; other kinds of content are not supported");
        }
        JsonNode text = fields.any(field);
        if (text == null || !text.isString()) {
            throw RequestError.badValue(
                    fields.path(field), (text == null ? "absent" : Fields.kind(text)) + " (expected: a string)");
        }
        return text(text.stringValue());
    }

    private static ContentPart text(String text) {
        return ContentPart.newBuilder().setText(Text.whole(text)).build();
    }

    private static ToolCall toolCall(Fields fields) {
        fields.oneOf("type", Set.of("function"));
        Fields function = inner(fields, "function");
        ToolCall.Builder call = ToolCall.newBuilder().setName(function.requiredString("name"));
        String id = fields.string("id");
        if (id != null) {
            call.setId(id);
        }
        return call.setArguments(ToolFields.arguments(function)).build();
    }

    private static void tools(Fields fields, ChatRequest.Builder chat) {
        if (FunctionFields.present(fields)) {
            FunctionFields.add(fields, chat);
            return;
        }
        Set<String> names = ToolFields.add(fields, chat, ChatFields::tool);
        Boolean parallel = fields.bool("parallel_tool_calls");
        if (parallel != null) {
            chat.setParallelToolCalls(parallel);
        }
        ToolChoice choice = toolChoice(fields, chat, names);
        if (choice != null) {
            chat.setToolChoice(choice);
        }
    }

    private static Tool tool(Fields fields) {
        if (fields.oneOf("type", Set.of("function")) == null) {
            throw fields.bad("type", null, "function");
        }
        Fields function = inner(fields, "function");
        return ToolFields.tool(function, "parameters", false);
    }

    private static @Nullable ToolChoice toolChoice(Fields fields, ChatRequest.Builder chat, Set<String> names) {
        JsonNode value = fields.any("tool_choice");
        if (value == null) {
            return null;
        }
        if (value.isString()) {
            return ToolFields.choice(fields, value, names);
        }
        Fields choice = Fields.of(value, "tool_choice");
        return "allowed_tools".equals(choice.oneOf("type", CHOICES))
                ? ToolFields.allowed(inner(choice, "allowed_tools"), chat, names, tool -> inner(tool, "function"))
                : ToolFields.only(inner(choice, "function"), names);
    }

    private static Fields inner(Fields fields, String name) {
        Fields inner = fields.object(name);
        if (inner == null) {
            throw fields.bad(name, null, "an object");
        }
        return inner;
    }

    private static void reasoning(Fields fields, ChatRequest.Builder chat) {
        String effort = fields.oneOf("reasoning_effort", ReasoningEffort.OPENAI);
        Boolean thinking = fields.bool("enable_thinking");
        Fields arguments = fields.object("chat_template_kwargs");
        if (thinking == null && arguments != null) {
            thinking = arguments.bool("enable_thinking");
        }
        if (effort == null && thinking == null) {
            return;
        }
        Reasoning.Builder reasoning = Reasoning.newBuilder();
        if (Boolean.FALSE.equals(thinking) || "none".equals(effort)) {
            reasoning.setMode(Reasoning.Mode.MODE_OFF);
        } else {
            reasoning.setMode(thinking == null ? Reasoning.Mode.MODE_UNSPECIFIED : Reasoning.Mode.MODE_ON);
            reasoning.setEffort(effort == null ? "" : ReasoningEffort.known(effort));
        }
        chat.setReasoning(reasoning);
    }

    private static void templateArguments(Fields fields, ChatRequest.Builder chat) {
        JsonNode arguments = fields.any("chat_template_kwargs");
        if (arguments == null) {
            return;
        }
        for (Map.Entry<String, JsonNode> argument : arguments.properties()) {
            chat.putTemplateArguments(argument.getKey(), argument.getValue().toString());
        }
    }

    private static @Nullable Logprobs logprobs(Fields fields) {
        boolean wanted = fields.isTrue("logprobs");
        Long top = fields.integer("top_logprobs", 0, 20);
        if (top != null && top > 0 && !wanted) {
            throw RequestError.badValue("top_logprobs", top + " without logprobs (expected: logprobs true)");
        }
        return wanted
                ? Logprobs.newBuilder().setTop(top == null ? 0 : top.intValue()).build()
                : null;
    }

    private static boolean continuesLastMessage(Fields fields, ChatRequest.Builder chat) {
        boolean wanted = fields.isTrue("continue_final_message");
        String last = chat.getMessages(chat.getMessagesCount() - 1).getRole();
        if (wanted && !last.equals("assistant")) {
            throw RequestError.badValue(
                    "continue_final_message", "true after a message of role " + last + " (expected: assistant)");
        }
        return wanted;
    }
}
