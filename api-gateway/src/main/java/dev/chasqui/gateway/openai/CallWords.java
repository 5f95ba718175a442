package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.ToolCallDelta;
import java.util.List;

/** How a chat completion tells which tools the model calls: in today's words, or in those before them. */
enum CallWords {
    TOOLS {
        @Override
        void write(JsonBytes out, List<CollectedAnswer.Call> calls) {
            String comma = ",\"tool_calls\":[";
            for (CollectedAnswer.Call call : calls) {
                out.raw(comma).raw("{\"id\":").string(call.id()).raw(",\"type\":\"function\",\"function\":");
                function(out, call).raw("}");
                comma = ",";
            }
            out.raw(calls.isEmpty() ? "" : "]");
        }

        @Override
        void writeDeltas(JsonBytes out, List<ToolCallDelta> calls) {
            out.raw("\"tool_calls\":[");
            for (int i = 0; i < calls.size(); i++) {
                ToolCallDelta call = calls.get(i);
                out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(call.getIndex());
                if (!call.getId().isEmpty()) {
                    out.raw(",\"id\":").string(call.getId()).raw(",\"type\":\"function\"");
                }
                function(out.raw(",\"function\":"), call).raw("}");
            }
            out.raw("]");
        }
    },
    /** There is place for one call; the node was told to make no more. */
    FUNCTION {
        @Override
        void write(JsonBytes out, List<CollectedAnswer.Call> calls) {
            if (!calls.isEmpty()) {
                function(out.raw(",\"function_call\":"), calls.get(0));
            }
        }

        @Override
        void writeDeltas(JsonBytes out, List<ToolCallDelta> calls) {
            function(out.raw("\"function_call\":"), calls.get(0));
        }

        @Override
        String finishReason(FinishReason reason) {
            return reason == FinishReason.FINISH_REASON_TOOL_CALLS ? "function_call" : super.finishReason(reason);
        }
    };

    /** Writes the member of a message that holds the calls, with a comma before it; nothing where there are none. */
    abstract void write(JsonBytes out, List<CollectedAnswer.Call> calls);

    /** Writes the member of a delta that holds pieces of calls. */
    abstract void writeDeltas(JsonBytes out, List<ToolCallDelta> calls);

    String finishReason(FinishReason reason) {
        return AnswerParts.finishReason(reason);
    }

    private static JsonBytes function(JsonBytes out, CollectedAnswer.Call call) {
        out.raw("{\"name\":").string(call.name());
        return out.raw(",\"arguments\":").string(call.arguments()).raw("}");
    }

    private static JsonBytes function(JsonBytes out, ToolCallDelta call) {
        out.raw("{");
        if (!call.getName().isEmpty()) {
            out.raw("\"name\":").string(call.getName()).raw(",");
        }
        return out.raw("\"arguments\":").string(call.getArguments()).raw("}");
    }
}
