package dev.chasqui.node.engine;

/**
 * Guesses what a sequence says next, from what followed the same few tokens the last time they stood in it: texts that quote,
 * edit or repeat say the same again. Also how often such guesses have been right lately, which costs nothing to know: a guess
 * is compared with the next token whether it was computed ahead or not.
 */
final class Lookahead {
    /** Tokens that must be the same. */
    private static final int GRAM = 3;

    private static final double WEIGHT = 0.12;
    private static final double MOST = 0.98;

    /** By a hash of {@link #GRAM} tokens: the place behind them, where they stood last; 0: nowhere. */
    private int[] places = new int[256];

    private int indexed = GRAM;
    /** By how much more than the least is the same. */
    private final double[] rightness = {0.3, 0.3, 0.3};

    private int sameness;
    private int guess = -1;

    /** How likely the next token is as guessed, 0 to 1. */
    double rightness() {
        return rightness[sameness];
    }

    /** Guesses what follows the first {@code total} tokens; false where it knows nothing. */
    boolean guess(int[] tokens, int total) {
        index(tokens, total);
        int place = total <= GRAM ? 0 : places[hash(tokens, total)];
        int same = place == 0 ? 0 : same(tokens, place, total);
        guess = same < GRAM ? -1 : place;
        sameness = same < 2 * GRAM ? 0 : same < 4 * GRAM ? 1 : 2;
        return guess > 0;
    }

    /** The guessed token number {@code ahead}, from 0; where the text ends it repeats itself. */
    int token(int[] tokens, int total, int ahead) {
        return tokens[guess + ahead % (total - guess)];
    }

    /** What really came where {@link #guess} said {@code guessed}. */
    void came(int token, int guessed) {
        double before = rightness[sameness];
        rightness[sameness] = Math.min(MOST, before + WEIGHT * ((token == guessed ? 1 : 0) - before));
    }

    /** The last guess is used up. */
    void forget() {
        guess = -1;
    }

    /** The token that the last guess begins with; -1 where there was none. */
    int first(int[] tokens) {
        return guess > 0 ? tokens[guess] : -1;
    }

    /** Takes in all places but the last, behind which nothing is known yet. */
    private void index(int[] tokens, int total) {
        if (total > places.length / 2) {
            places = new int[Integer.highestOneBit(total) * 4];
            indexed = GRAM;
        }
        for (; indexed < total; indexed++) {
            places[hash(tokens, indexed)] = indexed;
        }
    }

    private int hash(int[] tokens, int end) {
        int hash = 0;
        for (int i = end - GRAM; i < end; i++) {
            hash = (hash ^ tokens[i]) * 0x9E3779B1;
        }
        return (hash ^ (hash >>> 15)) & (places.length - 1);
    }

    /** How many tokens in front of two places are the same, as far as that matters. */
    private static int same(int[] tokens, int a, int b) {
        int same = 0;
        while (same < 4 * GRAM && same < a && tokens[a - 1 - same] == tokens[b - 1 - same]) {
            same++;
        }
        return same;
    }
}
