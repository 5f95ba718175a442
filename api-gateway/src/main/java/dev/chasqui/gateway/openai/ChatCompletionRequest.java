package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolChoice;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request for a chat completion, read once and in full: what is for the node and how the answer shall be written.
 * Unknown fields are accepted; a known one with a bad value is an {@link OpenAiError} that names it.
 *
 * @param chat what goes to the node
 * @param stream whether the answer comes in pieces
 * @param includeUsage whether a stream ends with a chunk of token counts
 */
record ChatCompletionRequest(ChatRequest chat, boolean stream, boolean includeUsage) {
    private static final int MOST_MESSAGES = 100_000;
    private static final int MOST_PARTS = 1_000;
    private static final int MOST_TOOLS = 128;
    private static final int MOST_STOPS = 16;
    private static final int LONGEST_STOP_BYTES = 1024;
    private static final int MOST_CHOICES = 16;
    private static final int MOST_TOKENS = Integer.MAX_VALUE;
    private static final Pattern TOOL_NAME = Pattern.compile("[A-Za-z0-9_.:/-]{1,128}");
    private static final Set<String> ROLES = ordered("system", "developer", "user", "assistant", "tool");
    private static final Set<String> EFFORTS = ordered("none", "minimal", "low", "medium", "high", "xhigh");

