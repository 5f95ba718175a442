package dev.chasqui.llama;

/**
 * What a model's file says about it.
 *
 * @param description one line: architecture, size, quantization
 * @param architecture such as {@code llama}
 * @param name the model's own name; empty where the file has none
 * @param quantization the weights' type, such as {@code Q4_K - Medium}
 * @param sizeBytes bytes of all weights
 * @param parameters number of weights
 * @param vocabSize number of tokens
 * @param trainedContext tokens of context that it was trained with
 * @param embedding width of its hidden state
 * @param layers number of layers
 * @param headsKv heads of keys and values
 * @param swaWindow tokens that its sliding-window layers see; 0: no such layers
 * @param recurrent its memory is a state, not a cache of cells (Mamba, RWKV): no tail can be removed
 * @param hybrid it has both kinds of memory
 * @param hasEncoder it has an encoder (T5 and the like)
 * @param hasChatTemplate its file holds a chat template
 * @param addBos a start token belongs in front of raw text
 * @param bos the start token; -1: none
 * @param eos the end token; -1: none
 * @param sep the token between two texts; -1: none
 * @param addEos an end token belongs behind raw text
 * @param kvBytesPerToken estimate of a context's bytes for each token with F16 keys and values; 0 where the memory does not
 *     grow with the context
 * @param generates it generates text; else it sees a whole text at once, and only embeds or ranks
 * @param pooling how its file says that states become a vector: {@code MEAN}, {@code CLS}, {@code LAST}; {@code RANK} for a
 *     reranker; empty: not said
 * @param embeddingWidth numbers of a vector
 * @param rerankTemplate how a reranker wants a pair written, with {@code {query}} and {@code {document}}; empty: not said
 */
public record ModelInfo(
        String description,
        String architecture,
        String name,
        String quantization,
        long sizeBytes,
        long parameters,
        int vocabSize,
        int trainedContext,
        int embedding,
        int layers,
        int headsKv,
        int swaWindow,
        boolean recurrent,
        boolean hybrid,
        boolean hasEncoder,
        boolean hasChatTemplate,
        boolean addBos,
        int bos,
        int eos,
        int sep,
        boolean addEos,
        long kvBytesPerToken,
        boolean generates,
        String pooling,
        int embeddingWidth,
        String rerankTemplate) {
    /** Whether it orders documents instead of embedding texts. */
    public boolean ranks() {
        return pooling.equals("RANK");
    }
}
