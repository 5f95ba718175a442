package dev.chasqui.node.grpc;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Rules of a grammar for the numbers within bounds, which llama.cpp's converter has for integers only: an automaton reads a
 * number digit by digit, knows how it compares with each bound so far and what is left of it by division, and each of its
 * states becomes a rule. Numbers are written without exponents, with as many digits as a double tells apart.
 */
final class NumberGrammar {
    private static final int DIGITS = 15;
    private static final int MOST_STATES = 20_000;
    private static final int MOST_RULES = 3_000;
    private static final int MOST_SCALE = 15;
    private static final BigInteger MOST_STEP = BigInteger.valueOf(1_000);
    private static final int POINT = 10;
    private static final int NONE = -1;

    /** What a number may be. A bound that is null is none; {@code step}: of which it is a multiple; null: of any. */
    record Range(
            @Nullable Bound least,
            @Nullable Bound most,
            @Nullable BigDecimal step,
            boolean integer) {
        /** Without the sign of the number; null where no number has this sign. */
        private @Nullable Range magnitude(boolean negative) {
            Bound low = negative ? Bound.negated(most) : least;
            Bound high = negative ? Bound.negated(least) : most;
            if (high != null && high.value().signum() < 0) {
                return null;
            }
            int sign = low == null ? -1 : low.value().signum();
            Bound zero = negative ? new Bound(BigDecimal.ZERO, false) : null; // there is no -0
            return new Range(sign < 0 || sign == 0 && negative ? zero : low, high, step, integer);
        }
    }

    /** A bound, and whether the number may be it. */
    record Bound(BigDecimal value, boolean inclusive) {
        static @Nullable Bound negated(@Nullable Bound bound) {
            return bound == null ? null : new Bound(bound.value().negate(), bound.inclusive());
        }

        /** The narrower of two lower bounds. */
        static @Nullable Bound higher(@Nullable Bound a, @Nullable Bound b) {
            if (a == null || b == null) {
                return a == null ? b : a;
            }
            int order = a.value().compareTo(b.value());
            return order > 0 || order == 0 && !a.inclusive() ? a : b;
        }

        boolean holds(int compared) {
            return compared > 0 || compared == 0 && inclusive;
        }

        String digits() {
            return value.toBigInteger().toString();
        }

        /** A digit behind the point. */
        int fraction(int place) {
            return value.movePointRight(place + 1)
                    .toBigInteger()
                    .mod(BigInteger.TEN)
                    .intValue();
        }

        boolean endsBefore(int place) {
            return value.movePointRight(place).stripTrailingZeros().scale() <= 0;
        }
    }

    /** What cannot be held; the message says what could. */
    static final class Unknown extends Exception {
        private static final long serialVersionUID = 1;

        Unknown(String message) {
            super(message);
        }
    }

    /**
     * How far a number has been read.
     *
     * @param whole digits before the point
     * @param fraction digits behind it; -1: it has not come
     * @param zero whether it begins with 0
     * @param low how its digits compare with as many of the lower bound
     * @param high the same for the upper one
     * @param rest by division with the step
     */
    private record State(int whole, int fraction, boolean zero, int low, int high, int rest) {}

    private final Range range;
    private final int step;
    private final int decimals;
    private final int mostFraction;

    private NumberGrammar(Range range) throws Unknown {
        this.range = range;
        BigDecimal divisor =
                range.step() == null ? BigDecimal.ONE : range.step().stripTrailingZeros();
        decimals = range.step() == null ? 0 : Math.max(0, divisor.scale());
        boolean small = range.integer() && decimals > 0 || decimals > MOST_SCALE || divisor.signum() <= 0;
        if (small || divisor.unscaledValue().bitLength() > 64 || divisor.scale() < -MOST_SCALE) {
            throw new Unknown("a step from 10^-15 to 10^15, a whole one for integers");
        }
        BigInteger scaled = divisor.setScale(decimals).unscaledValue();
        if (scaled.compareTo(MOST_STEP) > 0) {
            throw new Unknown("a step of at most " + MOST_STEP + " in its last place");
        }
        step = scaled.intValue();
        mostFraction = range.integer() ? 0 : range.step() != null ? decimals : DIGITS;
    }

