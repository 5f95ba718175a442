package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One answer in the making: its tokens, how many of them are in the KV cache, and the text on its way out. There are no
 * phases: a sequence whose {@code computed} lags behind {@code total} by more than one token is still in its prompt.
 */
final class Sequence {
    static final int NO_SLOT = -1;
    private static final int[] NOTHING = {};

    final GenerationRequest request;
    final long submittedNanos;

    /** When an ordinary request would have come that is as urgent now. Who has the smaller one is served first. */
    final long rankNanos;

    /** Set by any thread; obeyed by the engine's thread between two steps. */
    volatile boolean cancelled;

    /** Whether the step that runs now computes for this sequence. */
    volatile boolean inStep;

    private final TextAssembler assembler;
    private final List<HeldLogprob> heldLogprobs = new ArrayList<>();
    private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    private boolean promptTold;
    private final Lookahead lookahead = new Lookahead();
    private int[] draft = NOTHING;
    private int drafted;

    /** It was guessed from the text itself. */
    private boolean ownDraft;

    private int draftedInAll;
    private int accepted;
    private int[] tokens;
    private int total;
    private int slot = NO_SLOT;
    private int computed;
    private int cached;
    private int unreported;

    /** Certain, but it waits for the rest of its token. */
    private String unreportedText = "";

    private boolean ended;
    private boolean started;
    private long order;
    private @Nullable Sequence leader;
    private boolean lostLeader;
    private int awaited;
    private int shared;
    private long startedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;

    /** Text that is certain and not told yet; null: none. */
    private @Nullable TokenChunk untold;

    Sequence(GenerationRequest request, long submittedNanos) {
        this.request = request;
        this.submittedNanos = submittedNanos;
        this.rankNanos =
                submittedNanos - request.begun().ageNanos() + request.priority() * GenerationRequest.PRIORITY_NANOS;
        this.assembler = new TextAssembler(request.stops());
        this.total = request.prompt().length;
        this.tokens = Arrays.copyOf(
                request.prompt(), total + request.begun().tokens().length + Math.min(request.maxTokens(), 256));
        replay(request.begun().tokens());
        if (tellsPrompt()) {
            promptLogprobs.add(new TokenLogprob(tokens[0], Float.NaN, List.of()));
        }
    }

    /** Goes through what there is of the answer, so that all that is held back is held back again. */
    private void replay(int[] begun) {
        if (begun.length == 0) {
            return;
        }
        List<TokenChunk> chunks = new ArrayList<>();
        for (int token : begun) {
            TokenChunk chunk = add(token);
            if (chunk != null) {
                chunks.add(chunk);
            }
        }
        unreported = 0;
        unreportedText = "";
        request.sink().replayed(chunks);
    }

    /** Gets a slot, for the first time or again; nothing of it is in there yet. */
    void start(int slot, long order, long now) {
        this.slot = slot;
        this.order = order;
        this.computed = 0;
        if (!started) {
            started = true;
            startedNanos = now;
        }
    }

    /** So many of its first tokens are in the slot without having been computed for it. */
    void begin(int length) {
        computed = length;
        if (inPrompt()) {
            cached = Math.min(length, promptLength());
        }
    }

    /** Whether every row of its prompt is looked at. */
    boolean tellsPrompt() {
        return request.promptLogprobs() >= 0 && request.begun().tokens().length == 0;
    }

    /**
     * So many of its first tokens may come from elsewhere. The last one is always computed: its logits are where the answer goes
     * on. So is each whose successor's log-probability is still to be told.
     */
    int reusable() {
        return tellsPrompt() ? Math.min(total, promptLogprobs.size()) - 1 : total - 1;
    }

    /** Whether it has a slot, or had one. */
    boolean started() {
        return started;
    }

    /** When it first got a slot; 0 before that. */
    long startedNanos() {
        return startedNanos;
    }

    /** Grows with every sequence that gets a slot. */
    long order() {
        return order;
    }

    /** The one that computes what this one waits for. */
    @Nullable
    Sequence leader() {
        return leader;
    }

    /** Tokens at its beginning whose cells in a common KV cache were another one's when it got its slot. */
    int shared() {
        return shared;
    }

    void share(int tokens) {
        shared = tokens;
    }

    /** How many tokens the leader must have computed. */
    int awaited() {
        return awaited;
    }

