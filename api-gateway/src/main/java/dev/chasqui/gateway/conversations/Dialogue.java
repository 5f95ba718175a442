package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.limits.Admission;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.streams.Kind;
import dev.chasqui.gateway.streams.Recorder;
import dev.chasqui.gateway.streams.UserEvents;
import dev.chasqui.proto.v1.ChatRequest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * What is said in conversations: questions, answers, other answers and other questions. What was begun is carried
 * through, also where the one who asked goes away; a question is stored before its answer begins.
 */
public final class Dialogue {
    /** Answers of a first exchange, and of a second try at it. */
    private static final long LAST_FOR_TITLE = 4;

    private final Conversations conversations;
    private final UserEvents events;
    private final RunningAnswers running;
    private final ConversationSettings settings;
    private final Clock clock;
    private final NodeRouter nodes;
    private final HistoryWindow window;
    private final TitleWriter titles;

    Dialogue(
            Conversations conversations,
            UserEvents events,
            RunningAnswers running,
            NodeRouter nodes,
            ConversationSettings settings,
            Clock clock) {
        this.conversations = conversations;
        this.events = events;
        this.running = running;
        this.nodes = nodes;
        this.settings = settings;
        this.clock = clock;
        window = new HistoryWindow(nodes, settings.mostHistory());
        titles = new TitleWriter(nodes);
    }

    /**
     * Who asks, where, and how to generate.
     *
     * @param template the request without its messages but for the system prompt, for the conversation as it is
     * @param admission counts what is computed for it, and ends with the answer
     */
    public record Asked(
            String userId, String conversationId, Function<Conversation, ChatRequest> template, Admission admission) {}

    /**
     * Begins a conversation with a question.
     *
     * @param asked its conversation's id does not count
     */
    public Mono<Exchange> begin(Asked asked, Conversation.Draft draft, String text) {
        Conversation fresh = conversations.fresh(asked.userId(), draft);
        return carriedThrough(askIn(asked, new MessageTree(fresh, List.of()), "", text, true));
    }

    /**
     * Asks in a conversation.
     *
     * @param parentId the message that the question follows, empty for none; null: the last of the path that is shown
     */
    public Mono<Exchange> ask(Asked asked, @Nullable String parentId, String text) {
        return carriedThrough(conversations
                .read(asked.userId(), asked.conversationId())
                .flatMap(tree -> {
                    String parent = parentId == null ? tree.conversation().currentMessage() : parentId;
                    if (!parent.isEmpty() && tree.require(parent).isUser()) {
                        throw RequestError.badValue(
                                "parent_id",
                                "a question (expected: an answer, or an empty string for the first place)");
                    }
                    return askIn(asked, tree, parent, text, false);
                }));
    }

    /** Puts a message in other words, as a branch beside it; a question is answered anew. */
    public Mono<Exchange> edit(Asked asked, String messageId, String text) {
        return carriedThrough(conversations
                .read(asked.userId(), asked.conversationId())
                .flatMap(tree -> {
                    Message old = tree.require(messageId);
                    return old.isUser() ? askIn(asked, tree, old.parentId(), text, false) : rewrite(tree, old, text);
                }));
    }

    private Mono<Exchange> askIn(Asked asked, MessageTree tree, String parentId, String text, boolean isNew) {
        Conversation conversation = tree.conversation();
        Message question = Message.question(Answers.id("msg_"), conversation.id(), parentId, 0, text, clock.millis());
        List<Message> path = new ArrayList<>(tree.path(parentId));
        path.add(question);
        ChatRequest template = asked.template().apply(conversation);
        return window.fit(template, path).flatMap(fitted -> {
            Message answer = answer(question, fitted);
            Conversation titled = conversation.title().isEmpty()
                    ? conversation.titled(TitleWriter.words(text), Conversation.TitleBy.WORDS, clock.millis())
                    : conversation;
            return store(titled, isNew, question, answer).map(exchange -> started(asked, exchange, fitted.request()));
        });
    }

    private Message answer(Message question, HistoryWindow.Fitted fitted) {
        return Message.answer(
                Answers.id("msg_"),
                question,
                0,
                fitted.request().getModel(),
                settings.owner(),
                fitted.leftOut(),
                clock.millis());
    }

    /** Stores new messages, the last of which is the answer, and tells of them. */
    private Mono<Exchange> store(Conversation before, boolean isNew, Message... messages) {
        return events.record(
                before.userId(),
                recorder -> MessageTable.nextNumber(recorder.transaction(), before.id())
                        .flatMap(first -> stored(recorder, before, numbered(first, messages), isNew)));
    }

    private static List<Message> numbered(long first, Message... messages) {
        List<Message> numbered = new ArrayList<>();
        for (Message message : messages) {
            numbered.add(message.numbered(first + numbered.size()));
        }
        return numbered;
    }

    private Mono<Exchange> stored(Recorder recorder, Conversation before, List<Message> messages, boolean isNew) {
        Message answer = messages.get(messages.size() - 1);
        Conversation after = before.at(answer.id(), clock.millis());
        Mono<Long> conversation = isNew
                ? ConversationTable.insert(recorder.transaction(), after)
                : current(recorder, before).then(ConversationTable.update(recorder.transaction(), after));
        return conversation
                .thenMany(Flux.fromIterable(messages))
                .concatMap(message -> MessageTable.insert(recorder.transaction(), message))
                .then(Mono.fromSupplier(() -> {
                    Conversations.tell(recorder, after);
                    messages.forEach(message -> tell(recorder, message));
                    Message question = messages.size() > 1 ? messages.get(0) : null;
                    return new Exchange(after, question, answer, Flux.empty());
                }));
    }