    /**
     * The rules, one a line; the first is called {@code name}, and the names of the others begin with it.
     *
     * @throws Unknown where there is no such number, or the rules would be too many
     */
    static String of(Range range, String name) throws Unknown {
        for (Bound bound : Arrays.asList(range.least(), range.most())) {
            if (bound != null && bound.value().scale() > MOST_SCALE) {
                throw new Unknown("bounds with at most " + MOST_SCALE + " decimals");
            }
        }
        List<String> starts = new ArrayList<>();
        StringBuilder rules = new StringBuilder();
        for (boolean negative : new boolean[] {false, true}) {
            Range magnitude = range.magnitude(negative);
            String prefix = name + (negative ? "-n" : "-p");
            if (magnitude != null && new NumberGrammar(magnitude).write(prefix, rules)) {
                starts.add((negative ? "\"-\" " : "") + prefix + "0");
            }
        }
        if (starts.isEmpty()) {
            throw new Unknown("bounds with a number between them");
        }
        return name + " ::= " + String.join(" | ", starts) + "\n" + rules;
    }

    /** Whether there is a number. */
    private boolean write(String prefix, StringBuilder rules) throws Unknown {
        List<State> states = new ArrayList<>();
        List<int[]> moves = moves(states);
        boolean[] alive = alive(states, moves);
        if (!alive[0]) {
            return false;
        }
        int[] group = grouped(states, moves, alive);
        Map<Integer, Integer> written = new LinkedHashMap<>();
        for (int s = 0; s < states.size(); s++) {
            if (alive[s]) {
                written.putIfAbsent(group[s], s);
            }
        }
        if (written.size() > MOST_RULES) {
            throw new Unknown("simpler bounds");
        }
        Map<Integer, Integer> numbers = new HashMap<>();
        written.keySet().forEach(one -> numbers.put(one, numbers.size()));
        written.forEach((one, s) -> rules.append(prefix)
                .append(numbers.get(one))
                .append(" ::=")
                .append(rule(prefix, accepts(states.get(s)), moves.get(s), alive, group, numbers))
                .append('\n'));
        return true;
    }

    private static String rule(
            String prefix, boolean end, int[] moves, boolean[] alive, int[] group, Map<Integer, Integer> numbers) {
        Map<Integer, StringBuilder> classes = new LinkedHashMap<>();
        for (int c = 0; c < moves.length; c++) {
            if (moves[c] != NONE && alive[moves[c]]) {
                classes.computeIfAbsent(group[moves[c]], to -> new StringBuilder())
                        .append(c == POINT ? '.' : (char) ('0' + c));
            }
        }
        List<String> alternatives = new ArrayList<>();
        classes.forEach((to, characters) -> alternatives.add("[" + characters + "] " + prefix + numbers.get(to)));
        String text = String.join(" | ", alternatives);
        return end ? text.isEmpty() ? " \"\"" : " | " + text : " " + text;
    }

    /** All states, from the first one on, and where each digit and the point lead. */
    private List<int[]> moves(List<State> states) throws Unknown {
        Map<State, Integer> known = new HashMap<>();
        State start = new State(0, NONE, false, 0, 0, 0);
        known.put(start, 0);
        states.add(start);
        List<int[]> moves = new ArrayList<>();
        for (int s = 0; s < states.size(); s++) {
            int[] to = new int[POINT + 1];
            for (int c = 0; c <= POINT; c++) {
                State next = c == POINT ? point(states.get(s)) : digit(states.get(s), c);
                if (next != null && !known.containsKey(next)) {
                    known.put(next, states.size());
                    states.add(next);
                }
                to[c] = next == null ? NONE : known.getOrDefault(next, NONE);
            }
            moves.add(to);
            if (states.size() > MOST_STATES) {
                throw new Unknown("a smaller step, or closer bounds");
            }
        }
        return moves;
    }

    private @Nullable State digit(State s, int digit) {
        int rest = (s.rest() * 10 + digit) % step;
        if (s.fraction() == NONE) {
            return s.zero() || s.whole() > DIGITS
                    ? null
                    : new State(
                            s.whole() + 1,
                            NONE,
                            s.whole() == 0 && digit == 0,
                            whole(range.least(), s.whole(), s.low(), digit),
                            whole(range.most(), s.whole(), s.high(), digit),
                            rest);
        }
        if (s.fraction() >= mostFraction || range.step() == null && s.fraction() >= room(s)) {
            return null;
        }
        int low = fraction(range.least(), s.fraction(), s.low(), digit);
        int high = fraction(range.most(), s.fraction(), s.high(), digit);
        return new State(s.whole(), s.fraction() + 1, s.zero(), low, high, rest);
    }

