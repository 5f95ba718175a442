package dev.chasqui.gateway.requests;

import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * OpenAI's older words for tools, which old clients still use: {@code functions}, {@code function_call} and the role
 * {@code function}. A call has no id there; the function's name stands in for it, and an answer holds one call at most.
 */
public final class FunctionFields {
    private static final int MOST_FUNCTIONS = 128;
    private static final Set<String> WORDS = Text.ordered("none", "auto");

    private FunctionFields() {}

    /** Whether the request speaks of functions, and wants to be answered so. */
    public static boolean present(Fields fields) {
        return fields.any("functions") != null;
    }

    /** Takes them into a request as tools. */
    static void add(Fields fields, ChatRequest.Builder chat) {
        if (fields.any("tools") != null) {
            throw RequestError.badValue("functions", "given with tools (expected: one of them)");
        }
        List<JsonNode> functions = fields.array("functions", MOST_FUNCTIONS);
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < functions.size(); i++) {
            chat.addTools(ToolFields.tool(Fields.of(functions.get(i), "functions[" + i + "]"), "parameters", false));
            names.add(chat.getTools(i).getName());
        }
        chat.setParallelToolCalls(false);
        JsonNode choice = fields.any("function_call");
        if (choice == null) {
            return;
        }
        if (choice.isObject()) {
            chat.setToolChoice(ToolFields.only(Fields.of(choice, "function_call"), names));
            return;
        }
        boolean none = "none".equals(fields.oneOf("function_call", WORDS));
        chat.setToolChoice(
                ToolChoice.newBuilder().setMode(none ? ToolChoice.Mode.MODE_NONE : ToolChoice.Mode.MODE_AUTO));
    }

    /** What an assistant's message says of a call. */
    static void call(Fields fields, ChatMessage.Builder message) {
        Fields call = fields.object("function_call");
        if (call != null) {
            String name = call.requiredString("name");
            message.addToolCalls(
                    ToolCall.newBuilder().setId(name).setName(name).setArguments(ToolFields.arguments(call)));
        }
    }

    /** A message of the role {@code function}, as a tool's. */
    static void result(Fields fields, ChatMessage.Builder message) {
        message.setRole("tool").setToolCallId(fields.requiredString("name"));
    }
}
