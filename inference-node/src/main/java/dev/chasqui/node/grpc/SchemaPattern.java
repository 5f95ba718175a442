package dev.chasqui.node.grpc;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A regular expression of a schema as llama.cpp's converter takes it. The converter knows groups, alternatives, classes and
 * repetitions; it takes other things for any string, and lets quotes and backslashes through where a class allows them, which
 * would end the JSON string. So classes are written out without those here, and what it does not know is refused.
 *
 * <p>What the pattern does not anchor may have any text beside it.
 */
final class SchemaPattern {
    private static final int LAST = 0x10FFFF;
    private static final int MOST_LENGTH = 1024;
    private static final Pattern ONE_CLASS = Pattern.compile("\\^\\((\\[[^]]*])(\\*|\\+|\\{[0-9,]+})\\)\\$");

    /** What cannot stand in a JSON string as it is, or would not read well. */
    private static final List<int[]> NEVER =
            List.of(range(0, 0x1F), range('"', '"'), range('\\', '\\'), range(0x7F, 0x9F), range(0xD800, 0xDFFF));

    private static final List<int[]> DIGIT = List.of(range('0', '9'));
    private static final List<int[]> WORD = List.of(range('0', '9'), range('A', 'Z'), range('_', '_'), range('a', 'z'));
    private static final List<int[]> SPACE = List.of(range(' ', ' '));
    /** What some dialect takes for space. */
    private static final List<int[]> ANY_SPACE = List.of(
            range(9, 13),
            range(' ', ' '),
            range(0x85, 0x85),
            range(0xA0, 0xA0),
            range(0x1680, 0x1680),
            range(0x180E, 0x180E),
            range(0x2000, 0x200B),
            range(0x2028, 0x202F),
            range(0x205F, 0x2060),
            range(0x3000, 0x3000),
            range(0xFEFF, 0xFEFF));

    private final String source;
    private final StringBuilder out = new StringBuilder();
    private int at;
    private int open;

    /** A pattern that cannot be held; the message says why. */
    static final class Unknown extends Exception {
        private static final long serialVersionUID = 1;

        Unknown(String message) {
            super(message);
        }
    }

    private SchemaPattern(String source) {
        this.source = source;
    }

    static String of(String pattern) throws Unknown {
        if (pattern.length() > MOST_LENGTH) {
            throw new Unknown("a pattern of at most " + MOST_LENGTH + " characters");
        }
        return new SchemaPattern(pattern).translate();
    }

    /**
     * The same with as many characters as the schema wants besides, where it is one class that repeats.
     *
     * @param held what {@link #of} made
     */
    static String within(String held, int least, int most) throws Unknown {
        Matcher one = ONE_CLASS.matcher(held);
        if (!one.matches()) {
            throw new Unknown("a pattern without minLength and maxLength beside it, or of one class that repeats");
        }
        String counts = one.group(2);
        String[] bounds = counts.startsWith("{")
                ? counts.substring(1, counts.length() - 1).split(",")
                : new String[0];
        int own = counts.equals("*") ? 0 : bounds.length == 0 ? 1 : Integer.parseInt(bounds[0]);
        boolean open = bounds.length == 0 || counts.endsWith(",}");
        int ownMost = open ? AnswerSchema.MOST_REPETITIONS : Integer.parseInt(bounds[bounds.length - 1]);
        int from = Math.max(own, least);
        int to = Math.min(ownMost, most);
        if (from > to || to < 1) {
            throw new Unknown("a pattern that texts of such a length fit");
        }
        return "^(" + one.group(1) + "{" + from + "," + to + "})$";
    }

    private String translate() throws Unknown {
        boolean begins = source.startsWith("^");
        boolean ends = source.endsWith("$") && !source.endsWith("\\$");
        int end = ends ? source.length() - 1 : source.length();
        at = begins ? 1 : 0;
        while (at < end) {
            next(end);
        }
        if (open > 0) {
            throw new Unknown("a pattern whose groups are closed");
        }
        String any = set(complement(List.of())) + "*";
        // In a group, so that alternatives stay together.
        return "^" + (begins ? "" : any) + "(" + out + ")" + (ends ? "" : any) + "$";
    }

    private void next(int end) throws Unknown {
        char c = source.charAt(at);
        switch (c) {
            case '(' -> group();
            case ')' -> {
                if (--open < 0) {
                    throw new Unknown("a pattern whose groups are opened");
                }
                out.append(source.charAt(at++));
            }
            case '[' -> out.append(set(bracket(end)));
            case '.' -> {
                at++;
                out.append(set(complement(List.of())));
            }
            case '|' -> out.append(source.charAt(at++));
            case '*', '+', '?' -> {
                out.append(source.charAt(at++));
                lazy(end);
            }
            case '{' -> repetition(end);
            case '^', '$' -> throw new Unknown("a pattern with ^ and $ at its ends only");
            default -> out.append(set(one(end)));
        }
    }

    private void group() throws Unknown {
        open++;
        at++;
        if (source.startsWith("?:", at)) {
            at += 2;
        } else if (source.startsWith("?", at)) {
            throw new Unknown("a pattern without look-around, named groups and flags");
        }
        out.append('(');
    }

