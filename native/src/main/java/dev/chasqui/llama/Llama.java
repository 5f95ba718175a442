package dev.chasqui.llama;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import dev.chasqui.llama.LlamaException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** llama.cpp in this process. There is one; it stays loaded until the process ends. */
public final class Llama {
    /** The stack that a thread needs to render templates, to parse answers and to sample under a grammar, whatever comes. */
    public static final long STACK_BYTES = 64L << 20;

    private static final int ABI = 4;
    private static @Nullable Llama loaded;

    private final LlamaVersion version;

    private Llama(LlamaVersion version) {
        this.version = version;
    }

    /**
     * Extracts the libraries once, loads them and starts the backends. Later calls return the same object, whatever folder
     * they name.
     *
     * @param cacheDir where to keep the extracted libraries; made if absent
     * @throws LlamaException UNSUPPORTED_PLATFORM, LOAD_FAILED or VERSION_MISMATCH
     */
    public static synchronized Llama load(Path cacheDir) {
        if (loaded == null) {
            Path folder = NativeLibraries.extract(cacheDir);
            NativeLibraries.open(folder);
            if (Shim.cq_abi() != ABI) {
                throw new LlamaException(
                        Reason.VERSION_MISMATCH, "shim: version " + Shim.cq_abi() + " (expected: " + ABI + ")");
            }
            long[] error = new long[1];
            byte[] path = Shim.utf8(folder.toString());
            JsonNode started = Json.parse(Shim.takeText(Shim.cq_start(path, path.length, error), error));
            loaded = new Llama(new LlamaVersion(
                    started.get("release").asString(),
                    started.get("commit").asString(),
                    started.get("build").asInt()));
        }
        return loaded;
    }

    public LlamaVersion version() {
        return version;
    }

    /** The devices that this process can use, CPU last, with the free memory of this moment. */
    public List<Device> devices() {
        long[] error = new long[1];
        List<Device> devices = new ArrayList<>();
        for (JsonNode device : Json.parse(Shim.takeText(Shim.cq_devices(error), error))) {
            devices.add(new Device(
                    device.get("name").asString(),
                    device.get("description").asString(),
                    Device.Kind.valueOf(device.get("kind").asString()),
                    device.get("total").asLong(),
                    device.get("free").asLong()));
        }
        return List.copyOf(devices);
    }

    /** One line: the CPU library in use and the features of the processor that it uses. */
    public String systemInfo() {
        long[] error = new long[1];
        return Shim.takeText(Shim.cq_system_info(error), error);
    }

    /** Warnings and errors that llama.cpp wrote since the last call, oldest first; at most some 64 kB are kept. */
    public List<String> drainLog() {
        long[] error = new long[1];
        return Shim.takeText(Shim.cq_log_drain(error), error)
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
    }

    /**
     * Loads a model; takes as long as reading the file.
     *
     * @throws LlamaException LOAD_FAILED with the reason, of an adapter too; ABORTED if the listener said so
     */
    public LlamaModel loadModel(Path file, ModelOptions options, LoadListener listener) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new LlamaException(Reason.LOAD_FAILED, "model file: " + file + " (expected: a readable file)");
        }
        // What the native progress callback writes (a float) and reads (0: go on), so that it needs no call into Java.
        ByteBuffer shared = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
        byte[] path = Shim.utf8(file.toAbsolutePath().toString());
        long[] error = new long[1];
        long model;
        try (LoadWatch watch = LoadWatch.start(shared, listener)) {
            model = Shim.cq_model_load(
                    path,
                    path.length,
                    options.gpuLayers(),
                    options.memoryMap() ? 1 : 0,
                    Pointer.nativeValue(Native.getDirectBufferPointer(shared)),
                    error);
        }
        if (model == 0) {
            throw Shim.failure(error);
        }
        addAdapters(model, options.adapters());
        return LlamaModel.open(model, options.chatTemplate());
    }

    /** They live as long as the model. */
    private static void addAdapters(long model, List<Path> files) {
        long[] error = new long[1];
        for (Path file : files) {
            byte[] path = Shim.utf8(file.toAbsolutePath().toString());
            if (Shim.cq_model_add_adapter(model, path, path.length, error) < 0) {
                Shim.cq_model_free(model);
                throw Shim.failure(error);
            }
        }
    }
}