    private static Mono<Conversation> current(Recorder recorder, Conversation conversation) {
        return ConversationTable.find(recorder.transaction(), conversation.userId(), conversation.id())
                .filter(found -> found.deletedAt() == 0)
                .switchIfEmpty(Mono.error(Missing::conversation));
    }

    private static void tell(Recorder recorder, Message message) {
        recorder.tell(
                Kind.MESSAGE,
                message.id(),
                ConversationJson.event(message),
                message.status() != Message.Status.RUNNING);
    }

    private Exchange started(Asked asked, Exchange exchange, ChatRequest request) {
        Flux<AnswerStep> steps = running.start(
                asked.userId(),
                exchange.answer(),
                nodes.chat(request),
                asked.admission(),
                whole -> entitle(asked.userId(), whole, request));
        return new Exchange(exchange.conversation(), exchange.question(), exchange.answer(), steps);
    }

    private Mono<Exchange> rewrite(MessageTree tree, Message old, String text) {
        Message written = old.rewritten(Answers.id("msg_"), 0, text, clock.millis());
        return store(tree.conversation(), false, written)
                .map(exchange -> new Exchange(
                        exchange.conversation(),
                        null,
                        exchange.answer(),
                        Flux.just(
                                new AnswerStep.Started(exchange.answer(), 0),
                                new AnswerStep.Ended(exchange.answer(), true, null))));
    }

    /**
     * Answers a question anew, beside the answers that it has.
     *
     * @param messageId the question, or one of its answers; null: the last answer of the path that is shown
     */
    public Mono<Exchange> regenerate(Asked asked, @Nullable String messageId) {
        return carriedThrough(conversations
                .read(asked.userId(), asked.conversationId())
                .flatMap(tree -> {
                    Message named =
                            tree.require(messageId == null ? tree.conversation().currentMessage() : messageId);
                    Message question = named.isUser() ? named : tree.require(named.parentId());
                    ChatRequest template = asked.template().apply(tree.conversation());
                    return window.fit(template, tree.path(question.id()))
                            .flatMap(fitted -> store(tree.conversation(), false, answer(question, fitted))
                                    .map(exchange -> started(asked, exchange, fitted.request())));
                }));
    }

    /**
     * Goes on with an answer that ended before its end.
     *
     * @param messageId null: the last answer of the path that is shown
     */
    public Mono<Exchange> goOn(Asked asked, @Nullable String messageId) {
        return carriedThrough(conversations
                .read(asked.userId(), asked.conversationId())
                .flatMap(tree -> {
                    Message answer =
                            tree.require(messageId == null ? tree.conversation().currentMessage() : messageId);
                    if (answer.isUser() || answer.status() == Message.Status.RUNNING) {
                        throw RequestError.badValue(
                                "message_id",
                                (answer.isUser() ? "a question" : "an answer that is being generated")
                                        + " (expected: an answer that has ended)");
                    }
                    ChatRequest template = asked.template().apply(tree.conversation()).toBuilder()
                            .setContinueLastMessage(!answer.content().isEmpty())
                            .build();
                    String last = answer.content().isEmpty() ? answer.parentId() : answer.id();
                    return window.fit(template, tree.path(last))
                            .flatMap(fitted -> resumed(asked, tree, answer, fitted));
                }));
    }

    private Mono<Exchange> resumed(Asked asked, MessageTree tree, Message answer, HistoryWindow.Fitted fitted) {
        Message again = answer.running(settings.owner(), fitted.leftOut(), clock.millis());
        Conversation after = tree.conversation().at(tree.newestLeaf(answer.id()), clock.millis());
        return events.record(
                        asked.userId(),
                        recorder -> current(recorder, after)
                                .then(MessageTable.update(recorder.transaction(), again))
                                .then(ConversationTable.update(recorder.transaction(), after))
                                .then(Mono.fromSupplier(() -> {
                                    Conversations.tell(recorder, after);
                                    tell(recorder, again);
                                    return new Exchange(after, null, again, Flux.empty());
                                })))
                .map(exchange -> started(asked, exchange, fitted.request()));
    }

    /** Ends what is generated in a conversation; the answers as they are then. */
    public Mono<List<Message>> stop(String userId, String conversationId) {
        return conversations
                .read(userId, conversationId)
                .thenMany(Flux.defer(() -> running.stop(conversationId)))
                .collectList();
    }

    /** After the first answer the model gives the conversation a title, unless somebody else has. */
    private void entitle(String userId, Message answer, ChatRequest request) {
        if (!settings.titles()
                || answer.status() != Message.Status.COMPLETE
                || answer.number() > LAST_FOR_TITLE
                || answer.content().isBlank()) {
            return;
        }
        conversations
                .read(userId, answer.conversationId())
                .filter(tree -> tree.conversation().titleBy() == Conversation.TitleBy.WORDS)
                .flatMap(tree -> titles.write(request, answer.content()))
                .flatMap(title -> events.record(
                        userId,
                        recorder -> ConversationTable.find(recorder.transaction(), userId, answer.conversationId())
                                .filter(now -> now.titleBy() == Conversation.TitleBy.WORDS && now.deletedAt() == 0)
                                .map(now -> now.titled(title, Conversation.TitleBy.MODEL, now.updatedAt()))
                                .flatMap(now -> ConversationTable.update(recorder.transaction(), now)
                                        .thenReturn(Conversations.tell(recorder, now)))))
                .subscribe(titled -> {}, error -> {});
    }

    /** Whoever waits for it may go: it is done all the same. */
    private static <T> Mono<T> carriedThrough(Mono<T> work) {
        return Mono.defer(() -> {
            Sinks.One<T> result = Sinks.one();
            work.subscribe(result::tryEmitValue, result::tryEmitError, result::tryEmitEmpty);
            return result.asMono();
        });
    }
}