    /** A mark behind a repetition that changes which match is found, not whether there is one. */
    private void lazy(int end) throws Unknown {
        if (at < end && source.charAt(at) == '?') {
            at++;
        } else if (at < end && "*+{".indexOf(source.charAt(at)) >= 0) {
            throw new Unknown("a pattern without repeated repetitions");
        }
    }

    private void repetition(int end) throws Unknown {
        int close = source.indexOf('}', at);
        String count = close < 0 || close > end ? "" : source.substring(at + 1, close);
        if (!count.matches("[0-9]{1,4}(,[0-9]{0,4})?")) {
            throw new Unknown("a pattern whose braces hold counts");
        }
        String[] counts = count.split(",");
        boolean bounded = !count.endsWith(",");
        int most = Integer.parseInt(counts[counts.length - 1]);
        if (bounded && (most < Integer.parseInt(counts[0]) || most < 1) || most > AnswerSchema.MOST_REPETITIONS) {
            throw new Unknown("a pattern that repeats at most " + AnswerSchema.MOST_REPETITIONS
                    + " times, the smaller number first");
        }
        out.append('{').append(count).append('}');
        at = close + 1;
        lazy(end);
    }

    private List<int[]> bracket(int end) throws Unknown {
        at++;
        boolean not = at < end && source.charAt(at) == '^';
        if (not) {
            at++;
        }
        List<int[]> ranges = new ArrayList<>();
        while (at < end && source.charAt(at) != ']') {
            List<int[]> from = one(end);
            boolean single = from.size() == 1 && from.get(0)[0] == from.get(0)[1];
            if (single && at + 1 < end && source.charAt(at) == '-' && source.charAt(at + 1) != ']') {
                at++;
                List<int[]> to = one(end);
                if (to.size() != 1 || to.get(0)[1] < from.get(0)[0]) {
                    throw new Unknown("a pattern whose ranges go up");
                }
                ranges.add(range(from.get(0)[0], to.get(0)[1]));
            } else {
                ranges.addAll(from);
            }
        }
        if (at >= end) {
            throw new Unknown("a pattern whose classes are closed");
        }
        at++;
        return not ? complement(ranges) : ranges;
    }

    /** A character, or what an escape stands for. */
    private List<int[]> one(int end) throws Unknown {
        int c = source.codePointAt(at);
        at += Character.charCount(c);
        if (c != '\\') {
            return List.of(range(c, c));
        }
        if (at >= end) {
            throw new Unknown("a pattern without a backslash at its end");
        }
        char escape = source.charAt(at++);
        return switch (escape) {
            case 'd' -> DIGIT;
            case 'D' -> complement(DIGIT);
            case 'w' -> WORD;
            case 'W' -> complement(WORD);
            case 's' -> SPACE;
            case 'S' -> complement(ANY_SPACE);
            case 'x' -> hex(2, end);
            case 'u' -> hex(4, end);
            default -> {
                if (Character.isLetterOrDigit(escape)) {
                    throw new Unknown("a pattern without \\" + escape);
                }
                yield List.of(range(escape, escape));
            }
        };
    }

    private List<int[]> hex(int digits, int end) throws Unknown {
        String text = at + digits <= end ? source.substring(at, at + digits) : "";
        if (!text.matches("[0-9a-fA-F]{" + digits + "}")) {
            throw new Unknown("a pattern whose escapes have " + digits + " hexadecimal digits");
        }
        at += digits;
        int value = Integer.parseInt(text, 16);
        return List.of(range(value, value));
    }

    /** A class in the converter's form, without what cannot stand in a JSON string. */
    private static String set(List<int[]> ranges) throws Unknown {
        List<int[]> kept = complement(concat(complement(ranges), NEVER));
        if (kept.isEmpty()) {
            throw new Unknown("a pattern without quotes, backslashes and control characters");
        }
        StringBuilder text = new StringBuilder("[");
        for (int[] range : kept) {
            text.append(escaped(range[0]));
            if (range[1] > range[0]) {
                text.append('-').append(escaped(range[1]));
            }
        }
        return text.append(']').toString();
    }

    private static String escaped(int character) {
        boolean plain = character >= '0' && character <= '9'
                || character >= 'A' && character <= 'Z'
                || character >= 'a' && character <= 'z';
        return plain ? String.valueOf((char) character) : "\\U%08X".formatted(character);
    }

    /** All characters that are in none of the ranges, ascending. */
    private static List<int[]> complement(List<int[]> ranges) {
        List<int[]> sorted = new ArrayList<>(ranges);
        sorted.sort((a, b) -> Integer.compare(a[0], b[0]));
        List<int[]> gaps = new ArrayList<>();
        int from = 0;
        for (int[] range : sorted) {
            if (range[0] > from) {
                gaps.add(range(from, range[0] - 1));
            }
            from = Math.max(from, range[1] + 1);
        }
        if (from <= LAST) {
            gaps.add(range(from, LAST));
        }
        return gaps;
    }

    private static List<int[]> concat(List<int[]> a, List<int[]> b) {
        List<int[]> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private static int[] range(int from, int to) {
        return new int[] {from, to};
    }
}
