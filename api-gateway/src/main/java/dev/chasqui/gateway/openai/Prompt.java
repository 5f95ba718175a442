package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.TokenList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A text, or tokens.
 *
 * @param text null where it is tokens
 * @param tokens empty where it is a text
 */
record Prompt(@Nullable String text, TokenList tokens) {
    private static final String EXPECTED = "a string, an array of strings, of tokens, or of arrays of tokens";

    /** A field that is one prompt or several; at least one. */
    static List<Prompt> parse(Fields fields, String name, int most) {
        JsonNode value = fields.any(name);
        if (value == null || value.isEmpty() && value.isArray() || !value.isString() && !value.isArray()) {
            throw fields.bad(name, value, EXPECTED);
        }
        if (value.isString() || value.get(0).isNumber()) {
            return List.of(one(fields.path(name), value));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (JsonNode element : fields.array(name, most)) {
            prompts.add(one(fields.path(name) + "[" + prompts.size() + "]", element));
        }
        return prompts;
    }

    private static Prompt one(String path, JsonNode value) {
        if (value.isString()) {
            return new Prompt(Text.whole(value.stringValue()), TokenList.getDefaultInstance());
        }
        if (!value.isArray() || value.isEmpty()) {
            throw RequestError.badValue(path, Fields.kind(value) + " (expected: " + EXPECTED + ")");
        }
        return new Prompt(null, tokens(path, value));
    }

    /** An array of tokens. */
    static TokenList tokens(String path, JsonNode array) {
        TokenList.Builder tokens = TokenList.newBuilder();
        for (JsonNode token : array.values()) {
            if (!token.canConvertToExactIntegral() || !token.canConvertToInt() || token.intValue() < 0) {
                throw RequestError.badValue(
                        path + "[" + tokens.getIdsCount() + "]",
                        (token.isNumber() ? Fields.shown(token) : Fields.kind(token))
                                + " (expected: the number of a token)");
            }
            tokens.addIds(token.intValue());
        }
        return tokens.build();
    }
}
