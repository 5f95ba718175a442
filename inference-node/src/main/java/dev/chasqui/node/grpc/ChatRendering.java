package dev.chasqui.node.grpc;

import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.ChatPrompt;
import dev.chasqui.llama.ChatTemplate;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ToolChoice;

/**
 * Renders a chat with the model's template. A template that knows no tools would leave them out without a word: then one in
 * the same form that does is taken in its place, and where there is none the request is refused.
 */
final class ChatRendering {
    /** How the converter begins to say where a schema is at fault. */
    private static final String SCHEMA_ERROR = "JSON schema error at ";

    private ChatRendering() {}

    /**
     * Renders a chat.
     *
     * @param answerTool the tool whose call is the answer's text; empty: none
     */
    static ChatPrompt render(ChatRequest request, String answerTool, LoadedModel model) {
        if (answerTool.isEmpty() && !request.getOutputFormat().hasJsonSchema()) {
            return PlainChat.of(request)
                    .map(plain -> model.chatTemplate().render(plain, ChatJson.now()))
                    .orElseGet(() -> rendered(request, ChatJson.of(request, null, ""), model));
        }
        HeldSchema form = AnswerSchema.exact(
                answerTool.isEmpty() ? request.getOutputFormat().getJsonSchema() : schemaOf(request, answerTool),
                PreparedPrompt.SCHEMA);
        ChatPrompt prompt = rendered(request, ChatJson.of(request, form, answerTool), model);
        AnswerForm held = form.in(prompt.form());
        if (answerTool.isEmpty()) {
            return new ChatPrompt(prompt.tokens(), held);
        }
        // The model reads what it was sent, and writes what is held.
        ChatPrompt read = rendered(request, ChatJson.of(request, null, answerTool), model);
        return new ChatPrompt(read.tokens(), held);
    }

    private static String schemaOf(ChatRequest request, String tool) {
        return request.getToolsList().stream()
                .filter(one -> one.getName().equals(tool))
                .findFirst()
                .orElseThrow()
                .getParametersSchema();
    }

    private static ChatPrompt rendered(ChatRequest request, String json, LoadedModel model) {
        boolean offered = request.getToolsCount() > 0 && request.getToolChoice().getMode() != ToolChoice.Mode.MODE_NONE;
        String field = offered ? "tools" : fieldOfCalls(request);
        if (field.isEmpty()) {
            return model.chatTemplate().render(json);
        }
        ChatTemplate template = model.llama().toolTemplate().orElseThrow(() -> unknown(field, model));
        ChatPrompt prompt = renderedWithTools(template, json);
        boolean required = request.getToolChoice().getMode() == ToolChoice.Mode.MODE_REQUIRED;
        if (offered && (prompt.form().plainText() || required && !prompt.form().constrained())) {
            throw unknown(field, model);
        }
        return prompt;
    }

    /** The form of calls is made together with the prompt: what is wrong with a tool's schema is no fault of the messages. */
    private static ChatPrompt renderedWithTools(ChatTemplate template, String json) {
        try {
            return template.render(json);
        } catch (LlamaException e) {
            String why = String.valueOf(e.getMessage());
            int at = why.indexOf(SCHEMA_ERROR);
            if (at < 0) {
                throw e;
            }
            throw new InvalidRequest(
                    "tools",
                    "not shown",
                    "JSON schemas as parameters; at " + why.substring(at + SCHEMA_ERROR.length()));
        }
    }

    /** Where earlier calls or their results stand; empty: nowhere. */
    private static String fieldOfCalls(ChatRequest request) {
        for (int i = 0; i < request.getMessagesCount(); i++) {
            ChatMessage message = request.getMessages(i);
            if (message.getToolCallsCount() > 0) {
                return "messages[" + i + "].tool_calls";
            }
            if (message.getRole().equals("tool")) {
                return "messages[" + i + "].role";
            }
        }
        return "";
    }

    private static InvalidRequest unknown(String field, LoadedModel model) {
        return new InvalidRequest(field, "given", "none, as the chat template of " + model.name() + " knows no tools");
    }
}
