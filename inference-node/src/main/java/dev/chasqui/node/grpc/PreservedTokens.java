package dev.chasqui.node.grpc;

import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.engine.TokenText;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What tokens say in one answer: control tokens nothing, except those that the answer's parser has to see. */
final class PreservedTokens implements TokenText {
    private final Vocabulary vocabulary;
    private final Set<Integer> preserved;

    PreservedTokens(Vocabulary vocabulary, @Nullable AnswerForm form) {
        this.vocabulary = vocabulary;
        this.preserved = form == null || form.plainText() ? Set.of() : form.preservedTokens();
    }

    @Override
    public byte[] piece(int token) {
        return vocabulary.piece(token, !preserved.isEmpty() && preserved.contains(token));
    }

    @Override
    public boolean endsAnswer(int token) {
        return vocabulary.isEndOfGeneration(token);
    }
}
