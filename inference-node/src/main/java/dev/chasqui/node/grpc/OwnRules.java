package dev.chasqui.node.grpc;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The parts of one schema that rules of our own hold, as llama.cpp's converter has none for them. */
final class OwnRules {
    /** Of a text whose length is bounded; the bound of a longer one is taken for this. */
    private static final int MOST_CHARACTERS = 10_000;

    private static final int BLOCK = 1000;
    private static final String CHARACTER = "[^\"\\\\\\x7F\\x00-\\x1F] | [\\\\] [\"\\\\bfnrt]";
    /** The keywords that bound numbers. */
    static final Set<String> OF_NUMBERS =
            Set.of("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf");

    private static final Set<String> OF_TEXTS = Set.of("minLength", "maxLength");

    /** What is done at last, as until then the schema is read as it was sent. */
    private final List<Runnable> replacements = new ArrayList<>();

    private final Map<String, String> rules = new LinkedHashMap<>();

    /** Puts names in the place of what is held here; what comes there by these names. */
    Map<String, String> placed() {
        for (int i = replacements.size() - 1; i >= 0; i--) {
            replacements.get(i).run(); // those within others come first
        }
        return rules;
    }

    /** Holds the numbers of a schema. */
    void numbers(ObjectNode schema) throws NumberGrammar.Unknown {
        String name = name();
        NumberGrammar.Range range = new NumberGrammar.Range(
                NumberGrammar.Bound.higher(
                        bound(schema, "minimum", true, false), bound(schema, "exclusiveMinimum", false, false)),
                NumberGrammar.Bound.negated(NumberGrammar.Bound.higher(
                        bound(schema, "maximum", true, true), bound(schema, "exclusiveMaximum", false, true))),
                schema.has("multipleOf") ? schema.get("multipleOf").decimalValue() : null,
                !AnswerSchema.types(schema).contains("number"));
        rules.put(name, NumberGrammar.of(range, name));
        replace(schema, Set.of("number", "integer"), OF_NUMBERS, name);
    }

    private static NumberGrammar.@Nullable Bound bound(
            ObjectNode schema, String key, boolean inclusive, boolean negated) {
        if (!schema.has(key)) {
            return null;
        }
        BigDecimal value = schema.get(key).decimalValue();
        return new NumberGrammar.Bound(negated ? value.negate() : value, inclusive);
    }

    /** Holds a text's length, in blocks of characters: a longer repetition is none that llama.cpp takes. */
    void longText(ObjectNode schema) {
        String name = name();
        int least = schema.path("minLength").asInt(0);
        int left = Math.min(schema.path("maxLength").asInt(), MOST_CHARACTERS) - least;
        String one = name + "-c";
        StringBuilder text = new StringBuilder(name).append(" ::= \"\\\"\" ");
        text.append(least == 0 ? "" : one + "{" + least + "} ").append(name).append("-0 \"\\\"\"\n");
        int block = 0;
        for (; left > BLOCK; block++, left -= BLOCK) {
            text.append("%s-%d ::= %s{0,%d} | %s{%d} %s-%d\n"
                    .formatted(name, block, one, BLOCK - 1, one, BLOCK, name, block + 1));
        }
        text.append("%s-%d ::= %s{0,%d}\n".formatted(name, block, one, left));
        rules.put(
                name,
                text.append(one).append(" ::= ").append(CHARACTER).append('\n').toString());
        replace(schema, Set.of("string"), OF_TEXTS, name);
    }

    /** One that no schema can know, so that nothing else is called so. */
    private String name() {
        return "own-" + Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE) + "-" + rules.size();
    }

    /** Has the values of some types written by our rules, and leaves those of others to the converter. */
    private void replace(ObjectNode schema, Set<String> types, Set<String> keywords, String name) {
        replacements.add(() -> {
            Set<String> others = AnswerSchema.types(schema);
            others.removeAll(types);
            ObjectNode rest = JsonNodeFactory.instance.objectNode();
            rest.setAll(schema);
            rest.remove(keywords);
            schema.removeAll();
            if (others.isEmpty()) {
                schema.put("const", name);
                return;
            }
            ArrayNode left = rest.putArray("type");
            others.forEach(left::add);
            ArrayNode alternatives = schema.putArray("anyOf");
            alternatives.addObject().put("const", name);
            alternatives.add(rest);
        });
    }
}
