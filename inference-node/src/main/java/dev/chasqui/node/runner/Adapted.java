package dev.chasqui.node.runner;

import dev.chasqui.llama.LlamaContext;
import dev.chasqui.node.engine.AdapterSet;

/** Which adapters a context computes with: told to it only where they change, as it lays out its graphs anew then. */
final class Adapted {
    private final LlamaContext context;
    private AdapterSet adapters = AdapterSet.NONE;

    Adapted(LlamaContext context) {
        this.context = context;
    }

    void to(AdapterSet wanted) {
        if (wanted.equals(adapters)) {
            return;
        }
        int count = wanted.uses().size();
        int[] numbers = new int[count];
        float[] scales = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = wanted.uses().get(i).adapter();
            scales[i] = wanted.uses().get(i).scale();
        }
        context.setAdapters(numbers, scales);
        adapters = wanted;
    }
}
