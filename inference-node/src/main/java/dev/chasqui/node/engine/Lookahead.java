package dev.chasqui.node.engine;

/**
 * Guesses what a sequence says next: what followed its last few tokens where they stood before, and from there on as long as
 * that is right; texts that quote, edit or repeat say the same again. Also how often such guesses have been right lately, which
 * costs nothing to know: a guess is compared with the next token whether it was computed ahead or not.
 */
final class Lookahead {
    /** Tokens that must be the same for a first guess. */
    private static final int GRAM = 3;

    /** Steps of trust: with so many tokens the same in front of it a guess is of the next class. */
    private static final int[] TRUST = {GRAM, 2 * GRAM, 4 * GRAM, 8 * GRAM};

    /** Of the places where the last few tokens stood before, so many are looked at. */
    private static final int CANDIDATES = 8;

    private static final double WEIGHT = 0.12;

    /** Tokens of a promise before which its breaking says little. */
    private static final double DOUBT = 4;

    /** With each token so much of all promises is forgotten: a text may begin to repeat itself later. */
    private static final double FORGETTING = 0.01;

    /** By a hash of {@link #GRAM} tokens: the place behind them, where they stood last; 0: nowhere. */
    private int[] places = new int[256];

    /** By a place: the one before it with the same hash; 0: none. */
    private int[] earlier = new int[places.length / 2 + 1];

    private int indexed = GRAM;
    private final double[] rightness = {0.3, 0.3, 0.3, 0.3, 0.3};

    /** What drafts promised and what of it came true: how far to believe the next promise. */
    private double promised = DOUBT;

    private double kept = DOUBT;

    /** Where the guessed token stands; 0: there is no guess. */
    private int place;

    /** Tokens in front of it that are the same. */
    private int same;

    /** Guesses what follows the first {@code total} tokens; returns how likely that is, 0 where it knows nothing. */
    double guess(int[] tokens, int total) {
        index(tokens, total);
        if (place == 0 && total > GRAM) {
            find(tokens, total);
        }
        return place == 0 ? 0 : rightness[trust()];
    }

    /** The guessed token number {@code ahead}, from 0; where the text ends it repeats itself. */
    int token(int[] tokens, int total, int ahead) {
        return tokens[place + ahead % (total - place)];
    }

    /**
     * What really comes next; a guess that is right goes on behind it. So does one that is wrong, once: where a text is edited
     * a word gives way to another, and the old text goes on.
     */
    void came(int[] tokens, int token) {
        kept += FORGETTING * (DOUBT - kept);
        promised += FORGETTING * (DOUBT - promised);
        if (place == 0) {
            return;
        }
        boolean right = tokens[place] == token;
        double before = rightness[trust()];
        rightness[trust()] = Math.min(Drafts.SUREST, before + WEIGHT * ((right ? 1 : 0) - before));
        boolean goesOn = right || same >= GRAM;
        place = goesOn ? place + 1 : 0;
        same = right ? same + 1 : 0;
    }

    /**
     * How many of so many drafted tokens should be right. Each is with the guess's probability once those before it are; but
     * guesses of one draft go wrong together, so what earlier drafts have kept of their promises counts as well.
     */
    double expected(double right, int depth) {
        return Drafts.expected(right, depth) * Math.min(1, kept / promised);
    }

    /** So many tokens are drafted. */
    void promise(double right, int depth) {
        promised += Drafts.expected(right, depth);
    }

    /** One of them was. */
    void keep() {
        kept++;
    }

    private int trust() {
        int trust = 0;
        while (trust < TRUST.length && same >= TRUST[trust]) {
            trust++;
        }
        return trust;
    }

    /** Goes to where most of the last tokens stood before; of equals to the last one. */
    private void find(int[] tokens, int total) {
        same = GRAM - 1;
        int candidate = places[hash(tokens, total)];
        for (int i = 0; candidate != 0 && i < CANDIDATES; i++) {
            int common = same(tokens, candidate, total);
            if (common > same) {
                same = common;
                place = candidate;
            }
            candidate = earlier[candidate];
        }
    }

    /** Takes in all places but the last, behind which nothing is known yet. */
    private void index(int[] tokens, int total) {
        if (total > places.length / 2) {
            places = new int[Integer.highestOneBit(total) * 4];
            earlier = new int[places.length / 2 + 1];
            indexed = GRAM;
        }
        for (; indexed < total; indexed++) {
            int hash = hash(tokens, indexed);
            earlier[indexed] = places[hash];
            places[hash] = indexed;
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
        while (same < TRUST[TRUST.length - 1] && same < a && tokens[a - 1 - same] == tokens[b - 1 - same]) {
            same++;
        }
        return same;
    }
}
