package dev.chasqui.llama;

/** Grammars in llama.cpp's form (GBNF). */
public final class Grammar {
    private Grammar() {}

    /**
     * The grammar of all JSON texts that fit a JSON schema.
     *
     * @throws LlamaException INVALID_REQUEST where the text is no schema, or one that a grammar cannot express
     */
    public static String fromJsonSchema(String schema) {
        byte[] json = Shim.utf8(schema);
        long[] error = new long[1];
        return Shim.takeText(Shim.cq_grammar_from_schema(json, json.length, error), error);
    }
}
