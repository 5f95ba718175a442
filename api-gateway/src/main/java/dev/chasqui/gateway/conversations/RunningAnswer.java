package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.Usage;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An answer while it is generated. It belongs to its conversation: readers come and go, and it ends when the model ends
 * it, or somebody stops it. What it has is saved twice a second while it grows; its end is told when it is saved.
 *
 * <p>Everything here is on the event loop.
 */
final class RunningAnswer {
    private static final long SAVE_AFTER_MS = 500;
    /** Others know by it that this gateway lives, while the model says nothing. */
    private static final long HEARTBEAT_MS = 10_000;

    private static final long TRY_AGAIN_MS = 2_000;

    /** What is around an answer. */
    interface Surroundings {
        /** Keeps the text that there is by now. */
        Mono<Void> save(Message soFar);

        /** Keeps the whole answer, and tells that it has ended. */
        Mono<Void> finish(Message whole);

        /** There is more text. */
        void grown(Message answer, boolean reasoning, int offset, String text);

        /** It has ended, and is saved. */
        void ended(Message whole, GenerationOutcome outcome, long startNanos);

        EventLoop loop();

        Clock clock();
    }

    private final Message beginning;
    private final Surroundings surroundings;
    private final Call call = new Call();
    private final GenerationOutcome outcome = new GenerationOutcome();
    private final long startNanos = System.nanoTime();
    private final StringBuilder content;
    private final StringBuilder reasoning;
    private final List<AnswerFollower> followers = new ArrayList<>();
    private String model;
    private int promptTokens;
    private boolean admitted;
    private FinishReason reason = FinishReason.FINISH_REASON_UNSPECIFIED;
    private @Nullable Message whole;
    private AnswerStep.@Nullable Ended ended;
    private @Nullable RuntimeException failure;
    private boolean saving;
    private boolean dirty;
    private Runnable cancelTimer = () -> {};

    /** @param beginning as the database has it */
    RunningAnswer(Message beginning, Surroundings surroundings) {
        this.beginning = beginning;
        this.surroundings = surroundings;
        content = new StringBuilder(beginning.content());
        reasoning = new StringBuilder(beginning.reasoning());
        model = beginning.model();
    }

    void start(Flux<GenerationEvent> events) {
        cancelTimer = surroundings.loop().schedule(this::save, HEARTBEAT_MS);
        events.subscribe(call);
    }

    /** Reads along, from where it is now. */
    Flux<AnswerStep> follow() {
        AnswerFollower follower = new AnswerFollower(this);
        followers.add(follower);
        return follower;
    }

    void leave(AnswerFollower follower) {
        followers.remove(follower);
    }

    /** Ends it; what there is stays. */
    void end(Message.Status how, String why) {
        call.cancel();
        finish(how, why);
    }

    Message beginning() {
        return beginning.reading(beginning.content(), beginning.reasoning(), model);
    }

    /** As it is now. It runs until its end is told, so that whoever sees it ended sees all that ended with it. */
    Message now() {
        return ended == null ? beginning.reading(content.toString(), reasoning.toString(), model) : ended.answer();
    }

    boolean isAdmitted() {
        return admitted;
    }

    int promptTokens() {
        return promptTokens;
    }

    int contentLength() {
        return content.length();
    }

    int reasoningLength() {
        return reasoning.length();
    }

    String contentSince(int from) {
        return content.substring(Math.min(from, content.length()));
    }

    String reasoningSince(int from) {
        return reasoning.substring(Math.min(from, reasoning.length()));
    }

    AnswerStep.@Nullable Ended ended() {
        return ended;
    }

    private void grow(Delta delta) {
        grow(reasoning, true, delta.getReasoning());
        grow(content, false, delta.getContent());
    }

    private void grow(StringBuilder text, boolean thoughts, String piece) {
        if (piece.isEmpty()) {
            return;
        }
        // What PostgreSQL cannot hold.
        String more = piece.indexOf('\0') < 0 ? piece : piece.replace('\0', '\ufffd');
        int offset = text.length();
        text.append(more);
        surroundings.grown(beginning, thoughts, offset, more);
        if (!dirty) {
            dirty = true;
            cancelTimer.run();
            cancelTimer = surroundings.loop().schedule(this::save, SAVE_AFTER_MS);
        }
        tellFollowers();
    }

