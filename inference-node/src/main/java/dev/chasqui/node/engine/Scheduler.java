package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Decides which sequence has a slot and what the next step computes.
 *
 * <p>Steps take turns: one gives each answering sequence its one token, the next computes pieces of prompts, so large that both
 * together take no more than {@link #GAP_NANOS}; a long prompt does not stall those who answer. Where nobody answers, a step
 * is a whole batch of prompts. The prompt with the fewest tokens left goes first; waiting makes a prompt shorter in this order
 * by a token each millisecond, so that none starves.
 *
 * <p>A freed slot keeps its tokens in the KV cache. A new sequence takes the free slot where the prefix it saves, less the
 * tokens that it makes the slot forget, is largest.
 */
final class Scheduler {
    /** How long an answer should wait at most for its next token while one prompt is computed. */
    static final long GAP_NANOS = 150_000_000;

    /** So many more prompts that wait make it twice as long, and more do no more. */
    private static final int CROWD = 15;

    /** Of that, prompts get so much however long the answers' own step takes. */
    private static final long LEAST_PROMPT_NANOS = GAP_NANOS / 3;

    /** Nobody who leaves minds that a step takes so long; on a busy machine that may be twice what it is expected to be. */
    static final long BRIEF_NANOS = 25_000_000;

    /** Beyond this depth a single token of a prompt costs more than the gap that it closes. */
    private static final int BRIDGED_DEPTH = 256;

    /** Room that is left for each answer to grow when a common KV cache is given away. */
    private static final int GROWTH = 64;

    private final ModelRunner runner;
    private final StepTimes stepTimes;
    private final Slot[] slots;
    /** The most urgent first. */
    private final List<Sequence> waiting = new ArrayList<>();

    private final List<Sequence> prompts = new ArrayList<>();
    private final int[] shares;
    private final long[] ranks;
    private final Beginnings beginnings;
    private final PromptPieces pieces;
    private final Gathering gathering;
    private final Drafts drafts;
    private final Turns turns = new Turns();
    private long order;

    /** The KV cache was full: nobody gets a slot until somebody gives one up for good. */
    private boolean tight;

    private boolean plain;
    private boolean brief;

    /** Sets of adapters whose last step answers had. */
    private final Set<AdapterSet> promptsTurn = new HashSet<>();

    Scheduler(ModelRunner runner, StepTimes stepTimes, PromptCache cache, int worthwhile, Drafts drafts) {
        this.drafts = drafts;
        this.runner = runner;
        this.stepTimes = stepTimes;
        this.slots = new Slot[runner.slots()];
        this.shares = new int[slots.length];
        this.ranks = new long[slots.length];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot(i);
        }
        this.pieces = new PromptPieces(stepTimes, runner.batchTokens(), runner.outputRows());
        this.gathering = new Gathering(stepTimes, runner.batchTokens(), worthwhile);
        this.beginnings = new Beginnings(runner, slots, cache, worthwhile);
    }

    /** Lets a sequence wait for a slot; returns its place, from 1. One that had a slot goes before its equals. */
    int enqueue(Sequence sequence) {
        int place = waiting.size();
        while (place > 0 && precedes(sequence, waiting.get(place - 1))) {
            place--;
        }
        waiting.add(place, sequence);
        return place + 1;
    }

    private static boolean precedes(Sequence sequence, Sequence other) {
        return sequence.rankNanos < other.rankNanos
                || sequence.rankNanos == other.rankNanos && sequence.started() && !other.started();
    }

    int waiting() {
        return waiting.size();
    }

    int running() {
        int count = 0;
        for (Slot slot : slots) {
            count += slot.sequence == null ? 0 : 1;
        }
        return count;
    }

    long tokensHeld() {
        long held = 0;
        for (Slot slot : slots) {
            held += slot.held();
        }
        return held;
    }

    /** The sequences that have a slot, in the slots' order. */
    List<Sequence> runningSequences() {
        List<Sequence> running = new ArrayList<>(slots.length);
        for (Slot slot : slots) {
            if (slot.sequence != null) {
                running.add(slot.sequence);
            }
        }
        return running;
    }

    /** Takes the sequences out that a condition holds for, waiting or running, freeing their slots. */
    List<Sequence> remove(Predicate<Sequence> condition, long now) {
        List<Sequence> removed = new ArrayList<>();
        for (Iterator<Sequence> it = waiting.iterator(); it.hasNext(); ) {
            Sequence sequence = it.next();
            if (condition.test(sequence)) {
                it.remove();
                removed.add(sequence);
            }
        }
        for (Slot slot : slots) {
            if (slot.sequence != null && condition.test(slot.sequence)) {
                removed.add(slot.sequence);
                release(slot.sequence, now);
            }
        }
        return removed;
    }

    /** Whether the next step's time will be that of its tokens, and not of copies or a change of adapters made before. */
    boolean onlyComputes() {
        boolean switched = turns.takeSwitched();
        boolean only = beginnings.copies() == 0 && !switched;
        beginnings.copied();
        return only;
    }

    /** The next step computes nothing ahead. */
    void scheduleNoDrafts() {
        plain = true;
    }

    /** The next step computes small pieces of prompts, so that whoever leaves meanwhile need not wait long. */
    void scheduleBriefly() {
        brief = true;
    }

    /** Gives free slots to waiting sequences, the most urgent first. Returns whether any was given. */
    boolean admit(long now) {
        boolean admitted = false;
        while (!waiting.isEmpty() && !(tight && running() > 0)) {
            Sequence first = waiting.get(0);
            if (!hasRoom(first)) {
                return admitted;
            }
            if (commonCache() && tokensHeld() + needed(first) > runner.kvTokens()) {
                putIdleAway();
            }
            Slot slot = bestFreeSlot(first);
            if (slot == null) {
                return admitted;
            }
            beginnings.start(slot, waiting.remove(0), order++, now);
            admitted = true;
        }
        return admitted;
    }

    /**
     * Whether a common KV cache has room for one more, so that nobody has to give up soon what it just got. Who is alone always
     * gets a slot. A beginning that a running sequence has already takes no room.
     */
    private boolean hasRoom(Sequence sequence) {
        if (!commonCache()) {
            return true;
        }
        long left = runner.kvTokens() - needed(sequence);
        int shared = 0;
        boolean alone = true;
        for (Slot slot : slots) {
            Sequence running = slot.sequence;
            if (running != null) {
                alone = false;
                left -= needed(running) - running.shared();
                shared = Math.max(shared, common(running, sequence));
            }
        }
        sequence.share(shared);
        return alone || left + shared >= 0;
    }

    private boolean commonCache() {
        return runner.kvTokens() < (long) slots.length * runner.contextTokens();
    }

    private static int common(Sequence one, Sequence other) {
        return one.adapters().same(other.adapters())
                ? Prefix.common(one.tokens(), one.total(), other.tokens(), other.reusable() + 1)
                : 0;
    }

    private static int needed(Sequence sequence) {
        return sequence.total() + Math.min(GROWTH, sequence.request.maxTokens() - sequence.generated());
    }

    /** Tells every waiting sequence how many are in front of it. */
    void reportQueue() {
        int ahead = 1;
        for (Sequence sequence : waiting) {
            if (!sequence.started()) {
                sequence.request.sink().queued(ahead);
            }
            ahead++;
        }
    }

    /** Fills a batch with the next step; it stays empty where nothing is to be computed. */
    void schedule(Batch batch, long now) {
        beginnings.follow();
        AdapterSet adapters = turns.next(slots, now);
        batch.clear(adapters);
        Arrays.fill(shares, 0);
        prompts.clear();
        int answering = 0;
        StepSize answers = StepSize.NOTHING; // with these adapters or others
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            if (sequence == null) {
                continue;
            }
            boolean turn = sequence.adapters().same(adapters);
            if (sequence.remaining() == 1) {
                answers = answers.with(1, sequence.computed());
                shares[slot.id] = turn ? 1 : 0;
                answering += shares[slot.id];
            } else if (turn && sequence.leader() == null) {
                prompts.add(sequence);
            }
        }
        if (answering > 0 && (prompts.isEmpty() || !promptsTurn.contains(adapters))) {
            answersHad(adapters);
            completeAnswers(answering);
        } else {
            promptsTurn.remove(adapters);
            Arrays.fill(shares, 0);
            computePrompts(batch, answers, now);
        }
        plain = false;
        brief = false;
        for (Slot slot : slots) {
            if (shares[slot.id] > 0 && slot.sequence != null) {
                addTo(batch, slot.sequence, shares[slot.id]);
            }
        }
    }

    private void answersHad(AdapterSet adapters) {
        if (promptsTurn.size() > slots.length) {
            promptsTurn.clear(); // Sets come and go with requests.
        }
        promptsTurn.add(adapters);
    }

    void release(Sequence sequence, long now) {
        slots[sequence.slot()].leave(sequence, now);
        beginnings.gone(sequence);
        tight = false;
    }

    /**
     * Takes a sequence's slot away until there is room again; it waits among the others, and goes on where it was.
     */
    void preempt(Sequence sequence, long now) {
        release(sequence, now);
        beginnings.putAway(slots[sequence.slot()]);
        enqueue(sequence);
        tight = true;
    }

    /** Empties free slots. Returns whether they held anything. */
    boolean putIdleAway() {
        boolean any = false;
        for (Slot slot : slots) {
            if (slot.sequence == null && slot.left.length > 0) {
                beginnings.putAway(slot);
                any = true;
            }
        }
        return any;
    }

    void close() {
        drafts.close();
        beginnings.close();
    }

    /** Forgets every slot's tokens, after a failure that leaves the KV cache in doubt. */
    void forgetAll() {
        for (Slot slot : slots) {
            slot.forget();
            runner.truncate(slot.id, 0);
        }
    }

    /** Throws where the books and the KV cache disagree. */
    void checkIntegrity() {
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            int expected = slot.held();
            int actual = runner.length(slot.id);
            if (actual != expected) {
                throw new IllegalStateException(
                        "slot " + slot.id + ": " + actual + " tokens in the KV cache (expected: " + expected + ")");
            }
            if (sequence != null && (sequence.slot() != slot.id || sequence.ended() || sequence.remaining() < 1)) {
                throw new IllegalStateException("slot " + slot.id + ": holds a sequence that is not running in it");
            }
        }
    }

    private void completeAnswers(int answering) {
        if (!prompts.isEmpty()) {
            closeGaps();
        } else if (answering == 1 && !plain) {
            draftAlone();
        }
    }

    /** @param answers of all that are answering, with these adapters or others */
    private void computePrompts(Batch batch, StepSize answers, long now) {
        if (prompts.isEmpty()) {
            return;
        }
        rank(now);
        prompts.sort(Comparator.comparingLong(s -> ranks[s.slot()]));
        if (brief) {
            pieces.share(prompts, BRIEF_NANOS, shares);
            return;
        }
        long limit = answers.tokens() == 0 ? 0 : promptNanos(answers);
        if (runner.gathers() && gathering.choose(prompts, limit)) {
            gather(batch);
        } else {
            pieces.share(prompts, limit, shares);
        }
    }

    /** How long prompts may be computed between two steps of those who answer. */
    private long promptNanos(StepSize answers) {
        int waiting = running() - answers.tokens();
        long gap = GAP_NANOS + GAP_NANOS * Math.min(waiting - 1, CROWD) / CROWD;
        return Math.max(LEAST_PROMPT_NANOS, gap - stepTimes.estimate(answers));
    }

    /** Those that begin alike are computed to their ends. */
    private void gather(Batch batch) {
        int alike = gathering.alike();
        for (Sequence sequence : gathering.members()) {
            if (sequence.computed() > alike) {
                sequence.cutBack(runner.truncate(sequence.slot(), alike));
            }
            shares[sequence.slot()] = sequence.remaining();
        }
        batch.alike(gathering.members().get(0).tokens(), alike);
    }

    /**
     * Lets an answer that is alone compute likely next tokens ahead, where that should bring more tokens in the time. In company
     * it would not: llama.cpp computes slots with different numbers of tokens one after the other.
     */
    private void draftAlone() {
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            if (sequence != null && shares[slot.id] > 0) {
                drafts.draft(sequence);
                shares[slot.id] += sequence.drafted();
            }
        }
    }

    /** To be told each token that a sequence says. */
    void came(Sequence sequence, int token) {
        drafts.came(sequence, token);
    }

    /** The smaller, the sooner. A leader is as urgent as the most urgent of those that wait for him. */
    private void rank(long now) {
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            if (sequence != null) {
                ranks[slot.id] = sequence.remaining() - (now - sequence.rankNanos) / 1_000_000;
            }
        }
        for (Slot slot : slots) {
            Sequence follower = slot.sequence;
            for (Sequence leader = follower == null ? null : follower.leader();
                    leader != null;
                    leader = leader.leader()) {
                ranks[leader.slot()] = Math.min(ranks[leader.slot()], ranks[slot.id]);
            }
        }
    }

    /**
     * With a KV cache of its own for each slot, llama.cpp computes together only slots that follow each other: 16 of 32
     * answering in every second slot took three times as long as in the first 16. A token of each prompt between them closes the
     * gaps.
     */
    private void closeGaps() {
        int last = slots.length - 1;
        while (shares[last] == 0) {
            last--;
        }
        boolean between = false;
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            between |= shares[slot.id] > 0;
            boolean gap = between && slot.id < last && shares[slot.id] == 0;
            if (gap && sequence != null && inPrompts(sequence) && sequence.computed() <= BRIDGED_DEPTH) {
                shares[slot.id] = 1;
            }
        }
    }

    /** Whether {@link #prompts} has it. */
    private boolean inPrompts(Sequence sequence) {
        return sequence.remaining() > 1
                && sequence.leader() == null
                && sequence.adapters().same(prompts.get(0).adapters());
    }

    /** The free slot where the beginning that it saves, less the tokens that it makes the slot forget, is largest. */
    private @Nullable Slot bestFreeSlot(Sequence sequence) {
        Slot best = null;
        int bestGain = 0;
        for (Slot slot : slots) {
            if (slot.sequence != null) {
                continue;
            }
            int common = slot.adapters().same(sequence.adapters())
                    ? Prefix.common(slot.left, slot.left.length, sequence.tokens(), sequence.reusable())
                    : 0;
            int gain = 2 * common - slot.left.length;
            boolean better = best == null || gain > bestGain || (gain == bestGain && slot.freedNanos < best.freedNanos);
            if (better) {
                best = slot;
                bestGain = gain;
            }
        }
        return best;
    }

    private static void addTo(Batch batch, Sequence sequence, int count) {
        int from = sequence.computed();
        int outputs = sequence.reusable(); // from there on
        for (int position = from; position < from + count; position++) {
            batch.add(sequence.token(position), position, sequence.slot(), position >= outputs);
        }
    }
}
