package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/** One item of a response's output, as it grows. */
final class ResponseItem {
    /** What an item is. */
    enum Kind {
        REASONING,
        MESSAGE,
        CALL
    }

    final Kind kind;
    final String id;
    /** Which call of the node's counting; -1 for no call. */
    final int call;

    private final String callId;
    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();

    private ResponseItem(Kind kind, String prefix, int call, String callId, String name) {
        this.kind = kind;
        this.id = Answers.id(prefix);
        this.call = call;
        this.callId = callId;
        this.name = name;
    }

    static ResponseItem reasoning() {
        return new ResponseItem(Kind.REASONING, "rs_", -1, "", "");
    }

    static ResponseItem message() {
        return new ResponseItem(Kind.MESSAGE, "msg_", -1, "", "");
    }

    static ResponseItem call(int call, String callId, String name) {
        return new ResponseItem(Kind.CALL, "fc_", call, callId, name);
    }

    void add(String more, List<TokenLogprob> ofTokens) {
        text.append(more);
        logprobs.addAll(ofTokens);
    }

    /** What was thought or said, or the call's arguments. */
    String text() {
        return text.toString();
    }

    /** Of each token of a message; empty unless asked for. */
    List<TokenLogprob> logprobs() {
        return logprobs;
    }

    String callId() {
        return callId;
    }

    String name() {
        return name;
    }

    /** @param status of the item: {@code in_progress}, {@code completed} or {@code incomplete} */
    JsonBytes write(JsonBytes out, String status) {
        out.raw("{\"id\":").string(id);
        boolean begun = status.equals("in_progress");
        switch (kind) {
            case REASONING -> {
                out.raw(",\"type\":\"reasoning\",\"summary\":[],\"content\":[");
                part(out, begun).raw("]");
            }
            case MESSAGE -> {
                out.raw(",\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
                part(out, begun).raw("]");
            }
            case CALL -> {
                out.raw(",\"type\":\"function_call\",\"call_id\":").string(callId);
                out.raw(",\"name\":").string(name).raw(",\"arguments\":").string(begun ? "" : text());
            }
        }
        return out.raw(",\"status\":\"").raw(status).raw("\"}");
    }

    private JsonBytes part(JsonBytes out, boolean begun) {
        return begun ? out : part(out, text(), logprobs);
    }

    /** The one part of its content. */
    JsonBytes part(JsonBytes out, String content, List<TokenLogprob> ofTokens) {
        if (kind == Kind.REASONING) {
            return out.raw("{\"type\":\"reasoning_text\",\"text\":")
                    .string(content)
                    .raw("}");
        }
        out.raw("{\"type\":\"output_text\",\"text\":").string(content).raw(",\"annotations\":[],\"logprobs\":[");
        AnswerParts.logprobs(out, ofTokens);
        return out.raw("]}");
    }
}
