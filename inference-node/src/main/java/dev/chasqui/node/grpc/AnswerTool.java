package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The form of an answer as one tool more. A grammar holds either calls of tools or a form, so where a model may call tools and shall answer in
 * a form, it is offered the form as a tool, must call one, and a call of this one is told as the answer's text.
 *
 * <p>One for each choice; the relay's thread owns it.
 */
final class AnswerTool {
    private static final String NAME = "final_answer";
    private static final String DESCRIPTION = "Gives the final answer, once no other tool is needed.";
    private static final String FIELD = "output_format.json_schema";

    private final String name;
    /** What was said outside of calls; an answer in a form has none of it. */
    private final StringBuilder prose = new StringBuilder();

    private boolean answering;
    private boolean called;
    /** Calls of this tool. */
    private int answers;

    /** @param name as {@link #nameIn} has it */
    AnswerTool(String name) {
        this.name = name;
    }

    /** The request with the form as a tool, where it has both; one whose tools must be called has no use for a form. */
    static ChatRequest in(ChatRequest request) {
        boolean offered = request.getToolsCount() > 0 && request.getToolChoice().getMode() != ToolChoice.Mode.MODE_NONE;
        OutputFormat format = request.getOutputFormat();
        if (!offered || !format.hasJsonSchema()) {
            return request;
        }
        ChatRequest.Builder asked = request.toBuilder().clearOutputFormat();
        if (request.getToolChoice().getMode() == ToolChoice.Mode.MODE_REQUIRED) {
            return asked.build();
        }
        JsonNode schema = AnswerSchema.exact(format.getJsonSchema(), FIELD).schema();
        InvalidRequest.require(
                schema.path("type").asString("").equals("object") || schema.has("properties"),
                FIELD,
                "no object",
                "a schema of type object, together with tools");
        String name = NAME;
        while (isTaken(request, name)) {
            name += "_";
        }
        return asked.addTools(Tool.newBuilder()
                        .setName(name)
                        .setDescription(DESCRIPTION)
                        .setParametersSchema(format.getJsonSchema()))
                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED))
                .build();
    }

    private static boolean isTaken(ChatRequest request, String name) {
        return request.getToolsList().stream().anyMatch(tool -> tool.getName().equals(name));
    }

    /** What the form is called among the tools; empty where it is none of them. */
    static String nameIn(ChatRequest asked, ChatRequest request) {
        int tools = asked.getToolsCount();
        return tools > request.getToolsCount() ? asked.getTools(tools - 1).getName() : "";
    }

    /** The deltas as the caller is told them. */
    List<Delta.Builder> told(List<Delta.Builder> deltas, boolean last) {
        List<Delta.Builder> told = new ArrayList<>();
        for (Delta.Builder delta : deltas) {
            prose.append(delta.getContent());
            delta.clearContent();
            if (delta.getToolCallsCount() > 0) {
                call(delta);
            }
            if (delta.getToolCallsCount() > 0
                    || !delta.getContent().isEmpty()
                    || !delta.getReasoning().isEmpty()) {
                told.add(delta);
            }
        }
        if (last && !called && answers == 0 && !prose.isEmpty()) {
            told.add(Delta.newBuilder().setContent(prose.toString())); // cut before it came to a call
        }
        return told;
    }

    private void call(Delta.Builder delta) {
        ToolCallDelta call = delta.getToolCalls(0);
        if (!call.getName().isEmpty()) {
            answering = call.getName().equals(name);
            answers += answering ? 1 : 0;
            called |= !answering;
        }
        if (!answering) {
            delta.setToolCalls(0, call.toBuilder().setIndex(call.getIndex() - answers))
                    .setContent(prose.toString());
            prose.setLength(0);
            return;
        }
        prose.setLength(0);
        delta.clearToolCalls();
        if (answers == 1) {
            delta.setContent(call.getArguments());
        }
    }
}
