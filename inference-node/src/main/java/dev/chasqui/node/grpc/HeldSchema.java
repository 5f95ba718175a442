package dev.chasqui.node.grpc;

import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.Grammar;
import dev.chasqui.llama.LlamaException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The form of an answer as a grammar holds it. What llama.cpp's converter has no words for stands in its schema as a text of
 * its own, and the grammar that comes of it gets our rules in the place of each such text.
 *
 * @param schema as the converter takes it
 * @param rules by the text that stands for them, which is also the name of the first rule
 * @param field where it came from
 */
record HeldSchema(JsonNode schema, Map<String, String> rules, String field) {
    private static final JsonMapper JSON = JsonMapper.shared();

    /** @throws InvalidRequest where the converter refuses it */
    String grammar() {
        String grammar = converted();
        return placed(grammar, standing(grammar));
    }

    /** What a template says of answers in this form, with our rules in its grammar. */
    AnswerForm in(AnswerForm told) {
        if (rules.isEmpty()) {
            return told;
        }
        ObjectNode json = (ObjectNode) JSON.readTree(told.json());
        json.put("grammar", placed(json.path("grammar").asString(""), standing(converted())));
        return told.withJson(json.toString());
    }

    private String converted() {
        try {
            return Grammar.fromJsonSchema(schema.toString());
        } catch (LlamaException e) {
            String why = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
            why = why.replaceFirst("^.*JSON schema error at ", "at ");
            throw new InvalidRequest(field, "not shown", "a JSON schema; " + why);
        }
    }

    /** Those that a grammar has a place for; nothing leads to the others. */
    private Set<String> standing(String grammar) {
        Set<String> standing = new HashSet<>(rules.keySet());
        standing.removeIf(name -> !grammar.contains(text(name)));
        return standing;
    }

    private String placed(String grammar, Set<String> wanted) {
        for (String name : wanted) {
            InvalidRequest.require(
                    grammar.contains(text(name)),
                    field,
                    "bounds that the template of this model cannot hold",
                    "none of numbers, and of texts fewer than " + AnswerSchema.MOST_REPETITIONS + " characters");
        }
        String text = grammar;
        StringBuilder own = new StringBuilder();
        for (String name : wanted) {
            text = text.replace(text(name), name);
            own.append(rules.get(name));
        }
        return text.endsWith("\n") ? text + own : text + "\n" + own;
    }

    /** How the converter writes a constant text. */
    private static String text(String name) {
        return "\"\\\"" + name + "\\\"\"";
    }
}
