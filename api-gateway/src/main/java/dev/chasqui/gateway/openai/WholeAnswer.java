package dev.chasqui.gateway.openai;

import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;

/** Collects the node's events into one answer that is sent at its end. No I/O, no clock. */
final class WholeAnswer {
    private final String id;
    private final long created;
    private final String fingerprint;
    private final Choice[] choices;
    private String model = "";
    private Completed completed = Completed.getDefaultInstance();

    WholeAnswer(String id, long created, String fingerprint, int choices) {
        this.id = id;
        this.created = created;
        this.fingerprint = fingerprint;
        this.choices = new Choice[choices];
        for (int i = 0; i < choices; i++) {
            this.choices[i] = new Choice();
        }
    }

    void add(GenerationEvent event) {
        switch (event.getEventCase()) {
            case ADMITTED -> model = event.getAdmitted().getModel();
            case DELTA -> choices[event.getDelta().getChoice()].add(event.getDelta());
            case FINISHED ->
                choices[event.getFinished().getChoice()].reason =
                        event.getFinished().getReason();
            case COMPLETED -> completed = event.getCompleted();
            case PROGRESS, EVENT_NOT_SET -> {}
        }
    }

    byte[] encode() {
        JsonBytes out = new JsonBytes(1024);
        out.raw("{\"id\":")
                .string(id)
                .raw(",\"object\":\"chat.completion\",\"created\":")
                .number(created);
        out.raw(",\"model\":").string(model).raw(",\"system_fingerprint\":").string(fingerprint);
        out.raw(",\"choices\":[");
        for (int i = 0; i < choices.length; i++) {
            out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(i).raw(",\"message\":");
            choices[i].encode(out);
            out.raw("}");
        }
        out.raw("],\"usage\":");
        AnswerParts.usage(out, completed.getUsage());
        out.raw(",\"timings\":");
        AnswerParts.timings(out, completed.getUsage(), completed.getTimings());
        return out.raw("}").toArray();
    }

    private static final class Choice {
        private final StringBuilder content = new StringBuilder();
        private final StringBuilder reasoning = new StringBuilder();
        private final List<Call> calls = new ArrayList<>();
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private FinishReason reason = FinishReason.FINISH_REASON_UNSPECIFIED;

        void add(Delta delta) {
            content.append(delta.getContent());
            reasoning.append(delta.getReasoning());
            logprobs.addAll(delta.getLogprobsList());
            for (ToolCallDelta piece : delta.getToolCallsList()) {
                while (calls.size() <= piece.getIndex()) {
                    calls.add(new Call());
                }
                calls.get(piece.getIndex()).add(piece);
            }
        }

        void encode(JsonBytes out) {
            out.raw("{\"role\":\"assistant\",\"content\":");
            if (content.isEmpty() && !calls.isEmpty()) {
                out.raw("null");
            } else {
                out.string(content.toString());
            }
            out.raw(",\"refusal\":null");
            if (!reasoning.isEmpty()) {
                out.raw(",\"reasoning_content\":").string(reasoning.toString());
            }
            if (!calls.isEmpty()) {
                out.raw(",\"tool_calls\":[");
                for (int i = 0; i < calls.size(); i++) {
                    calls.get(i).encode(out.raw(i == 0 ? "" : ","));
                }
                out.raw("]");
            }
            out.raw("},\"logprobs\":");
            if (logprobs.isEmpty()) {
                out.raw("null");
            } else {
                out.raw("{\"content\":[");
                AnswerParts.logprobs(out, logprobs);
                out.raw("],\"refusal\":null}");
            }
            out.raw(",\"finish_reason\":").string(AnswerParts.finishReason(reason));
        }
    }

    private static final class Call {
        private final StringBuilder arguments = new StringBuilder();
        private String id = "";
        private String name = "";

        void add(ToolCallDelta piece) {
            id += piece.getId();
            name += piece.getName();
            arguments.append(piece.getArguments());
        }

        void encode(JsonBytes out) {
            out.raw("{\"id\":")
                    .string(id)
                    .raw(",\"type\":\"function\",\"function\":{\"name\":")
                    .string(name);
            out.raw(",\"arguments\":").string(arguments.toString()).raw("}}");
        }
    }
}
