package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes a chat request as the JSON that llama.cpp's template engine takes, checking what it would trip over. */
final class ChatJson {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int MOST_TOOLS = 128;
    private static final Pattern TOOL_NAME = Pattern.compile("[A-Za-z0-9_.:/-]{1,128}");
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool");

    private ChatJson() {}

    /**
     * All of a request.
     *
     * @param form that the answer is held to; null: none, or it is read and not held
     * @param answerTool whose arguments have this form; empty: the answer itself
     */
    static String of(ChatRequest request, @Nullable HeldSchema form, String answerTool) {
        InvalidRequest.require(request.getMessagesCount() > 0, "messages", "none", "at least one message");
        ObjectNode root = JSON.createObjectNode();
        ArrayNode messages = root.putArray("messages");
        for (int i = 0; i < request.getMessagesCount(); i++) {
            messages.add(message(request.getMessages(i), "messages[" + i + "]"));
        }
        addTools(request, root, form, answerTool);
        if (form != null && answerTool.isEmpty()) {
            root.set("json_schema", form.schema()); // a grammar goes to the sampler as it is
        }
        addReasoning(request.getReasoning(), root);
        if (request.getTemplateArgumentsCount() > 0) {
            ObjectNode arguments = root.putObject("chat_template_kwargs");
            request.getTemplateArgumentsMap()
                    .forEach((name, value) -> arguments.set(name, json(value, "template_arguments." + name)));
        }
        if (request.getContinueLastMessage()) {
            String role = request.getMessages(request.getMessagesCount() - 1).getRole();
            InvalidRequest.require(
                    role.equals("assistant"), "continue_last_message", role, "a last message of an assistant");
            root.put("continue_final_message", true);
        }
        root.put("now", now());
        return JSON.writeValueAsString(root);
    }

    /** Seconds since 1970, for templates that tell the date. */
    static long now() {
        return System.currentTimeMillis() / 1000;
    }

    private static ObjectNode message(ChatMessage message, String field) {
        checkRole(message.getRole(), field);
        ObjectNode node = JSON.createObjectNode();
        node.put("role", message.getRole());
        addContent(message.getContentList(), node, field);
        if (!message.getName().isEmpty()) {
            node.put("name", message.getName());
        }
        if (!message.getReasoning().isEmpty()) {
            node.put("reasoning_content", message.getReasoning());
        }
        if (!message.getToolCallId().isEmpty()) {
            node.put("tool_call_id", message.getToolCallId());
        }
        if (message.getToolCallsCount() > 0) {
            ArrayNode calls = node.putArray("tool_calls");
            for (ToolCall call : message.getToolCallsList()) {
                ObjectNode function = calls.addObject()
                        .put("id", call.getId())
                        .put("type", "function")
                        .putObject("function");
                function.put("name", call.getName()).put("arguments", arguments(call.getArguments()));
            }
        }
        return node;
    }