    /** @param leader null: waits for nobody */
    void follow(@Nullable Sequence leader, int awaited) {
        this.leader = leader;
        this.awaited = awaited;
        lostLeader = false;
    }

    void loseLeader() {
        leader = null;
        lostLeader = true;
    }

    boolean lostLeader() {
        return lostLeader;
    }

    /** All tokens that are known, {@link #total} of them; not to be changed. */
    int[] tokens() {
        return tokens;
    }

    AdapterSet adapters() {
        return request.adapters();
    }

    /** Whether there is something to compute for it now; who follows somebody waits for him. */
    boolean canCompute() {
        return remaining() == 1 || leader == null;
    }

    int slot() {
        return slot;
    }

    int total() {
        return total;
    }

    int computed() {
        return computed;
    }

    /** Prompt tokens that were in the KV cache already. */
    int cached() {
        return cached;
    }

    int promptLength() {
        return request.prompt().length;
    }

    /** Tokens that it came with. */
    int given() {
        return promptLength() + request.begun().tokens().length;
    }

    int generated() {
        return total - promptLength();
    }

    /** Tokens that are not in the KV cache yet. */
    int remaining() {
        return total - computed;
    }

    /** No token of it was chosen here yet. */
    boolean inPrompt() {
        return total == given();
    }

    boolean ended() {
        return ended;
    }

    /** A known token, or behind these a drafted one. */
    int token(int position) {
        return position < total ? tokens[position] : draft[position - total];
    }

    /** How likely each next token is as it would be drafted; 0 where nothing can be. */
    double draftable() {
        return lookahead.guess(tokens, total);
    }

    /** How many of so many drafted tokens should be right, each being so likely. */
    double draftExpected(double right, int depth) {
        return lookahead.expected(right, depth);
    }

    /** Drafts so many next tokens, which are then computed together with the last known one. Only after {@link #draftable}. */
    void draft(int count) {
        ownDraft = true;
        if (count > 0) {
            lookahead.promise(draftable(), count);
        }
        if (draft.length < count) {
            draft = new int[count];
        }
        for (int i = 0; i < count; i++) {
            draft[i] = lookahead.token(tokens, total, i);
        }
        drafted = count;
    }

    /** The same with the guesses of somebody else. */
    void draft(int[] guesses, int count) {
        ownDraft = false;
        draft = Arrays.copyOf(guesses, count);
        drafted = count;
    }

    /** Drafted tokens that are computed, or about to be, and not checked yet. */
    int drafted() {
        return drafted;
    }

    /** Whether the chosen token is the first of the draft; then the rest of the draft still holds. */
    boolean confirms(int token) {
        lookahead.came(tokens, token);
        boolean right = drafted > 0 && token == draft[0];
        if (right) {
            if (ownDraft) {
                lookahead.keep();
            }
            drafted--;
            System.arraycopy(draft, 1, draft, 0, drafted);
        } else {
            drafted = 0;
        }
        return right;
    }

    /** The tokens that are in the KV cache. */
    int[] computedTokens() {
        return Arrays.copyOf(tokens, computed);
    }

    void computed(int more) {
        computed += more;
    }

    /** Looks at rows that a step computed of its prompt, before they are booked. */
    void learnPrompt(TokenLogprobs logprobs, int row, int rows) {
        if (!tellsPrompt() || promptTold) {
            return;
        }
        for (int next = promptLogprobs.size(); next <= Math.min(computed + rows, promptLength() - 1); next++) {
            promptLogprobs.add(logprobs.of(row + next - 1 - computed, tokens[next], request.promptLogprobs()));
        }
        if (promptLogprobs.size() == promptLength()) {
            promptTold = true;
            request.sink().promptLogprobs(List.copyOf(promptLogprobs));
        }
    }

    /** A step computed its last known token, and all that is drafted behind it. */
    void computedAhead() {
        draftedInAll += drafted;
    }

    /** A guess came true, and the step has computed it. */
    void accepted() {
        accepted++;
        computed++;
    }

    /** What the KV cache was cut back to, after an interrupted step or to begin like others. */
    void cutBack(int length) {
        computed = length;
        cached = Math.min(cached, length);
        drafted = 0;
    }

