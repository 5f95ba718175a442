package dev.chasqui.node.grpc;

import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.EmbedInput;
import dev.chasqui.proto.v1.EmbedRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The inputs of an embedding call as tokens, each checked against what the model takes. */
final class EmbeddingInputs {
    private final EmbedRequest request;
    private final LoadedModel model;
    private final int mostTokens;
    private final Runnable checkCaller;

    /** @param checkCaller throws where nobody waits any more */
    EmbeddingInputs(EmbedRequest request, LoadedModel model, int mostTokens, Runnable checkCaller) {
        this.request = request;
        this.model = model;
        this.mostTokens = mostTokens;
        this.checkCaller = checkCaller;
    }

    List<int[]> tokens() {
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < request.getInputsCount(); i++) {
            checkCaller.run();
            String field = "inputs[" + i + "]";
            int[] tokens = tokens(request.getInputs(i), field);
            InvalidRequest.require(tokens.length > 0, field, "0 tokens", "at least 1");
            if (tokens.length > mostTokens) {
                if (!request.getTruncate()) {
                    throw Failures.tooLong(field, tokens.length, mostTokens);
                }
                tokens = cut(
                        tokens,
                        mostTokens,
                        model.info().addEos() && request.getInputs(i).hasText());
            }
            texts.add(tokens);
        }
        return texts;
    }

    private int[] tokens(EmbedInput input, String field) {
        return switch (input.getInputCase()) {
            case TEXT -> model.vocabulary().tokenize(input.getText(), true, false);
            case TOKENS ->
                RequestedTokens.of(input.getTokens().getIdsList(), model.vocabulary(), field + ".tokens.ids");
            case INPUT_NOT_SET -> throw new InvalidRequest(field, "neither text nor tokens", "one of them");
        };
    }

    /** The beginning of a text; its end token stays where it has one. */
    private static int[] cut(int[] tokens, int most, boolean ends) {
        int[] cut = Arrays.copyOf(tokens, most);
        if (ends) {
            cut[most - 1] = tokens[tokens.length - 1];
        }
        return cut;
    }
}
