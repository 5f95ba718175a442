package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import dev.chasqui.gateway.streams.Contents;
import dev.chasqui.gateway.streams.Kind;
import dev.chasqui.gateway.streams.Recorder;
import dev.chasqui.gateway.streams.StoredEvent;
import dev.chasqui.gateway.streams.StreamItem;
import dev.chasqui.gateway.streams.UserEvents;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Stored chats: to list, read, change, remove and bring back. What is said in them is {@link Dialogue}'s. All of it fails
 * with 503 while the database is away, and with 404 for what is not there or somebody else's.
 */
public final class Conversations implements Contents {
    /** A gateway that has not been heard of for so long does not generate any more. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final int SNIPPET_BEFORE = 40;
    private static final int SNIPPET = 160;

    private final Database database;
    private final UserEvents events;
    private final EventLoop loop;
    private final ConversationSettings settings;
    private final Clock clock;
    private final RunningAnswers running;
    private final Dialogue dialogue;
    private final Purge purge;

    /**
     * One that was found.
     *
     * @param snippet of a message, around what was looked for; null where that is in the title, or nothing was
     * @param isRunning whether an answer is being generated in it
     */
    public record Found(Conversation conversation, @Nullable String snippet, boolean isRunning) {}

    public Conversations(
            Database database,
            UserEvents events,
            NodeRouter nodes,
            EventLoop loop,
            ConversationSettings settings,
            GenerationLog generations,
            Clock clock) {
        this.database = database;
        this.events = events;
        this.loop = loop;
        this.settings = settings;
        this.clock = clock;
        running = new RunningAnswers(database, events, loop, clock, generations);
        dialogue = new Dialogue(this, events, running, nodes, settings, clock);
        purge = new Purge(database, events, loop, settings.undo(), clock);
        database.beforeUse(this::recover);
    }

    /** What is said in conversations. */
    public Dialogue dialogue() {
        return dialogue;
    }

    /** Answers that were left running when a gateway ended are interrupted, and what was deleted long ago is purged. */
    private Mono<Void> recover(Transaction transaction) {
        long now = clock.millis();
        long heardBefore = database.isOursAlone() ? Long.MAX_VALUE : now - SILENCE.toMillis();
        return MessageTable.abandoned(transaction, settings.owner(), heardBefore)
                .concatMap(left -> MessageTable.interrupt(transaction, left.messageId(), now)
                        .then(UserEvents.note(transaction, left.userId(), Kind.MESSAGE, left.messageId(), now)))
                .then(purge.within(transaction))
                .then();
    }

    /** One page, and one more if there are more. */
    public Mono<List<Found>> list(ConversationQuery query) {
        return database.transaction(transaction -> ConversationTable.list(transaction, query)
                        .collectList()
                        .flatMapMany(Flux::fromIterable)
                        .concatMap(conversation -> snippet(transaction, conversation, query)
                                .map(text -> new Found(conversation, text, false))
                                .defaultIfEmpty(new Found(conversation, null, false)))
                        .collectList())
                .map(found -> found.stream()
                        .map(one -> new Found(
                                one.conversation(),
                                one.snippet(),
                                running.isRunning(one.conversation().id())))
                        .toList());
    }

    private static Mono<String> snippet(Transaction transaction, Conversation conversation, ConversationQuery query) {
        return query.words().isEmpty()
                ? Mono.empty()
                : MessageTable.matching(transaction, conversation.id(), query.like())
                        .map(message -> around(message.content(), query.words()));
    }

    static String around(String text, String words) {
        int at = Math.max(0, text.toLowerCase(Locale.ROOT).indexOf(words.toLowerCase(Locale.ROOT)));
        int from = Math.max(0, at - SNIPPET_BEFORE);
        int to = Math.min(text.length(), from + SNIPPET);
        if (from > 0 && Character.isLowSurrogate(text.charAt(from))) {
            from--;
        }
        if (to < text.length() && Character.isLowSurrogate(text.charAt(to))) {
            to++;
        }
        return (from > 0 ? "…" : "")
                + text.substring(from, to).replaceAll("\\s+", " ")
                + (to < text.length() ? "…" : "");
    }

