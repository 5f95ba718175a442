package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A LoRA adapter's file, held against its model's before native code sees either: llama.cpp checks some shapes when it reads an
 * adapter, and ends the process over the others when it computes with it.
 *
 * <p>An adapter has two tensors for each weight that it changes: {@code a} makes few numbers of the weight's input, {@code b} makes
 * of these what is added to its output. For the embedding of tokens {@code a} has a row for each token.
 */
public final class LoraFile {
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String EMBEDDING = "token_embd.weight";
    private static final String OUTPUT = "output.weight";
    private static final String INVOCATION = "adapter.alora.invocation_tokens";
    private static final Set<TensorType> TYPES =
            Set.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0);

    private final String file;
    private final Map<String, GgufFile.Tensor> model = new HashMap<>();
    private final Map<String, GgufFile.Tensor> own = new HashMap<>();

    private LoraFile(String file) {
        this.file = file;
    }

    /**
     * Checks that an adapter is one and fits a model.
     *
     * @param model its file, or the first of its parts
     * @return bytes of the adapter's weights
     * @throws BadModelFile where it is no adapter, or one of another model
     * @throws StoreException IO where one of them cannot be read
     */
    public static long check(Path adapter, Path model) {
        try {
            return new LoraFile(adapter.getFileName().toString()).read(adapter, model);
        } catch (IOException e) {
            throw new StoreException(
                    StoreException.Reason.IO, adapter + " cannot be read (expected: a LoRA adapter's file)", e);
        }
    }

    private long read(Path adapter, Path modelFile) throws IOException {
        GgufFile head = head(adapter);
        String architecture = "";
        for (String part : GgufModel.partNames(modelFile.getFileName().toString())) {
            GgufFile of = head(modelFile.resolveSibling(part));
            architecture = architecture.isEmpty() ? of.text("general.architecture") : architecture;
            of.tensors().forEach(tensor -> model.put(tensor.name(), tensor));
        }
        checkKeys(head, architecture);
        long bytes = 0;
        for (GgufFile.Tensor tensor : head.tensors()) {
            own.put(tensor.name(), tensor);
            bytes += tensor.bytes();
        }
        boolean any = false;
        for (GgufFile.Tensor tensor : head.tensors()) {
            any |= checkTensor(tensor);
        }
        if (!any) {
            throw bad("it changes no weight (expected: pairs of " + A + " and " + B + ")");
        }
        return bytes;
    }

    private static GgufFile head(Path path) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(path)) {
            return GgufFile.read(channel, path.getFileName().toString());
        }
    }

    private void checkKeys(GgufFile head, String architecture) {
        require(head, "general.type", "adapter");
        require(head, "adapter.type", "lora");
        require(head, "general.architecture", architecture);
        Object alpha = head.value("adapter.lora.alpha");
        if (alpha != null && !(alpha instanceof Float number && Float.isFinite(number))) {
            throw bad("adapter.lora.alpha: not a number of 32 bits (expected: a finite one)");
        }
        if (head.value(INVOCATION) != null) {
            throw bad(INVOCATION + ": given (expected: an adapter that works on every token)");
        }
    }

    private void require(GgufFile head, String key, String expected) {
        String value = head.text(key);
        if (!value.equals(expected)) {
            throw bad(key + ": " + (value.isEmpty() ? "missing" : FileNames.shown(value)) + " (expected: " + expected
                    + ")");
        }
    }

    /** Returns whether it changes a weight. */
    private boolean checkTensor(GgufFile.Tensor tensor) {
        String name = tensor.name();
        if (!name.matches("[A-Za-z0-9._-]+")) {
            throw bad("tensor " + FileNames.shown(name) + ": a name that no weight has");
        }
        if (name.endsWith("_norm.weight")) {
            return false; // llama.cpp passes over these.
        }
        boolean a = name.endsWith(A);
        String base = name.substring(0, Math.max(0, name.length() - A.length()));
        if (!a && !name.endsWith(B) || base.contains(A) || base.contains(B)) {
            throw bad("tensor " + name + " (expected: a weight's name with " + A + " or " + B + ")");
        }
        if (!TYPES.contains(tensor.type())) {
            throw bad("tensor " + name + ": " + tensor.type() + " (expected: F32, F16, BF16 or Q8_0)");
        }
        GgufFile.Tensor other = own.get(base + (a ? B : A));
        if (other == null) {
            throw bad("tensor " + name + ": alone (expected: " + base + (a ? B : A) + " too)");
        }
        if (a) {
            checkPair(base, tensor.shape(), other.shape());
        }
        return true;
    }

    private void checkPair(String base, List<Long> a, List<Long> b) {
        GgufFile.Tensor weight = model.get(base);
        if (weight == null) {
            throw bad("tensor " + base + ": not in the model (expected: an adapter made for this model)");
        }
        List<Long> shape = weight.shape();
        if (shape.size() < 2 || weight.type() == TensorType.NVFP4) {
            throw bad("tensor " + base + ": cannot be changed by an adapter");
        }
        boolean embedding = base.equals(EMBEDDING);
        if (embedding && !model.containsKey(OUTPUT)) {
            throw bad(
                    "tensor " + base + ": the model uses it for its output too (expected: an adapter that leaves it)");
        }
        long rank = at(b, 0);
        boolean fits = embedding
                ? at(a, 0) == rank && at(a, 1) == at(shape, 1) && at(b, 1) == at(shape, 0)
                : at(a, 0) == at(shape, 0) && at(a, 1) == rank && at(b, 1) == at(shape, 1);
        for (int i = 2; i < 4; i++) {
            fits &= at(a, i) == at(shape, i) && at(b, i) == at(shape, i);
        }
        if (!fits || rank < 1) {
            throw bad("tensor " + base + ": " + a + " and " + b + " for a weight of " + shape
                    + " (expected: an adapter made for this model)");
        }
    }

    private static long at(List<Long> shape, int dimension) {
        return dimension < shape.size() ? shape.get(dimension) : 1;
    }

    private BadModelFile bad(String what) {
        return new BadModelFile(file + ": " + what);
    }
}
