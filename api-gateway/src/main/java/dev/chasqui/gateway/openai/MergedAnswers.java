package dev.chasqui.gateway.openai;

import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.Usage;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SynchronousSink;

/**
 * The answers to several prompts as if they were one: choices counted on, admitted once, and completed with the last.
 * One answer that fails ends all.
 */
final class MergedAnswers {
    private int running;
    private boolean admitted;
    private final Usage.Builder usage = Usage.newBuilder();
    private final Timings.Builder timings = Timings.newBuilder();

    private MergedAnswers(int running) {
        this.running = running;
    }

    /** @param choicesEach how many choices each answer has */
    static Flux<GenerationEvent> of(List<Flux<GenerationEvent>> answers, int choicesEach) {
        if (answers.size() == 1) {
            return answers.get(0);
        }
        return Flux.defer(() -> {
            MergedAnswers merged = new MergedAnswers(answers.size());
            List<Flux<GenerationEvent>> shifted = new ArrayList<>();
            for (Flux<GenerationEvent> answer : answers) {
                int first = shifted.size() * choicesEach;
                shifted.add(answer.map(event -> shift(event, first)));
            }
            return Flux.merge(Flux.fromIterable(shifted), shifted.size(), 1).handle(merged::pass);
        });
    }

    private static GenerationEvent shift(GenerationEvent event, int by) {
        GenerationEvent.Builder shifted = event.toBuilder();
        if (event.hasDelta()) {
            shifted.getDeltaBuilder().setChoice(event.getDelta().getChoice() + by);
        } else if (event.hasFinished()) {
            shifted.getFinishedBuilder().setChoice(event.getFinished().getChoice() + by);
        }
        return shifted.build();
    }

    private void pass(GenerationEvent event, SynchronousSink<GenerationEvent> out) {
        switch (event.getEventCase()) {
            case ADMITTED -> {
                if (!admitted) {
                    admitted = true;
                    out.next(event);
                }
            }
            case COMPLETED -> {
                add(event.getCompleted());
                if (--running == 0) {
                    out.next(GenerationEvent.newBuilder()
                            .setCompleted(Completed.newBuilder().setUsage(usage).setTimings(timings))
                            .build());
                }
            }
            default -> out.next(event);
        }
    }

    private void add(Completed one) {
        Usage more = one.getUsage();
        usage.setPromptTokens(usage.getPromptTokens() + more.getPromptTokens());
        usage.setCachedTokens(usage.getCachedTokens() + more.getCachedTokens());
        usage.setCompletionTokens(usage.getCompletionTokens() + more.getCompletionTokens());
        usage.setDraftedTokens(usage.getDraftedTokens() + more.getDraftedTokens());
        usage.setAcceptedTokens(usage.getAcceptedTokens() + more.getAcceptedTokens());
        // They ran beside each other, so the longest counts.
        timings.setQueueMs(Math.max(timings.getQueueMs(), one.getTimings().getQueueMs()));
        timings.setPromptMs(Math.max(timings.getPromptMs(), one.getTimings().getPromptMs()));
        timings.setDecodeMs(Math.max(timings.getDecodeMs(), one.getTimings().getDecodeMs()));
    }
}