    /** A new one without messages. */
    public Mono<Conversation> create(String userId, Conversation.Draft draft) {
        Conversation fresh = fresh(userId, draft);
        return events.record(
                userId,
                recorder ->
                        ConversationTable.insert(recorder.transaction(), fresh).thenReturn(tell(recorder, fresh)));
    }

    Conversation fresh(String userId, Conversation.Draft draft) {
        long now = clock.millis();
        return new Conversation(
                Answers.id("conv_"),
                userId,
                draft.title(),
                draft.titleBy(),
                draft.model(),
                draft.systemPrompt(),
                draft.settings(),
                "",
                now,
                now,
                0);
    }

    /** With all its messages; running answers with the text that they have now. */
    public Mono<MessageTree> read(String userId, String id) {
        return Mono.defer(() -> {
            UnaryOperator<Message> upToDate = running.upToDate();
            return database.transaction(transaction -> tree(transaction, userId, id))
                    .map(tree -> new MessageTree(
                            tree.conversation(),
                            tree.messages().stream()
                                    .map(upToDate)
                                    .map(this::heardOf)
                                    .toList()));
        });
    }

    static Mono<MessageTree> tree(Transaction transaction, String userId, String id) {
        return ConversationTable.find(transaction, userId, id)
                .filter(conversation -> conversation.deletedAt() == 0)
                .switchIfEmpty(Mono.error(Missing::conversation))
                .flatMap(conversation -> MessageTable.of(transaction, id)
                        .collectList()
                        .map(messages -> new MessageTree(conversation, messages)));
    }

    /** An answer of a gateway that is no more does not run, whatever the database says. */
    private Message heardOf(Message message) {
        boolean silent = message.status() == Message.Status.RUNNING
                && !message.owner().equals(settings.owner())
                && message.updatedAt() < clock.millis() - SILENCE.toMillis();
        return silent ? message.interrupted() : message;
    }

    /** Changes what a user can change. Where nothing changes it keeps its place in the list. */
    public Mono<Conversation> change(String userId, String id, UnaryOperator<Conversation.Draft> change) {
        return changed(userId, id, false, conversation -> {
            Conversation.Draft after = change.apply(conversation.draft());
            return conversation.with(
                    after,
                    conversation.currentMessage(),
                    conversation.deletedAt(),
                    after.equals(conversation.draft()) ? conversation.updatedAt() : clock.millis());
        });
    }

    /** Shows another branch: the newest path through this message. */
    public Mono<Conversation> show(String userId, String id, String messageId) {
        return read(userId, id).flatMap(tree -> {
            tree.require(messageId);
            String leaf = tree.newestLeaf(messageId);
            return changed(userId, id, false, conversation -> conversation.at(leaf, conversation.updatedAt()));
        });
    }

    /** Removes it; for a while it can be brought back, unless it is to go at once. Its answers are stopped. */
    public Mono<Void> delete(String userId, String id, boolean atOnce) {
        Mono<Void> end = running.stop(id).then();
        if (atOnce) {
            return end.then(events.record(
                            userId,
                            recorder -> ConversationTable.find(recorder.transaction(), userId, id)
                                    .switchIfEmpty(Mono.error(Missing::conversation))
                                    .flatMap(found -> remove(recorder, found))))
                    .then();
        }
        return end.then(changed(
                        userId,
                        id,
                        false,
                        conversation -> conversation.with(
                                conversation.draft(),
                                conversation.currentMessage(),
                                clock.millis(),
                                conversation.updatedAt())))
                .doOnNext(deleted -> purge.later())
                .then();
    }

    /** Brings back what was deleted. */
    public Mono<Conversation> restore(String userId, String id) {
        return changed(
                userId,
                id,
                true,
                conversation -> conversation.with(
                        conversation.draft(), conversation.currentMessage(), 0, conversation.updatedAt()));
    }

