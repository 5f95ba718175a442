package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class NumberGrammarTest {
    private static final List<String> CASES = List.of(
            "0",
            "1",
            "-1",
            "-0",
            "00",
            "01",
            "7",
            "9",
            "10",
            "12",
            "99",
            "100",
            "101",
            "0.0",
            "0.5",
            "0.25",
            "0.499",
            "0.50",
            "0.501",
            "1.0",
            "1.00001",
            "9.99",
            "10.5",
            "10.49999",
            "10.50",
            "-0.5",
            "-0.0",
            "-0.25",
            "-3.75",
            "-10",
            "-10.25",
            "5.",
            ".5",
            "1e3",
            "123456789012345",
            "999999999999999",
            "0.000001");

    private static NumberGrammar.@Nullable Bound bound(@Nullable String value, boolean inclusive) {
        return value == null ? null : new NumberGrammar.Bound(new BigDecimal(value), inclusive);
    }

    /** Reads rules of the form {@code name ::= [class] name | "-" name | name}, and tells whether a text is theirs. */
    private static boolean takes(String rules, String text) {
        Map<String, String> bodies = new HashMap<>();
        rules.lines().forEach(line -> bodies.put(line.split(" ::=", 2)[0], line.split(" ::=", 2)[1]));
        Set<String> at = new HashSet<>();
        boolean end = enter("n", bodies, at);
        for (char c : text.toCharArray()) {
            Set<String> next = new HashSet<>();
            end = false;
            for (String alternative : at) {
                String[] parts = alternative.split(" ");
                String set = parts[0].substring(1, parts[0].length() - 1);
                if (set.indexOf(c) >= 0) {
                    end |= enter(parts[1], bodies, next);
                }
            }
            at = next;
        }
        return end;
    }

    private static boolean enter(String name, Map<String, String> bodies, Set<String> at) {
        boolean end = false;
        for (String alternative : bodies.getOrDefault(name, "").split("\\|", -1)) {
            String one = alternative.strip();
            if (one.isEmpty() || one.equals("\"\"")) {
                end = true;
            } else if (bodies.containsKey(one)) {
                end |= enter(one, bodies, at);
            } else {
                at.add(one);
            }
        }
        return end;
    }

    private static boolean isJson(String text) {
        return text.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?")
                && !(text.startsWith("-") && new BigDecimal(text).signum() == 0);
    }

    @Test
    void aNumberIsTakenExactlyIfItIsWithinTheBounds() throws Exception {
        Random random = new Random(5);
        int taken = 0;
        for (int i = 0; i < 400; i++) {
            boolean low = random.nextBoolean();
            boolean high = random.nextBoolean();
            BigDecimal least = BigDecimal.valueOf(random.nextInt(4000) - 2000, random.nextInt(3));
            BigDecimal most = least.add(BigDecimal.valueOf(1 + random.nextInt(3000), random.nextInt(3)));
            BigDecimal step =
                    random.nextInt(3) > 0 ? null : BigDecimal.valueOf(1 + random.nextInt(30), random.nextInt(3));
            boolean integer = random.nextInt(3) == 0 && (step == null || step.scale() == 0);
            boolean with = random.nextBoolean();
            String rules;
            try {
                rules = NumberGrammar.of(
                        new NumberGrammar.Range(
                                low ? new NumberGrammar.Bound(least, with) : null,
                                high ? new NumberGrammar.Bound(most, with) : null,
                                step,
                                integer),
                        "n");
            } catch (NumberGrammar.Unknown e) {
                continue;
            }
            for (int k = 0; k < 60; k++) {
                String text = k < CASES.size()
                        ? CASES.get(k)
                        : least.add(BigDecimal.valueOf(random.nextInt(4000) - 200, random.nextInt(4)))
                                .toPlainString();
                boolean fits = isJson(text)
                        && holds(new BigDecimal(text), low ? least : null, high ? most : null, with, step, integer);
                fits &= !integer || !text.contains(".");
                fits &= step == null
                        || new BigDecimal(text).scale()
                                <= Math.max(0, step.stripTrailingZeros().scale());
                assertThat(takes(rules, text))
                        .as("%s in %s %s %s %s %s", text, low ? least : "", high ? most : "", with, step, integer)
                        .isEqualTo(fits);
                taken += fits ? 1 : 0;
            }
        }
        assertThat(taken).isGreaterThan(500);
    }

    private static boolean holds(
            BigDecimal value,
            @Nullable BigDecimal least,
            @Nullable BigDecimal most,
            boolean with,
            @Nullable BigDecimal step,
            boolean integer) {
        int edge = with ? 0 : 1;
        return (least == null || value.compareTo(least) >= edge)
                && (most == null || most.compareTo(value) >= edge)
                && (step == null || value.remainder(step).signum() == 0)
                && (!integer || value.stripTrailingZeros().scale() <= 0);
    }

    @Test
    void fewStatesAreLeftWhereManyAreAlike() throws Exception {
        NumberGrammar.Range thousands = new NumberGrammar.Range(null, null, new BigDecimal(1000), true);
        assertThat(NumberGrammar.of(thousands, "n").lines().count()).isLessThan(150);
        NumberGrammar.Range share = new NumberGrammar.Range(bound("0", true), bound("1", true), null, false);
        assertThat(NumberGrammar.of(share, "n").lines().count()).isLessThan(60);
    }

    @Test
    void whatNoNumberFitsIsRefused() {
        NumberGrammar.Range none = new NumberGrammar.Range(bound("2", false), bound("2", true), null, false);
        assertThatThrownBy(() -> NumberGrammar.of(none, "n")).hasMessage("bounds with a number between them");
    }
}
