package dev.chasqui.llama;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import dev.chasqui.llama.LlamaException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** llama.cpp in this process. There is one; it stays loaded until the process ends. */
public final class Llama {
    /** Types that every processor has kernels for which compute many tokens at once. */
    private static final Set<String> BATCHED = Set.of("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_0", "IQ4_NL");

    /** The stack that a thread needs to render templates, to parse answers and to sample under a grammar, whatever comes. */
    public static final long STACK_BYTES = 64L << 20;

    private static final int ABI = 9;
    private static @Nullable Llama loaded;

    private final LlamaVersion version;
    private final ReadWriteLock backends = new ReentrantReadWriteLock();

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

    /**
     * Lets this process compute with one more library of the pinned release, a GPU's. Before the first model.
     *
     * @param library by its absolute path
     * @param needed libraries that it needs, each after those that it needs itself; opened first, so that they are found wherever
     *     they lie
     * @throws LlamaException LOAD_FAILED with the reason, also where it finds no device
     */
    public void addBackend(Path library, List<Path> needed) {
        NativeLibraries.openFirst(needed);
        byte[] path = Shim.utf8(library.toAbsolutePath().toString());
        long[] error = new long[1];
        backends.writeLock().lock();
        try {
            if (Shim.cq_backend_add(path, path.length, error) < 0) {
                throw Shim.failure(error);
            }
        } finally {
            backends.writeLock().unlock();
        }
    }

    /** The devices that this process can use, CPU last, with the free memory of this moment. */
    public List<Device> devices() {
        List<Device> devices = new ArrayList<>();
        for (JsonNode device : asked(Shim::cq_devices)) {
            devices.add(new Device(
                    device.get("name").asString(),
                    device.get("description").asString(),
                    Device.Kind.valueOf(device.get("kind").asString()),
                    device.get("total").asLong(),
                    device.get("free").asLong()));
        }
        devices.sort(Comparator.comparing(device -> device.kind() == Device.Kind.CPU));
        return List.copyOf(devices);
    }

    /** What a function of the shim says while no backend is being added, since its list of devices is nobody's to read then. */
    private JsonNode asked(ToLongFunction<long[]> function) {
        long[] error = new long[1];
        backends.readLock().lock();
        try {
            return Json.parse(Shim.takeText(function.applyAsLong(error), error));
        } finally {
            backends.readLock().unlock();
        }
    }

    /** One line: the CPU library in use and the features of the processor that it uses. */
    public String systemInfo() {
        long[] error = new long[1];
        return Shim.takeText(Shim.cq_system_info(error), error);
    }

    /**
     * Whether this processor has a kernel that computes many tokens at once for weights of a type. Those that are laid out
     * anew when they are loaded are quick besides: an estimate tells of them.
     *
     * @param type as files are named for it: {@code Q4_1}
     */
    public boolean batches(String type) {
        return BATCHED.stream().anyMatch(type::startsWith) || (type.equals("Q4_1") && Shim.cq_batches_q4_1() != 0);
    }

    /** This machine, as libraries are named for it: {@code linux-x64}. */
    public static String platform() {
        return NativeLibraries.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /** The file names of this build's CPU libraries, of which one is chosen when it starts. */
    public static List<String> cpuLibraries() {
        return NativeLibraries.names().stream()
                .filter(name -> name.startsWith("libggml-cpu"))
                .toList();
    }

    /** The file name of the CPU library that was chosen for this processor, such as {@code libggml-cpu-haswell.so}. */
    public String cpuLibrary() {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.map(line -> line.substring(line.lastIndexOf('/') + 1))
                    .filter(name -> name.startsWith("libggml-cpu"))
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * What a model would take with this context, without taking it. Reads the head of the file only.
     *
     * @param head what is known of the file
     * @param gpuLayers layers to place on GPUs; 0: none, -1: all
     * @param split how several GPUs share them
     * @throws LlamaException LOAD_FAILED or INVALID_REQUEST with the reason
     */
    public MemoryEstimate estimate(Path file, ModelHead head, int gpuLayers, GpuSplit split, ContextOptions options) {
        requireReadable(file);
        byte[] path = Shim.utf8(file.toAbsolutePath().toString());
        byte[] architecture = Shim.utf8(head.architecture());
        int[] values = options.values();
        float[] shares = split.proportions();
        JsonNode found = asked(error -> Shim.cq_model_estimate(
                path,
                path.length,
                architecture,
                architecture.length,
                head.tokens(),
                split.placement(gpuLayers),
                shares,
                shares.length,
                values,
                values.length,
                error));
        List<MemoryEstimate.Part> parts = new ArrayList<>();
        for (JsonNode part : found.get("parts")) {
            parts.add(new MemoryEstimate.Part(
                    part.get("device").asString(),
                    Device.Kind.valueOf(part.get("kind").asString()),
                    part.get("weights").asLong(),
                    part.get("arranged").asLong(),
                    part.get("kv").asLong(),
                    part.get("compute").asLong()));
        }
        return new MemoryEstimate(
                found.get("layers").asInt(), found.get("generates").asBoolean(), parts);
    }

    /**
     * Writes a model anew with its weights in Q8_0, which every processor has batched kernels for.
     *
     * @param to overwritten where it is there
     * @param threads 1 or more
     * @throws LlamaException LOAD_FAILED with the reason
     */
    public void convertToQ8(Path from, Path to, int threads) {
        requireReadable(from);
        byte[] in = Shim.utf8(from.toAbsolutePath().toString());
        byte[] out = Shim.utf8(to.toAbsolutePath().toString());
        long[] error = new long[1];
        if (Shim.cq_model_convert(in, in.length, out, out.length, threads, error) != 0) {
            throw Shim.failure(error);
        }
    }

    /**
     * How much of a file the system holds in memory, 0 to 1.
     *
     * @throws LlamaException LOAD_FAILED where it cannot be read
     */
    public double cachedFraction(Path file) {
        byte[] path = Shim.utf8(file.toAbsolutePath().toString());
        long[] error = new long[1];
        double fraction = Shim.cq_file_cached(path, path.length, error);
        if (fraction < 0) {
            throw Shim.failure(error);
        }
        return fraction;
    }

    private static void requireReadable(Path file) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new LlamaException(Reason.LOAD_FAILED, "model file: " + file + " (expected: a readable file)");
        }
    }

    /**
     * Loads a model; takes as long as reading the file.
     *
     * @throws LlamaException LOAD_FAILED with the reason, of an adapter too; ABORTED if the listener said so
     */
    public LlamaModel loadModel(Path file, ModelOptions options, LoadListener listener) {
        requireReadable(file);
        // What the native progress callback writes (a float) and reads (0: go on), so that it needs no call into Java.
        ByteBuffer shared = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
        byte[] path = Shim.utf8(file.toAbsolutePath().toString());
        float[] shares = options.split().proportions();
        long[] error = new long[1];
        long model;
        try (LoadWatch watch = LoadWatch.start(shared, listener)) {
            model = Shim.cq_model_load(
                    path,
                    path.length,
                    options.split().placement(options.gpuLayers()),
                    shares,
                    shares.length,
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