    /** Decimals that a double still tells apart, or that a bound has. */
    private int room(State s) {
        int room = Math.max(0, DIGITS - s.whole());
        for (Bound bound : Arrays.asList(range.least(), range.most())) {
            room = Math.max(room, bound == null ? 0 : bound.value().scale());
        }
        return room;
    }

    private @Nullable State point(State s) {
        if (s.whole() == 0 || s.fraction() != NONE || mostFraction == 0) {
            return null;
        }
        return new State(
                s.whole(),
                0,
                s.zero(),
                shorter(range.least(), s, s.low()),
                shorter(range.most(), s, s.high()),
                s.rest());
    }

    private static int whole(@Nullable Bound bound, int place, int compared, int digit) {
        if (bound == null) {
            return 0;
        }
        String digits = bound.digits();
        if (place >= digits.length()) {
            return 1;
        }
        return compared != 0 ? compared : Integer.compare(digit, digits.charAt(place) - '0');
    }

    private static int fraction(@Nullable Bound bound, int place, int compared, int digit) {
        return bound == null || compared != 0 ? compared : Integer.compare(digit, bound.fraction(place));
    }

    /** A number with fewer digits before its point is the smaller one. */
    private static int shorter(@Nullable Bound bound, State s, int compared) {
        return bound != null
                        && s.fraction() == NONE
                        && s.whole() < bound.digits().length()
                ? -1
                : compared;
    }

    private boolean accepts(State s) {
        if (s.whole() == 0 || s.fraction() == 0) {
            return false;
        }
        long rest = s.rest();
        for (int i = Math.max(0, s.fraction()); i < decimals; i++) {
            rest = rest * 10 % step;
        }
        return rest == 0
                && (range.least() == null || range.least().holds(ended(range.least(), s, s.low())))
                && (range.most() == null || range.most().holds(-ended(range.most(), s, s.high())));
    }

    /** How the whole number compares: digits of the bound that are left make it the smaller one. */
    private static int ended(Bound bound, State s, int compared) {
        int order = shorter(bound, s, compared);
        return order == 0 && !bound.endsBefore(Math.max(0, s.fraction())) ? -1 : order;
    }

    /** Which states lead to a number. */
    private boolean[] alive(List<State> states, List<int[]> moves) {
        List<List<Integer>> from = new ArrayList<>();
        states.forEach(state -> from.add(new ArrayList<>()));
        Deque<Integer> found = new ArrayDeque<>();
        boolean[] alive = new boolean[states.size()];
        for (int s = 0; s < states.size(); s++) {
            for (int to : moves.get(s)) {
                if (to != NONE) {
                    from.get(to).add(s);
                }
            }
            if (accepts(states.get(s))) {
                alive[s] = true;
                found.add(s);
            }
        }
        while (!found.isEmpty()) {
            for (int before : from.get(found.remove())) {
                if (!alive[before]) {
                    alive[before] = true;
                    found.add(before);
                }
            }
        }
        return alive;
    }

    /** Puts states together from which the same can follow (Moore's algorithm). */
    private int[] grouped(List<State> states, List<int[]> moves, boolean[] alive) {
        int[] group = new int[states.size()];
        for (int s = 0; s < group.length; s++) {
            group[s] = alive[s] ? accepts(states.get(s)) ? 2 : 1 : 0;
        }
        for (int groups = 0; ; ) {
            Map<List<Integer>, Integer> seen = new HashMap<>();
            int[] next = new int[group.length];
            for (int s = 0; s < group.length; s++) {
                List<Integer> sign = new ArrayList<>(List.of(group[s]));
                for (int to : moves.get(s)) {
                    sign.add(to == NONE || !alive[to] ? NONE : group[to]);
                }
                next[s] = seen.computeIfAbsent(sign, key -> seen.size());
            }
            group = next;
            if (seen.size() == groups) {
                return group;
            }
            groups = seen.size();
        }
    }
}
