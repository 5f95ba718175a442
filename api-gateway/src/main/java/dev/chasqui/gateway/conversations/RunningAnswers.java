package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.limits.Admission;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.streams.Kind;
import dev.chasqui.gateway.streams.StreamItem;
import dev.chasqui.gateway.streams.UserEvents;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Usage;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Every answer that runs here, until it has ended and is saved. */
final class RunningAnswers {
    private final Database database;
    private final UserEvents events;
    private final EventLoop loop;
    private final Clock clock;
    private final GenerationLog generations;
    private final Map<String, Run> runs = new LinkedHashMap<>();
    private volatile int count;

    private record Run(String userId, RunningAnswer answer) {}

    RunningAnswers(Database database, UserEvents events, EventLoop loop, Clock clock, GenerationLog generations) {
        this.database = database;
        this.events = events;
        this.loop = loop;
        this.clock = clock;
        this.generations = generations;
    }

    /**
     * Begins to generate.
     *
     * @param answer as the database has it
     * @param admission counts it, and ends with it
     * @param then told of the whole answer when it is saved
     */
    Flux<AnswerStep> start(
            String userId,
            Message answer,
            Flux<GenerationEvent> generated,
            Admission admission,
            Consumer<Message> then) {
        RunningAnswer running = new RunningAnswer(answer, new Surroundings(userId, admission, then));
        runs.put(answer.id(), new Run(userId, running));
        count = runs.size();
        Flux<AnswerStep> steps = running.follow();
        running.start(generated);
        return steps;
    }

    /** Answers that run, or have ended and are not saved yet. */
    int count() {
        return count;
    }

    boolean isRunning(String conversationId) {
        return runs.values().stream()
                .anyMatch(run -> run.answer().beginning().conversationId().equals(conversationId)
                        && run.answer().ended() == null);
    }

    /**
     * How to bring up to date what is read from the database from now on. It knows the answers that run now, as one that
     * ends meanwhile may be read as it was before.
     */
    UnaryOperator<Message> upToDate() {
        Map<String, Run> before = Map.copyOf(runs);
        return stored -> {
            Run run = runs.getOrDefault(stored.id(), before.get(stored.id()));
            return run == null ? stored : run.answer().now();
        };
    }

    /** Ends those of a conversation that run, and waits until they are saved; how they are then. */
    Flux<Message> stop(String conversationId) {
        List<RunningAnswer> found = new ArrayList<>();
        for (Run run : runs.values()) {
            if (run.answer().beginning().conversationId().equals(conversationId)
                    && run.answer().ended() == null) {
                found.add(run.answer());
            }
        }
        return Flux.fromIterable(found).flatMap(answer -> {
            Flux<AnswerStep> steps = answer.follow();
            answer.end(Message.Status.STOPPED, "");
            return steps.ofType(AnswerStep.Ended.class).map(AnswerStep.Ended::answer);
        });
    }

    /** The gateway ends: what has not ended by itself is interrupted. */
    void interruptAll() {
        List.copyOf(runs.values())
                .forEach(run -> run.answer().end(Message.Status.INTERRUPTED, "The gateway was shut down."));
    }

    List<StreamItem.Piece> pieces(String userId) {
        List<StreamItem.Piece> pieces = new ArrayList<>();
        for (Run run : runs.values()) {
            RunningAnswer answer = run.answer();
            if (run.userId().equals(userId) && answer.ended() == null) {
                if (answer.reasoningLength() > 0) {
                    pieces.add(piece(answer, true, answer.reasoningSince(0)));
                }
                if (answer.contentLength() > 0) {
                    pieces.add(piece(answer, false, answer.contentSince(0)));
                }
            }
        }
        return pieces;
    }

    private static StreamItem.Piece piece(RunningAnswer answer, boolean reasoning, String text) {
        Message message = answer.beginning();
        return new StreamItem.Piece(message.conversationId(), message.id(), reasoning, 0, text);
    }

    @Nullable
    String since(String messageId, boolean reasoning, int offset) {
        Run run = runs.get(messageId);
        if (run == null) {
            return null;
        }
        return reasoning ? run.answer().reasoningSince(offset) : run.answer().contentSince(offset);
    }

    /** What is around each answer. */
    private final class Surroundings implements RunningAnswer.Surroundings {
        private final String userId;
        private final Admission admission;
        private final Consumer<Message> then;

        Surroundings(String userId, Admission admission, Consumer<Message> then) {
            this.userId = userId;
            this.admission = admission;
            this.then = then;
        }

        @Override
        public Mono<Void> save(Message soFar) {
            return database.transaction(transaction -> MessageTable.progress(
                            transaction, soFar.id(), soFar.content(), soFar.reasoning(), clock.millis()))
                    .then();
        }

        @Override
        public Mono<Void> finish(Message whole) {
            UnaryOperator<Conversation> touched =
                    conversation -> conversation.at(conversation.currentMessage(), clock.millis());
            return events.record(
                            userId,
                            recorder -> MessageTable.update(recorder.transaction(), whole)
                                    .filter(rows -> rows > 0)
                                    .flatMap(rows -> ConversationTable.find(
                                            recorder.transaction(), userId, whole.conversationId()))
                                    .map(touched)
                                    .flatMap(conversation -> ConversationTable.update(
                                                    recorder.transaction(), conversation)
                                            .doOnNext(rows -> {
                                                recorder.tell(
                                                        Kind.MESSAGE, whole.id(), ConversationJson.event(whole), true);
                                                recorder.tell(
                                                        Kind.CONVERSATION,
                                                        conversation.id(),
                                                        ConversationJson.event(conversation),
                                                        false);
                                            })))
                    .then();
        }

        @Override
        public void grown(Message answer, boolean reasoning, int offset, String text) {
            events.tell(userId, new StreamItem.Piece(answer.conversationId(), answer.id(), reasoning, offset, text));
        }

        @Override
        public void ended(Message whole, GenerationOutcome outcome, long startNanos) {
            runs.remove(whole.id());
            count = runs.size();
            generations.ended(outcome, startNanos);
            Usage computed = outcome.computed();
            admission.used(computed.getPromptTokens(), computed.getCachedTokens(), computed.getCompletionTokens());
            admission.end();
            then.accept(whole);
        }

        @Override
        public EventLoop loop() {
            return loop;
        }

        @Override
        public Clock clock() {
            return clock;
        }
    }
}