    private void tellFollowers() {
        if (!followers.isEmpty()) {
            List.copyOf(followers).forEach(AnswerFollower::changed);
        }
    }

    private void save() {
        if (saving || whole != null) {
            return;
        }
        saving = true;
        dirty = false;
        surroundings.save(now()).subscribe(none -> {}, error -> saveEnded(TRY_AGAIN_MS), () -> saveEnded(HEARTBEAT_MS));
    }

    private void saveEnded(long next) {
        saving = false;
        if (whole != null) {
            finishNow(whole);
        } else {
            cancelTimer.run();
            cancelTimer = surroundings.loop().schedule(this::save, dirty ? SAVE_AFTER_MS : next);
        }
    }

    private void finish(Message.Status how, String why) {
        if (whole != null) {
            return;
        }
        cancelTimer.run();
        whole = beginning
                .reading(content.toString(), reasoning.toString(), model)
                .ended(
                        how,
                        content.toString(),
                        reasoning.toString(),
                        how == Message.Status.COMPLETE ? word() : "",
                        why,
                        tally(),
                        surroundings.clock().millis());
        if (!saving) {
            finishNow(whole);
        }
    }

    private void finishNow(Message last) {
        saving = true;
        surroundings.finish(last).subscribe(none -> {}, error -> unsaved(last), () -> finished(last));
    }

    private void finished(Message last) {
        end(new AnswerStep.Ended(last, true, failure));
        surroundings.ended(last, outcome, startNanos);
    }

    /** The readers need not wait for the database. */
    private void unsaved(Message last) {
        end(new AnswerStep.Ended(last, false, failure));
        cancelTimer = surroundings.loop().schedule(() -> finishNow(last), TRY_AGAIN_MS);
    }

    private void end(AnswerStep.Ended step) {
        if (ended == null) {
            ended = step;
            tellFollowers();
        }
    }

    private String word() {
        return reason == FinishReason.FINISH_REASON_LENGTH ? "length" : "stop";
    }

    private Message.Tally tally() {
        Usage usage = outcome.usage() == null ? Usage.getDefaultInstance() : outcome.usage();
        Timings timings = outcome.timings() == null ? Timings.getDefaultInstance() : outcome.timings();
        long first = outcome.firstDeltaNanos();
        return new Message.Tally(
                usage.getPromptTokens() == 0 ? promptTokens : usage.getPromptTokens(),
                usage.getCachedTokens(),
                usage.getCompletionTokens() == 0 ? call.tokens : usage.getCompletionTokens(),
                first == 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(first - startNanos),
                Math.round(timings.getPromptMs()),
                Math.round(timings.getDecodeMs()),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos));
    }

    /** The call to the node. */
    private final class Call extends BaseSubscriber<GenerationEvent> {
        private int tokens;

        @Override
        protected void hookOnNext(GenerationEvent event) {
            outcome.note(event);
            switch (event.getEventCase()) {
                case ADMITTED -> {
                    admitted = true;
                    model = event.getAdmitted().getModel();
                    promptTokens = event.getAdmitted().getPromptTokens();
                    tellFollowers();
                }
                case DELTA -> {
                    tokens += event.getDelta().getTokens();
                    grow(event.getDelta());
                }
                case FINISHED -> reason = event.getFinished().getReason();
                default -> {}
            }
        }

        @Override
        protected void hookOnComplete() {
            finish(Message.Status.COMPLETE, "");
        }

        @Override
        protected void hookOnError(Throwable error) {
            NodeException known = error instanceof NodeException e
                    ? e
                    : new NodeException(
                            ErrorReason.ERROR_REASON_INTERNAL, "The server had an error while generating.", null, null);
            failure = known;
            boolean away = switch (known.reason()) {
                case ERROR_REASON_NODE_UNREACHABLE, ERROR_REASON_SHUTTING_DOWN, ERROR_REASON_CANCELLED -> true;
                default -> false;
            };
            finish(away ? Message.Status.INTERRUPTED : Message.Status.FAILED, known.sentence());
        }
    }
}
