package dev.chasqui.gateway.answers;

import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.Usage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A node's events put together to one answer. No I/O, no clock. */
public final class CollectedAnswer {
    private final Choice[] choices;
    private String model = "";
    private Completed completed = Completed.getDefaultInstance();

    /** @param choices how many answers there are */
    public CollectedAnswer(int choices) {
        this.choices = IntStream.range(0, choices).mapToObj(i -> new Choice()).toArray(Choice[]::new);
    }

    /** Takes the next event. */
    public void add(GenerationEvent event) {
        switch (event.getEventCase()) {
            case ADMITTED -> model = event.getAdmitted().getModel();
            case DELTA -> choices[event.getDelta().getChoice()].add(event.getDelta());
            case FINISHED -> choices[event.getFinished().getChoice()].finished = event.getFinished();
            case COMPLETED -> completed = event.getCompleted();
            case PROGRESS, EVENT_NOT_SET -> {}
        }
    }

    /** The model that answered. */
    public String model() {
        return model;
    }

    /** Each answer. */
    public List<Choice> choices() {
        return Arrays.asList(choices);
    }

    /** Token counts over all answers. */
    public Usage usage() {
        return completed.getUsage();
    }

    /** Times as the node measured them. */
    public Timings timings() {
        return completed.getTimings();
    }

    /** One of the answers. */
    public static final class Choice {
        private final StringBuilder content = new StringBuilder();
        private final StringBuilder reasoning = new StringBuilder();
        private final List<Call> calls = new ArrayList<>();
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
        private Finished finished = Finished.getDefaultInstance();

        private void add(Delta delta) {
            content.append(delta.getContent());
            reasoning.append(delta.getReasoning());
            logprobs.addAll(delta.getLogprobsList());
            promptLogprobs.addAll(delta.getPromptLogprobsList());
            for (ToolCallDelta piece : delta.getToolCallsList()) {
                while (calls.size() <= piece.getIndex()) {
                    calls.add(new Call());
                }
                calls.get(piece.getIndex()).add(piece);
            }
        }

        /** Its text; may be empty. */
        public String content() {
            return content.toString();
        }

        /** What the model thought; may be empty. */
        public String reasoning() {
            return reasoning.toString();
        }

        /** The tools it calls. */
        public List<Call> calls() {
            return calls;
        }

        /** Of each token; empty unless asked for. */
        public List<TokenLogprob> logprobs() {
            return logprobs;
        }

        /** Of each token of the prompt; empty unless asked for. */
        public List<TokenLogprob> promptLogprobs() {
            return promptLogprobs;
        }

        /** Why it ended. */
        public FinishReason reason() {
            return finished.getReason();
        }

        /** The stop string that ended it; empty if none did. */
        public String stop() {
            return finished.getStop();
        }
    }

    /** A call of a tool. */
    public static final class Call {
        private final StringBuilder arguments = new StringBuilder();
        private String id = "";
        private String name = "";

        private void add(ToolCallDelta piece) {
            id += piece.getId();
            name += piece.getName();
            arguments.append(piece.getArguments());
        }

        /** As the model's answer names it. */
        public String id() {
            return id;
        }

        /** The tool. */
        public String name() {
            return name;
        }

        /** JSON text, as the model wrote it. */
        public String arguments() {
            return arguments.toString();
        }
    }
}