    /** @param message where it stands in the request */
    static void checkRole(String role, String message) {
        InvalidRequest.require(
                ROLES.contains(role),
                message + ".role",
                quoted(role),
                "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
    }

    /** Templates take arguments apart, so they must be an object: what a model wrote otherwise, or broke off, goes into one as a text. */
    private static String arguments(String written) {
        if (written.isBlank()) {
            return "{}";
        }
        try {
            if (JSON.readTree(written).isObject()) {
                return written;
            }
        } catch (JacksonException e) {
            // The model's fault, which it may be shown.
        }
        return JSON.createObjectNode().put("unfinished_json", written).toString();
    }

    private static void addContent(List<ContentPart> parts, ObjectNode node, String field) {
        for (int i = 0; i < parts.size(); i++) {
            InvalidRequest.require(
                    parts.get(i).hasText(), field + ".content[" + i + "]", "an empty part", "a text part");
        }
        if (parts.size() == 1) {
            node.put("content", parts.get(0).getText());
        } else if (parts.isEmpty()) {
            node.put("content", "");
        } else {
            ArrayNode content = node.putArray("content");
            parts.forEach(part -> content.addObject().put("type", "text").put("text", part.getText()));
        }
    }

    private static void addTools(ChatRequest request, ObjectNode root, @Nullable HeldSchema form, String answerTool) {
        ToolChoice choice = request.getToolChoice();
        boolean required = choice.getMode() == ToolChoice.Mode.MODE_REQUIRED;
        String only = required ? choice.getName() : "";
        ArrayNode tools = tools(request, only);
        if (form != null) {
            for (JsonNode tool : tools) {
                if (tool.at("/function/name").asString().equals(answerTool)) {
                    ((ObjectNode) tool.get("function")).set("parameters", form.schema());
                }
            }
        }
        InvalidRequest.require(
                only.isEmpty() || !tools.isEmpty(), "tool_choice.name", quoted(only), "the name of one of the tools");
        if (tools.isEmpty()) {
            InvalidRequest.require(!required, "tool_choice", "required without tools", "tools");
            return;
        }
        InvalidRequest.require(
                choice.getMode() == ToolChoice.Mode.MODE_NONE
                        || request.getOutputFormat().getFormatCase() == OutputFormat.FormatCase.FORMAT_NOT_SET,
                request.getOutputFormat().hasGrammar() ? "output_format.grammar" : "output_format",
                "given together with tools",
                "one of them, or tool_choice none");
        root.set("tools", tools);
        root.put(
                "tool_choice",
                switch (choice.getMode()) {
                    case MODE_NONE -> "none";
                    case MODE_REQUIRED -> "required";
                    case MODE_UNSPECIFIED, MODE_AUTO, UNRECOGNIZED -> "auto";
                });
        if (request.hasParallelToolCalls()) {
            root.put("parallel_tool_calls", request.getParallelToolCalls());
        } else if (!only.isEmpty()) {
            root.put("parallel_tool_calls", false);
        }
    }

    /** @param only the tool that must be called, which is then the only one; empty: all of them */
    private static ArrayNode tools(ChatRequest request, String only) {
        InvalidRequest.require(
                request.getToolsCount() <= MOST_TOOLS, "tools", request.getToolsCount(), "at most " + MOST_TOOLS);
        ArrayNode tools = JSON.createArrayNode();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < request.getToolsCount(); i++) {
            Tool tool = request.getTools(i);
            InvalidRequest.require(
                    TOOL_NAME.matcher(tool.getName()).matches() && names.add(tool.getName()),
                    "tools[" + i + "].name",
                    quoted(tool.getName()),
                    "a name of its own, of 1 to 128 letters, digits and _ . : / -");
            if (only.isEmpty() || only.equals(tool.getName())) {
                addTool(tool, "tools[" + i + "]", tools);
            }
        }
        return tools;
    }

    private static void addTool(Tool tool, String field, ArrayNode tools) {
        ObjectNode function = tools.addObject().put("type", "function").putObject("function");
        function.put("name", tool.getName()).put("description", tool.getDescription());
        function.set(
                "parameters",
                tool.getParametersSchema().isEmpty()
                        ? JSON.createObjectNode().put("type", "object")
                        : AnswerSchema.bounded(tool.getParametersSchema(), field + ".parameters_schema"));
    }

    private static void addReasoning(Reasoning reasoning, ObjectNode root) {
        switch (reasoning.getMode()) {
            case MODE_ON -> root.put("enable_thinking", true);
            case MODE_OFF -> root.put("enable_thinking", false);
            case MODE_UNSPECIFIED, UNRECOGNIZED -> {}
        }
        if (!reasoning.getEffort().isEmpty()) {
            root.put("reasoning_effort", reasoning.getEffort());
        }
    }

    /** A field that holds JSON as text. */
    private static JsonNode json(String text, String field) {
        try {
            return JSON.readTree(text);
        } catch (JacksonException e) {
            throw new InvalidRequest(field, "not shown", "a JSON text; " + e.getOriginalMessage());
        }
    }

    private static String quoted(String text) {
        return "\"" + (text.length() > 40 ? text.substring(0, 40) + "…" : text) + "\"";
    }
}
