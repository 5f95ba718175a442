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
 * @param kvBytesPerToken estimate of a context's bytes for each token with F16 keys and values; 0 where the memory does not
 *     grow with the context
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
        long kvBytesPerToken) {}