    private Mono<Conversation> changed(
            String userId, String id, boolean alsoDeleted, UnaryOperator<Conversation> change) {
        return events.record(
                userId,
                recorder -> ConversationTable.find(recorder.transaction(), userId, id)
                        .filter(conversation -> alsoDeleted || conversation.deletedAt() == 0)
                        .switchIfEmpty(Mono.error(Missing::conversation))
                        .map(change)
                        .flatMap(conversation -> ConversationTable.update(recorder.transaction(), conversation)
                                .thenReturn(tell(recorder, conversation))));
    }

    static Conversation tell(Recorder recorder, Conversation conversation) {
        recorder.tell(Kind.CONVERSATION, conversation.id(), ConversationJson.event(conversation), false);
        return conversation;
    }

    static Mono<Long> remove(Recorder recorder, Conversation conversation) {
        recorder.tell(Kind.GONE, conversation.id(), ConversationJson.gone(conversation.id()), false);
        return ConversationTable.remove(recorder.transaction(), conversation.id());
    }

    /** The ids of all that are not deleted, the longest unchanged first. */
    public Mono<List<String>> ids(String userId) {
        return database.transaction(
                transaction -> ConversationTable.ids(transaction, userId).collectList());
    }

    /** Stores one that comes from elsewhere, under a new name. */
    public Mono<Conversation> add(MessageTree imported) {
        Conversation conversation = imported.conversation();
        return events.record(
                conversation.userId(),
                recorder -> ConversationTable.insert(recorder.transaction(), conversation)
                        .thenMany(Flux.fromIterable(imported.messages()))
                        .concatMap(message -> MessageTable.insert(recorder.transaction(), message))
                        .then(Mono.fromSupplier(() -> tell(recorder, conversation))));
    }

    /** Removes all of a user's, with what was told of them. Answers that still run are kept nowhere. */
    public Mono<Void> removeAll(Transaction transaction, String userId) {
        return ConversationTable.removeAll(transaction, userId)
                .then(UserEvents.removeAll(transaction, userId))
                .then();
    }

    /** Answers that run, or are not saved yet. */
    public int running() {
        return running.count();
    }

    /** The gateway ends: what still runs is kept as interrupted. */
    public void interrupt() {
        loop.execute(running::interruptAll);
    }

    @Override
    public Mono<List<StreamItem.Change>> describe(String userId, List<StoredEvent> stored) {
        Map<String, StoredEvent> latest = new HashMap<>();
        stored.forEach(event -> latest.put(subject(event), event));
        List<StoredEvent> worth = stored.stream()
                .filter(event -> latest.get(subject(event)) == event)
                .toList();
        return database.transaction(transaction -> Flux.fromIterable(worth)
                        .concatMap(event -> described(transaction, userId, event))
                        .collectList())
                .map(changes -> new ArrayList<>(changes));
    }

    private static String subject(StoredEvent event) {
        return (event.kind() == Kind.MESSAGE ? "m" : "c") + event.subject();
    }

    private Mono<StreamItem.Change> described(Transaction transaction, String userId, StoredEvent event) {
        return switch (event.kind()) {
            case GONE ->
                Mono.just(new StreamItem.Change(
                        event.position(), Kind.GONE, event.subject(), ConversationJson.gone(event.subject()), false));
            case CONVERSATION ->
                ConversationTable.find(transaction, userId, event.subject())
                        .map(found -> new StreamItem.Change(
                                event.position(), event.kind(), found.id(), ConversationJson.event(found), false));
            case MESSAGE ->
                MessageTable.find(transaction, userId, event.subject())
                        .map(this::heardOf)
                        .map(found -> new StreamItem.Change(
                                event.position(),
                                event.kind(),
                                found.id(),
                                ConversationJson.event(found),
                                found.status() != Message.Status.RUNNING));
        };
    }

    @Override
    public List<StreamItem.Piece> running(String userId) {
        return running.pieces(userId);
    }

    @Override
    public @Nullable String since(String messageId, boolean reasoning, int offset) {
        return running.since(messageId, reasoning, offset);
    }
}
