package dev.chasqui.node.store;

/**
 * What a checked model file says about itself; a model in several parts is summed up as one. Numbers are 0 and texts
 * empty where the file does not say.
 *
 * @param version of the GGUF format, 2 or 3
 * @param architecture "llama", "qwen2"
 * @param name the model's name as its maker wrote it
 * @param quantization "Q4_1", "Q4_K_M", "F16"
 * @param contextLength tokens it was trained for
 * @param embeddingLength width of its state
 * @param blockCount layers
 * @param headCount attention heads; the most of any layer where layers differ
 * @param headCountKv key and value heads; the most of any layer where layers differ
 * @param keyLength elements of one head's key
 * @param valueLength elements of one head's value
 * @param vocabularySize tokens it knows
 * @param hasChatTemplate whether the file carries a chat template
 * @param tokenizerModel "gpt2", "llama"
 * @param parameters elements of all tensors
 * @param tensorBytes bytes of all tensors: the memory that its weights need
 * @param tensorCount number of tensors
 */
public record GgufSummary(
        int version,
        String architecture,
        String name,
        String quantization,
        long contextLength,
        long embeddingLength,
        long blockCount,
        long headCount,
        long headCountKv,
        long keyLength,
        long valueLength,
        long vocabularySize,
        boolean hasChatTemplate,
        String tokenizerModel,
        long parameters,
        long tensorBytes,
        long tensorCount) {}
