package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.ResumedChoice;
import dev.chasqui.proto.v1.Usage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What has been relayed of one answer, as far as another node must know it to go on: four bytes a token. The event loop owns
 * it.
 */
final class AnswerSoFar {
    private static final int[] NOTHING = {};

    private final List<Choice> choices = new ArrayList<>();
    private @Nullable Admitted admitted;
    private boolean complete = true;
    private int tokens;

    /** Hands on what a client gets of an event of the node that answers now, at once or with a later one. */
    void take(GenerationEvent event, Consumer<GenerationEvent> out) {
        switch (event.getEventCase()) {
            case ADMITTED -> {
                if (admitted == null) {
                    out.accept(event);
                }
                admitted = event.getAdmitted();
            }
            case DELTA -> choice(event.getDelta().getChoice()).take(event, out);
            case FINISHED -> choice(event.getFinished().getChoice()).finish(event, out);
            case COMPLETED -> out.accept(completed(event.getCompleted()));
            default -> {
                if (admitted == null || tokens == 0) {
                    out.accept(event);
                }
            }
        }
    }

    /** Whether a node has taken the request. */
    boolean begun() {
        return admitted != null || !choices.isEmpty();
    }

    /** Whether all is known that another node needs. */
    boolean canGoOn() {
        return admitted != null && complete && !admitted.getModelFingerprint().isEmpty();
    }

    /** Whether nothing is missing but the sum. */
    boolean ended(int wanted) {
        return choices.stream().filter(choice -> choice.finished != null).count() == wanted;
    }

    /** Tokens of all choices. */
    int tokens() {
        return tokens;
    }

    int seed() {
        return admitted == null ? 0 : admitted.getSeed();
    }

    String model() {
        return admitted == null ? "" : admitted.getModel();
    }

    /** What the next node has to know. What the last one had not told for good is forgotten: it comes again. */
    Resume resume(int wanted, long ageMs) {
        Resume.Builder resume = Resume.newBuilder().setAgeMs((int) Math.min(ageMs, 86_400_000));
        if (admitted != null) {
            resume.setModelFingerprint(admitted.getModelFingerprint());
        }
        for (int i = 0; i < wanted; i++) {
            Choice choice = choice(i);
            if (choice.finished == null) {
                resume.addChoices(choice.resume(i));
            } else {
                choice.before = true;
            }
        }
        return resume.build();
    }

    /** The sum of an answer whose node was lost when it had told everything else. */
    GenerationEvent completed() {
        choices.forEach(choice -> choice.before = true);
        Usage usage = Usage.newBuilder()
                .setPromptTokens(admitted == null ? 0 : admitted.getPromptTokens())
                .build();
        return completed(Completed.newBuilder().setUsage(usage).build());
    }

    /** With what choices took that had ended before the last node came. */
    private GenerationEvent completed(Completed last) {
        Usage.Builder usage = last.getUsage().toBuilder();
        for (Choice choice : choices) {
            if (choice.before && choice.finished != null) {
                usage.setCompletionTokens(usage.getCompletionTokens() + choice.finished.getCompletionTokens())
                        .setReasoningTokens(usage.getReasoningTokens() + choice.finished.getReasoningTokens());
            }
        }
        return GenerationEvent.newBuilder()
                .setCompleted(last.toBuilder().setUsage(usage))
                .build();
    }

    private Choice choice(int number) {
        while (choices.size() <= number) {
            choices.add(new Choice());
        }
        return choices.get(number);
    }

    private final class Choice {
        private int[] ids = NOTHING;
        private int size;
        /** Prompt tokens whose log-probabilities were relayed, and those that this node has told. */
        private int promptRelayed;

        private int promptTold;
        private float mirostatMu;
        /** It ends the choice, which its node has not confirmed. */
        private @Nullable GenerationEvent last;

        private @Nullable Finished finished;
        /** A former node finished it. */
        private boolean before;

        void take(GenerationEvent event, Consumer<GenerationEvent> out) {
            Delta delta = event.getDelta();
            if (delta.getFinal()) {
                last = event;
                return;
            }
            if (delta.getPromptLogprobsCount() > 0) {
                takePrompt(event, out);
                return;
            }
            int more = delta.getTokenIdsCount();
            // A node that does not know of this.
            complete &= more == delta.getTokens();
            if (size + more > ids.length) {
                ids = Arrays.copyOf(ids, Math.max(64, (size + more) * 2));
            }
            for (int i = 0; i < more; i++) {
                ids[size++] = delta.getTokenIds(i);
            }
            mirostatMu = delta.getMirostatMu();
            tokens += more;
            out.accept(event);
        }

        /** A node that takes over before the first token tells them again. */
        private void takePrompt(GenerationEvent event, Consumer<GenerationEvent> out) {
            int known = Math.max(0, promptRelayed - promptTold);
            int count = event.getDelta().getPromptLogprobsCount();
            promptTold += count;
            if (known < count) {
                GenerationEvent.Builder rest = event.toBuilder();
                rest.getDeltaBuilder()
                        .clearPromptLogprobs()
                        .addAllPromptLogprobs(
                                event.getDelta().getPromptLogprobsList().subList(known, count));
                promptRelayed = promptTold;
                out.accept(known == 0 ? event : rest.build());
            }
        }

        void finish(GenerationEvent event, Consumer<GenerationEvent> out) {
            if (last != null) {
                out.accept(last);
                last = null;
            }
            finished = event.getFinished();
            out.accept(event);
        }

        ResumedChoice.Builder resume(int number) {
            last = null;
            promptTold = 0;
            ResumedChoice.Builder resumed =
                    ResumedChoice.newBuilder().setChoice(number).setMirostatMu(mirostatMu);
            for (int i = 0; i < size; i++) {
                resumed.addTokenIds(ids[i]);
            }
            return resumed;
        }
    }
}