    /** @throws OpenAiError where the request is not valid */
    static ChatCompletionRequest parse(JsonNode body) {
        Fields fields = Fields.of(body, "");
        Fields streamOptions = fields.object("stream_options");
        ChatRequest.Builder chat = ChatRequest.newBuilder();
        String model = fields.string("model");
        chat.setModel(ModelNames.resolve(model == null ? "" : model));
        messages(fields, chat);
        chat.setSampling(SamplingFields.parse(fields));
        chat.setLimits(limits(fields));
        tools(fields, chat);
        outputFormat(fields, chat);
        reasoning(fields, chat);
        templateArguments(fields, chat);
        logprobs(fields, chat);
        Long choices = fields.integer("n", 1, MOST_CHOICES);
        chat.setChoices(choices == null ? 1 : choices.intValue());
        chat.setContinueLastMessage(continuesLastMessage(fields, chat));
        return new ChatCompletionRequest(
                chat.build(), fields.isTrue("stream"), streamOptions != null && streamOptions.isTrue("include_usage"));
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
        String name = fields.string("name");
        if (name != null) {
            message.setName(name);
        }
        String reasoning = fields.string("reasoning_content");
        if (reasoning != null) {
            message.setReasoning(whole(reasoning));
        }
        String callId = fields.string("tool_call_id");
        if (callId != null) {
            message.setToolCallId(callId);
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
            throw OpenAiError.badValue(
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
            throw OpenAiError.badValue(
                    fields.path(field), (text == null ? "absent" : Fields.kind(text)) + " (expected: a string)");
        }
        return text(text.stringValue());
    }

    private static ContentPart text(String text) {
        return ContentPart.newBuilder().setText(whole(text)).build();
    }

    /** JSON can spell half a character, UTF-8 cannot: such a half becomes the replacement character. */
    private static String whole(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                } else {
                    return text.codePoints()
                            .map(p -> p >= Character.MIN_SURROGATE && p <= Character.MAX_SURROGATE ? 0xfffd : p)
                            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                            .toString();
                }
            }
        }
        return text;
    }

    private static ToolCall toolCall(Fields fields) {
        fields.oneOf("type", Set.of("function"));
        Fields function = fields.object("function");
        if (function == null) {
            throw fields.bad("function", null, "an object");
        }
        ToolCall.Builder call = ToolCall.newBuilder().setName(function.requiredString("name"));
        String id = fields.string("id");
        if (id != null) {
            call.setId(id);
        }
        JsonNode arguments = function.any("arguments");
        if (arguments == null) {
            return call.build();
        }
        if (!arguments.isString() && !arguments.isObject()) {
            throw OpenAiError.badValue(
                    function.path("arguments"), Fields.kind(arguments) + " (expected: a string of JSON)");
        }
        return call.setArguments(arguments.isString() ? whole(arguments.stringValue()) : arguments.toString())
                .build();
    }

    private static Limits limits(Fields fields) {
        Limits.Builder limits = Limits.newBuilder();
        Long old = fields.integer("max_tokens", -1, MOST_TOKENS);
        Long current = fields.integer("max_completion_tokens", -1, MOST_TOKENS);
        Long most = current == null ? old : current;
        if (most != null && most == 0) {
            String name = current == null ? "max_tokens" : "max_completion_tokens";
            throw OpenAiError.badValue(name, "0 (expected: 1 or more, or -1 for as many as fit)");
        }
        if (most != null && most > 0) {
            limits.setMaxTokens(most.intValue());
        }
        JsonNode stop = fields.any("stop");
        if (stop != null && stop.isArray()) {
            List<JsonNode> stops = fields.array("stop", MOST_STOPS);
            for (int i = 0; i < stops.size(); i++) {
                limits.addStop(stop("stop[" + i + "]", stops.get(i)));
            }
        } else if (stop != null) {
            limits.addStop(stop("stop", stop));
        }
        return limits.build();
    }

    private static String stop(String path, JsonNode value) {
        if (!value.isString()) {
            throw OpenAiError.badValue(path, Fields.kind(value) + " (expected: a string, or an array of strings)");
        }
        String text = whole(value.stringValue());
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        if (length < 1 || length > LONGEST_STOP_BYTES) {
            throw OpenAiError.badValue(path, length + " bytes (expected: 1 to " + LONGEST_STOP_BYTES + ")");
        }
        return text;
    }

    private static void tools(Fields fields, ChatRequest.Builder chat) {
        List<JsonNode> tools = fields.array("tools", MOST_TOOLS);
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < tools.size(); i++) {
            Tool tool = tool(Fields.of(tools.get(i), "tools[" + i + "]"));
            names.add(tool.getName());
            chat.addTools(tool);
        }
        Boolean parallel = fields.bool("parallel_tool_calls");
        if (parallel != null) {
            chat.setParallelToolCalls(parallel);
        }
        ToolChoice choice = toolChoice(fields, names);
        if (choice != null) {
            chat.setToolChoice(choice);
        }
    }

    private static Tool tool(Fields fields) {
        if (fields.oneOf("type", Set.of("function")) == null) {
            throw fields.bad("type", null, "function");
        }
        Fields function = fields.object("function");
        if (function == null) {
            throw fields.bad("function", null, "an object");
        }
        String name = function.requiredString("name");
        if (!TOOL_NAME.matcher(name).matches()) {
            throw function.bad("name", function.any("name"), "1 to 128 letters, digits or _.:/-");
        }
        Tool.Builder tool = Tool.newBuilder().setName(name);
        String description = function.string("description");
        if (description != null) {
            tool.setDescription(whole(description));
        }
        JsonNode parameters = function.any("parameters");
        if (parameters != null) {
            if (!parameters.isObject()) {
                throw function.bad("parameters", parameters, "a JSON schema");
            }
            tool.setParametersSchema(parameters.toString());
        }
        return tool.build();
    }

    private static @Nullable ToolChoice toolChoice(Fields fields, Set<String> names) {
        JsonNode value = fields.any("tool_choice");
        if (value == null) {
            return null;
        }
        ToolChoice.Builder choice = ToolChoice.newBuilder();
        if (value.isString()) {
            choice.setMode(
                    switch (value.stringValue()) {
                        case "auto" -> ToolChoice.Mode.MODE_AUTO;
                        case "none" -> ToolChoice.Mode.MODE_NONE;
                        case "required" -> ToolChoice.Mode.MODE_REQUIRED;
                        default -> throw fields.bad("tool_choice", value, "none, auto, required or a function");
                    });
        } else {
            Fields named = Fields.of(value, "tool_choice");
            named.oneOf("type", Set.of("function"));
            Fields function = named.object("function");
            if (function == null) {
                throw named.bad("function", null, "an object with the tool's name");
            }
            String name = function.requiredString("name");
            if (!names.contains(name)) {
                throw function.bad("name", function.any("name"), "the name of one of the tools");
            }
            choice.setMode(ToolChoice.Mode.MODE_REQUIRED).setName(name);
        }
        if (choice.getMode() == ToolChoice.Mode.MODE_REQUIRED && names.isEmpty()) {
            throw OpenAiError.badValue("tool_choice", "\"required\" without tools (expected: tools to choose from)");
        }
        return choice.build();
    }

    private static void outputFormat(Fields fields, ChatRequest.Builder chat) {
        Fields format = fields.object("response_format");
        String grammar = fields.string("grammar");
        if (grammar != null && !grammar.isEmpty()) {
            chat.setOutputFormat(OutputFormat.newBuilder().setGrammar(grammar));
        }
        if (format == null) {
            return;
        }
        String type = format.oneOf("type", ordered("text", "json_object", "json_schema"));
        if (type == null) {
            throw format.bad("type", null, "text, json_object or json_schema");
        }
        switch (type) {
            case "json_object" -> {
                JsonNode schema = schema(format);
                jsonSchema(chat, schema == null ? "{\"type\":\"object\"}" : schema.toString());
            }
            case "json_schema" -> {
                Fields named = format.object("json_schema");
                JsonNode schema = schema(named == null ? format : named);
                if (schema == null) {
                    throw format.bad("json_schema", null, "an object with a schema");
                }
                jsonSchema(chat, schema.toString());
            }
            default -> {}
        }
    }

    private static @Nullable JsonNode schema(Fields fields) {
        JsonNode schema = fields.any("schema");
        if (schema != null && !schema.isObject() && !schema.isBoolean()) {
            throw fields.bad("schema", schema, "a JSON schema");
        }
        return schema;
    }

    private static void jsonSchema(ChatRequest.Builder chat, String schema) {
        chat.setOutputFormat(OutputFormat.newBuilder().setJsonSchema(schema));
    }

    private static void reasoning(Fields fields, ChatRequest.Builder chat) {
        String effort = fields.oneOf("reasoning_effort", EFFORTS);
        Boolean thinking = fields.bool("enable_thinking");
        if (effort == null && thinking == null) {
            return;
        }
        Reasoning.Builder reasoning = Reasoning.newBuilder();
        if (Boolean.FALSE.equals(thinking) || "none".equals(effort)) {
            reasoning.setMode(Reasoning.Mode.MODE_OFF);
        } else {
            reasoning.setMode(thinking == null ? Reasoning.Mode.MODE_UNSPECIFIED : Reasoning.Mode.MODE_ON);
            reasoning.setEffort(effort == null ? "" : effort.equals("xhigh") ? "high" : effort);
        }
        chat.setReasoning(reasoning);
    }

    private static void templateArguments(Fields fields, ChatRequest.Builder chat) {
        JsonNode arguments = fields.any("chat_template_kwargs");
        if (arguments == null) {
            return;
        }
        Fields.of(arguments, "chat_template_kwargs");
        for (Map.Entry<String, JsonNode> argument : arguments.properties()) {
            chat.putTemplateArguments(argument.getKey(), argument.getValue().toString());
        }
    }

    private static void logprobs(Fields fields, ChatRequest.Builder chat) {
        boolean wanted = fields.isTrue("logprobs");
        Long top = fields.integer("top_logprobs", 0, 20);
        if (top != null && top > 0 && !wanted) {
            throw OpenAiError.badValue("top_logprobs", top + " without logprobs (expected: logprobs true)");
        }
        if (wanted) {
            chat.setLogprobs(Logprobs.newBuilder().setTop(top == null ? 0 : top.intValue()));
        }
    }

    private static boolean continuesLastMessage(Fields fields, ChatRequest.Builder chat) {
        boolean wanted = fields.isTrue("continue_final_message");
        String last = chat.getMessages(chat.getMessagesCount() - 1).getRole();
        if (wanted && !last.equals("assistant")) {
            throw OpenAiError.badValue(
                    "continue_final_message", "true after a message of role " + last + " (expected: assistant)");
        }
        return wanted;
    }

    private static Set<String> ordered(String... words) {
        return new LinkedHashSet<>(List.of(words));
    }
}