    /** Takes in a chosen token; the text that it completes is told next, or with the end. */
    void append(int token, TokenLogprobs logprobs, int row, long now) {
        if (firstTokenNanos == 0) {
            firstTokenNanos = now;
        }
        lastTokenNanos = now;
        if (request.logprobs() >= 0 && !request.text().endsAnswer(token)) {
            long from = assembler.deliveredBytes() + assembler.heldBytes();
            int length = request.text().piece(token).length;
            heldLogprobs.add(new HeldLogprob(logprobs.of(row, token, request.logprobs()), from, from + length));
        }
        untold = add(token);
    }

    /** Tells what the last token completed; it goes on. */
    void tell() {
        TokenChunk chunk = untold;
        if (chunk != null) {
            untold = null;
            request.sink().chunk(chunk);
        }
    }

    /** One more token; what can be told now, or null where nothing can. */
    private @Nullable TokenChunk add(int token) {
        if (total == tokens.length) {
            tokens = Arrays.copyOf(tokens, total * 2);
        }
        tokens[total++] = token;
        unreported++;
        if (request.text().endsAnswer(token)) {
            return null;
        }
        String text = assembler.add(request.text().piece(token));
        // Tokens inside a held-back piece wait for it, and where each is told with its log-probability so does their
        // text.
        if (assembler.heldBytes() > 0 && (text.isEmpty() || request.logprobs() >= 0)) {
            unreportedText += text;
            return null;
        }
        return chunk(text);
    }

    /** Why the answer ends now, or null where it goes on. */
    Completion.@Nullable Reason end(int contextTokens) {
        if (generated() == 0) {
            return null;
        }
        if (request.text().endsAnswer(tokens[total - 1])) {
            return Completion.Reason.END_OF_ANSWER;
        }
        if (assembler.stopped() != null) {
            return Completion.Reason.STOP_STRING;
        }
        if (generated() >= request.maxTokens()) {
            return Completion.Reason.MAX_TOKENS;
        }
        return total >= contextTokens ? Completion.Reason.CONTEXT_FULL : null;
    }

    /** Ends where its prompt does. */
    void completePrompt(long now) {
        firstTokenNanos = now;
        lastTokenNanos = now;
        complete(Completion.Reason.MAX_TOKENS);
    }

    void complete(Completion.Reason reason) {
        TokenChunk rest = chunk(assembler.stopped() == null ? assembler.rest() : "");
        if (untold != null) {
            rest = untold.and(rest);
            untold = null;
        }
        ended = true;
        request.sampler().close();
        request.sink()
                .completed(
                        rest,
                        new Completion(
                                reason,
                                assembler.stopped(),
                                promptLength(),
                                cached,
                                generated(),
                                draftedInAll,
                                accepted,
                                started ? startedNanos - submittedNanos : 0,
                                firstTokenNanos - startedNanos,
                                lastTokenNanos - firstTokenNanos));
    }

    void fail(EngineException failure) {
        ended = true;
        request.sampler().close();
        request.sink().failed(failure);
    }

    private TokenChunk chunk(String text) {
        TokenChunk chunk = new TokenChunk(
                unreportedText + text,
                Arrays.copyOfRange(tokens, total - unreported, total),
                request.sampler().learnt(),
                takeLogprobs());
        unreported = 0;
        unreportedText = "";
        return chunk;
    }

    /** Those of the tokens whose text is out; those of a stop string are dropped with it. */
    private List<TokenLogprob> takeLogprobs() {
        if (heldLogprobs.isEmpty()) {
            return List.of();
        }
        boolean stopped = assembler.stopped() != null;
        long delivered = assembler.deliveredBytes();
        List<TokenLogprob> out = new ArrayList<>(heldLogprobs.size());
        for (HeldLogprob held : heldLogprobs) {
            if (stopped ? held.from < delivered : held.to <= delivered) {
                out.add(held.logprob);
            }
        }
        heldLogprobs.removeIf(held -> stopped || held.to <= delivered);
        return out;
    }

    /** A token's log-probability, and the bytes of the answer that are its text. */
    private record HeldLogprob(TokenLogprob logprob, long from, long to) {}

    /** Where log-probabilities of the last step come from. */
    @FunctionalInterface
    interface TokenLogprobs {
        TokenLogprob of(int row, int token, int top);
    }
}
