package dev.chasqui.node.model;

import dev.chasqui.llama.Llama;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Makes a model faster where many talk to it at once: its weights in Q8_0, for which every processor has kernels that compute
 * many sequences together. The text stays the same but for rounding (a divergence of 0.006 from Q4_1), the file grows.
 */
public final class Optimization {
    private Optimization() {}

    /**
     * @param threads that convert
     * @return the new file
     * @throws ModelException UNUSABLE where weights would lose by it
     * @throws dev.chasqui.llama.LlamaException or {@link dev.chasqui.node.store.StoreException} where it cannot be made
     */
    public static Path make(Llama llama, ModelStore store, StoredModel stored, int threads) {
        String type = stored.summary().quantization().toUpperCase(Locale.ROOT);
        if (type.startsWith("Q8") || !(type.startsWith("Q") || type.startsWith("IQ"))) {
            throw new ModelException(
                    ModelException.Reason.UNUSABLE,
                    "model " + stored.name() + " is of type " + type
                            + " (expected: a type of fewer bits than Q8_0, so that nothing is lost)");
        }
        return store.makeFaster(stored, (from, to) -> llama.convertToQ8(from, to, threads));
    }
}
