package dev.chasqui.node.runner;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.DecodeBatch;
import dev.chasqui.llama.DecodeStatus;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.Logprobs;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.engine.Drafter;
import java.util.Arrays;

/** A small model as the engine's drafter; closing it frees the model. */
public final class LlamaDrafter implements Drafter {
    private static final int NOTHING = -1;

    /** Models of one family pad their vocabularies differently. */
    private static final int MOST_MORE_TOKENS = 128;

    private final LlamaModel model;
    private final LlamaContext context;

    /** Tokens that both models know. */
    private final int vocabulary;

    private final float leastLogprob;
    private final int[] held;
    private int length;

    private LlamaDrafter(LlamaModel model, LlamaContext context, int vocabulary, double least) {
        this.leastLogprob = (float) Math.log(least);
        this.model = model;
        this.context = context;
        this.vocabulary = vocabulary;
        this.held = new int[context.contextPerSequence()];
    }

    /**
     * Makes a drafter, which owns the model from here on; where it cannot, the model is freed.
     *
     * @param target the model that it guesses for
     * @param options of one sequence; a batch is what is taken in at once
     * @param least how likely the model itself must find a guess, 0 to 1
     * @throws LlamaException INVALID_REQUEST where the models do not fit each other, or as {@link LlamaModel#newContext}
     */
    public static LlamaDrafter open(LlamaModel model, LlamaModel target, ContextOptions options, double least) {
        try {
            checkKind(model.info(), target.info());
            int vocabulary = commonVocabulary(model.vocabulary(), target.vocabulary());
            return new LlamaDrafter(model, model.newContext(options), vocabulary, least);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static void checkKind(ModelInfo info, ModelInfo target) {
        if (!info.generates() || info.ranks() || info.recurrent() || info.hybrid()) {
            throw unfit("it cannot guess (expected: a model that generates text, with a memory that can be cut)");
        }
        if (info.addBos() != target.addBos() || info.bos() != target.bos() || info.eos() != target.eos()) {
            throw unfit("its start or end token is another (expected: a model with the target's vocabulary)");
        }
    }

    /** How many tokens mean the same in both models. */
    private static int commonVocabulary(Vocabulary own, Vocabulary target) {
        int size = Math.min(own.size(), target.size());
        if (Math.max(own.size(), target.size()) - size > MOST_MORE_TOKENS) {
            throw unfit("it has " + own.size() + " tokens (expected: the target's " + target.size() + ")");
        }
        for (int token = 0; token < size; token++) {
            if (!Arrays.equals(own.piece(token, true), target.piece(token, true))) {
                throw unfit(
                        "its token " + token + " has another text (expected: a model with the target's vocabulary)");
            }
        }
        return size;
    }

    private static LlamaException unfit(String why) {
        return new LlamaException(LlamaException.Reason.INVALID_REQUEST, why);
    }

    @Override
    public int contextTokens() {
        return held.length;
    }

    @Override
    public int guess(int[] tokens, int total, int most, int[] guesses) {
        cutBack(common(tokens, total));
        int end = Math.min(total, length + context.batchTokens());
        int row = takeIn(tokens, length, end, end == total);
        if (row == NOTHING || end < total) {
            return row == NOTHING ? 0 : -1;
        }
        int count = 0;
        while (count < most) {
            Logprobs best = context.logprobs(row, 0, 1);
            if (best.topTokens().length == 0
                    || best.topTokens()[0] >= vocabulary
                    || best.topLogprobs()[0] < leastLogprob) {
                return count;
            }
            guesses[count++] = best.topTokens()[0];
            if (count < most) {
                row = takeIn(guesses, count - 1, count, true);
                if (row == NOTHING) {
                    return count;
                }
            }
        }
        return count;
    }

    /** How many tokens it has of these, less the last one, behind which it has to guess. */
    private int common(int[] tokens, int total) {
        int most = Math.min(length, total - 1);
        int differs = Arrays.mismatch(held, 0, most, tokens, 0, most);
        return differs < 0 ? most : differs;
    }

    private void cutBack(int to) {
        if (length > to && !(to > 0 && context.removeTail(0, to))) {
            context.clear(0);
            length = 0;
        } else {
            length = to;
        }
    }

    /** Computes some tokens; returns the last one's row, or {@link #NOTHING} where that cannot be. */
    private int takeIn(int[] tokens, int from, int to, boolean output) {
        DecodeBatch batch = context.batch();
        batch.clear();
        int row = NOTHING;
        for (int i = from; i < to; i++) {
            held[length + i - from] = tokens[i];
            row = batch.add(tokens[i], length + i - from, 0, output && i == to - 1);
        }
        if (context.decode() != DecodeStatus.OK) {
            context.clear(0);
            length = 0;
            return NOTHING;
        }
        length += to - from;
        return row;
    }

    @Override
    public void close() {
        context.close();
        model.close();
    }
}
