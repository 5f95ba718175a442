package dev.chasqui.node.grpc;

import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.RerankRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Pairs of query and document as a reranker reads them: in its own template, or one after the other between special tokens.
 * Special tokens in the texts stay text.
 */
final class RerankPairs {
    private static final String QUERY = "{query}";
    private static final String DOCUMENT = "{document}";

    private final RerankRequest request;
    private final ModelInfo info;
    private final Vocabulary vocabulary;
    private final int mostTokens;
    private final Runnable checkCaller;

    /** @param checkCaller throws where nobody waits any more */
    RerankPairs(RerankRequest request, LoadedModel model, int mostTokens, Runnable checkCaller) {
        this.request = request;
        this.info = model.info();
        this.vocabulary = model.vocabulary();
        this.mostTokens = mostTokens;
        this.checkCaller = checkCaller;
    }

    List<int[]> tokens() {
        List<int[]> pairs = new ArrayList<>();
        for (int i = 0; i < request.getDocumentsCount(); i++) {
            checkCaller.run();
            pairs.add(pair(i));
        }
        return pairs;
    }

    private int[] pair(int index) {
        String document = request.getDocuments(index);
        int[] tokens = pair(request.getQuery(), document, Integer.MAX_VALUE);
        if (tokens.length <= mostTokens) {
            return tokens;
        }
        if (!request.getTruncate()) {
            throw Failures.tooLong("documents[" + index + "]", tokens.length, mostTokens);
        }
        int room = mostTokens - pair(request.getQuery(), "", Integer.MAX_VALUE).length;
        if (room < 1) {
            throw Failures.tooLong("query", tokens(request.getQuery()).length, mostTokens - 1);
        }
        int[] cut = pair(request.getQuery(), document, room);
        return cut.length <= mostTokens ? cut : Arrays.copyOf(cut, mostTokens);
    }

    private int[] pair(String query, String document, int mostOfDocument) {
        int[] tokens = tokens(document);
        boolean fits = tokens.length <= mostOfDocument;
        int[] kept = fits ? tokens : Arrays.copyOf(tokens, mostOfDocument);
        return info.rerankTemplate().isEmpty()
                ? plain(tokens(query), kept)
                : templated(query, fits ? document : vocabulary.detokenize(kept), kept);
    }

    private int[] plain(int[] query, int[] document) {
        IntStream.Builder tokens = IntStream.builder();
        add(tokens, info.addBos() ? info.bos() : -1);
        Arrays.stream(query).forEach(tokens);
        add(tokens, info.addEos() ? end() : -1);
        add(tokens, info.sep());
        Arrays.stream(document).forEach(tokens);
        add(tokens, info.addEos() ? end() : -1);
        return tokens.build().toArray();
    }

    /** As one text, so that words keep the tokens that they have beside each other; piece by piece where that is not safe. */
    private int[] templated(String query, String document, int[] documentTokens) {
        String template = info.rerankTemplate();
        if (harmless(query) && harmless(document)) {
            return vocabulary.tokenize(template.replace(QUERY, query).replace(DOCUMENT, document), false, true);
        }
        IntStream.Builder tokens = IntStream.builder();
        for (String piece : template.split("(?=\\{query})|(?<=\\{query})|(?=\\{document})|(?<=\\{document})")) {
            int[] more = piece.equals(QUERY)
                    ? tokens(query)
                    : piece.equals(DOCUMENT) ? documentTokens : vocabulary.tokenize(piece, false, true);
            Arrays.stream(more).forEach(tokens);
        }
        return tokens.build().toArray();
    }

    /** Whether no special token is spelled in it, and no place of the template. */
    private boolean harmless(String text) {
        return !text.contains(DOCUMENT) && Arrays.equals(tokens(text), vocabulary.tokenize(text, false, true));
    }

    private int[] tokens(String text) {
        return vocabulary.tokenize(text, false, false);
    }

    private int end() {
        return info.eos() >= 0 ? info.eos() : info.sep();
    }

    private static void add(IntStream.Builder tokens, int token) {
        if (token >= 0) {
            tokens.add(token);
        }
    }
}
