package dev.chasqui.gateway.conversations;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * One who reads an answer while it is made. He is told what is there since the last time: who is slow gets more text at
 * once. When he goes the answer goes on. Everything here is on the event loop.
 */
final class AnswerFollower extends Flux<AnswerStep> implements Subscription {
    private final RunningAnswer answer;
    private @Nullable CoreSubscriber<? super AnswerStep> reader;
    private long demand;
    private boolean started;
    private int content;
    private int reasoning;
    private boolean draining;

    AnswerFollower(RunningAnswer answer) {
        this.answer = answer;
        content = answer.contentLength();
        reasoning = answer.reasoningLength();
    }

    @Override
    public void subscribe(CoreSubscriber<? super AnswerStep> actual) {
        reader = actual;
        actual.onSubscribe(this);
        changed();
    }

    /** There may be more to tell. */
    void changed() {
        if (draining) {
            return;
        }
        draining = true;
        while (reader != null && demand > 0) {
            RuntimeException refusal = refusal();
            AnswerStep step = refusal == null ? following() : null;
            if (step != null) {
                demand--;
                reader.onNext(step);
            }
            if (refusal != null || step instanceof AnswerStep.Ended) {
                finish(refusal);
            } else if (step == null) {
                break;
            }
        }
        draining = false;
    }

    /** Why the node did not even take it, which can still become a status of its own. */
    private @Nullable RuntimeException refusal() {
        AnswerStep.Ended ended = answer.ended();
        return started || answer.isAdmitted() || ended == null ? null : ended.failure();
    }

    private @Nullable AnswerStep following() {
        if (!started) {
            if (!answer.isAdmitted() && answer.ended() == null) {
                return null;
            }
            started = true;
            return new AnswerStep.Started(answer.beginning(), answer.promptTokens());
        }
        if (reasoning < answer.reasoningLength()) {
            String text = answer.reasoningSince(reasoning);
            reasoning += text.length();
            return new AnswerStep.Text(true, text);
        }
        if (content < answer.contentLength()) {
            String text = answer.contentSince(content);
            content += text.length();
            return new AnswerStep.Text(false, text);
        }
        return answer.ended();
    }

    private void finish(@Nullable RuntimeException refusal) {
        CoreSubscriber<? super AnswerStep> actual = reader;
        reader = null;
        answer.leave(this);
        if (actual != null && refusal != null) {
            actual.onError(refusal);
        } else if (actual != null) {
            actual.onComplete();
        }
    }

    @Override
    public void request(long n) {
        if (Operators.validate(n)) {
            demand = Operators.addCap(demand, n);
            changed();
        }
    }

    @Override
    public void cancel() {
        reader = null;
        answer.leave(this);
    }
}
