package dev.chasqui.cli;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import dev.chasqui.node.NodeConfiguration;
import dev.chasqui.node.model.AdapterFile;
import dev.chasqui.node.model.AnswerSettings;
import dev.chasqui.node.model.KeepAlive;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.store.SamplingDefaults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What an inference node can be told, by {@code chasqui node} and by {@code chasqui serve}, which hands it on. */
final class NodeOptions {
    private static final String SCHEME = "[A-Za-z][A-Za-z0-9+.-]+:.*";

    @Option(
            names = "--model",
            paramLabel = "NAME|FILE",
            description =
                    "Model to load at once and to answer with where a request names none: a name of the catalogue, or a"
                            + " .gguf file. Without it: the first of the catalogue that can be had.")
    @Nullable
    String model;

    @Option(
            names = "--models-path",
            paramLabel = "DIR",
            description = "Where model files are kept. Default: models in CHASQUI_HOME.")
    @Nullable
    Path modelsPath;

    @Option(names = "--parallel", paramLabel = "N", description = "Sequences computed at once, 1 to 256. Default: 4.")
    @Nullable
    Integer parallel;

    @Option(
            names = "--ctx",
            paramLabel = "TOKENS",
            description = "Context that a sequence may use, prompt and answer together. Default: by the model.")
    @Nullable
    Integer context;

    @Option(
            names = "--kv-tokens",
            paramLabel = "TOKENS",
            description =
                    "What the KV cache holds for all sequences together. Fewer than --parallel times --ctx make one cache for"
                            + " all: each sequence takes what it needs, and waits while there is no room. Default: a whole context"
                            + " for each.")
    @Nullable
    Integer kvTokens;

    @Option(
            names = "--kv-type",
            paramLabel = "TYPE",
            description =
                    "How the KV cache keeps keys and values: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl. q8_0 takes"
                            + " half the memory of f16, the default, and q4_0 a quarter, for less exact answers.")
    @Nullable
    String kvType;

    @Option(
            names = "--flash-attention",
            paramLabel = "auto|on|off",
            description = "Whether attention is computed in one fused kernel. Default: auto, where the device can.")
    @Nullable
    String flashAttention;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. 0, the default: one for each physical core.")
    @Nullable
    Integer threads;

    @Mixin
    private final DeviceOptions devices = new DeviceOptions();

    @Option(
            names = "--prompt-cache",
            paramLabel = "MIB",
            description =
                    "Memory, for each model, for the beginnings of conversations that had to leave its KV cache, so that they"
                            + " are not computed again. 0: none. Default: an eighth of the machine's memory, at most 8192.")
    @Nullable
    Integer promptCache;

    @Option(
            names = "--lora",
            paramLabel = "NAME=FILE[:SCALE]",
            split = ",",
            description =
                    "A LoRA adapter of --model's model, a GGUF file that requests may name; SCALE says how strongly it works"
                            + " where they do not. Can be given again.")
    List<String> lora = List.of();

    @Option(
            names = "--draft-model",
            paramLabel = "NAME|FILE",
            description =
                    "A much smaller model with the same vocabulary as --model's, on disk, that guesses what it says next while"
                            + " one answer runs alone. Used only where that is quicker.")
    @Nullable
    String draftModel;

    @Option(
            names = "--models-memory",
            paramLabel = "MIB",
            description =
                    "Most of the machine's memory that models may hold. The one longest unused goes when another needs its"
                            + " memory, and none that is in use. Default: four fifths of the machine's.")
    @Nullable
    Integer modelsMemory;

    @Option(
            names = "--keep-alive",
            paramLabel = "TIME",
            description =
                    "How long a model that nobody uses stays in memory: seconds, or a time such as 5m or 1h30m; -1, the"
                            + " default: until its memory is needed.")
    @Nullable
    String keepAlive;

    @Option(
            names = "--optimize",
            description =
                    "Make a faster file, once, of a model whose type this processor computes slowly for many at a time; see"
                            + " chasqui model optimize.")
    boolean optimize;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens of an answer where a request does not say. Default: as many as fit.")
    @Nullable
    Integer maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Where a request does not say; 0 to 2. Default: as the catalogue says, else 0.8.")
    @Nullable
    Double temperature;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Where a request does not say; 0 to 1. Default: as the catalogue says, else 0.95.")
    @Nullable
    Double topP;

    @Option(
            names = "--repeat-penalty",
            paramLabel = "R",
            description = "Where a request does not say; above 0 to 10. Default: as the catalogue says, else 1 (off).")
    @Nullable
    Double repeatPenalty;

    @Option(
            names = "--generation-timeout",
            paramLabel = "SECONDS",
            description =
                    "An answer that takes longer is logged as a warning, with its token counts. 0, the default: none is.")
    @Nullable
    Integer generationTimeout;

    @Option(
            names = "--queue",
            paramLabel = "N",
            description = "Requests that may wait for a sequence; more are refused. Default: 128.")
    @Nullable
    Integer queue;

    @Option(
            names = "--lookahead",
            paramLabel = "on|off",
            description =
                    "Whether an answer that runs alone may have likely next tokens computed ahead, which changes its speed"
                            + " and not its text. Default: on.")
    @Nullable
    String lookahead;

    /**
     * As the node takes it.
     *
     * @throws Failure where a value is out of range, or names a file where a folder is wanted
     * @throws IllegalArgumentException where a value is out of range, or names a file that is not there
     */
    ModelSettings settings() {
        Require.temperature(temperature);
        Require.atLeast(0, "prompt-cache", promptCache, "MiB");
        Require.atLeast(1, "models-memory", modelsMemory, "MiB");
        Require.folder("models-path", modelsPath);
        return new ModelSettings(
                file("model", model),
                parallel == null ? 4 : parallel,
                context == null ? 0 : context,
                kvTokens == null ? 0 : kvTokens,
                one(KvType.class, "kv-type", kvType, KvType.F16),
                one(FlashAttention.class, "flash-attention", flashAttention, FlashAttention.AUTO),
                queue == null ? 128 : queue,
                threads == null ? 0 : threads,
                devices.gpuLayers(),
                promptCache == null ? NodeConfiguration.usualPromptCacheBytes() : (long) promptCache << 20,
                lookahead(),
                adapters(),
                file("draft-model", draftModel),
                modelsMemory == null ? NodeConfiguration.usualMemoryBytes() : (long) modelsMemory << 20,
                keepAlive == null ? KeepAlive.FOREVER : KeepAlive.parse(keepAlive),
                optimize,
                answers(),
                devices.split());
    }

    /** What computes; null: the best that the machine has. */
    @Nullable
    Backend backend() {
        return devices.backend();
    }

    private AnswerSettings answers() {
        SamplingDefaults sampling =
                new SamplingDefaults(temperature, null, topP, null, null, repeatPenalty, null, null, null, maxTokens);
        return new AnswerSettings(sampling, Duration.ofSeconds(generationTimeout == null ? 0 : generationTimeout));
    }

    /** @throws Failure where the model's name means nothing */
    void requireKnownModel() {
        String named = file("model", model);
        if (named != null) {
            LocalModels.requireKnown(named, modelsPath);
        }
    }

    /** The same options as arguments of {@code chasqui node}; those not given are left out. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>();
        add(arguments, "--model", file("model", model));
        add(arguments, "--models-path", modelsPath);
        add(arguments, "--parallel", parallel);
        add(arguments, "--ctx", context);
        add(arguments, "--kv-tokens", kvTokens);
        add(arguments, "--kv-type", kvType);
        add(arguments, "--flash-attention", flashAttention);
        add(arguments, "--threads", threads);
        arguments.addAll(devices.arguments());
        add(arguments, "--prompt-cache", promptCache);
        add(arguments, "--models-memory", modelsMemory);
        add(arguments, "--keep-alive", keepAlive);
        if (optimize) {
            arguments.add("--optimize");
        }
        add(arguments, "--max-tokens", maxTokens);
        add(arguments, "--temperature", temperature);
        add(arguments, "--top-p", topP);
        add(arguments, "--repeat-penalty", repeatPenalty);
        add(arguments, "--generation-timeout", generationTimeout);
        add(arguments, "--queue", queue);
        add(arguments, "--lookahead", lookahead);
        add(arguments, "--draft-model", file("draft-model", draftModel));
        adapters().forEach(adapter -> add(arguments, "--lora", adapter));
        return arguments;
    }

    private static <E extends Enum<E>> E one(Class<E> type, String option, @Nullable String word, E usual) {
        if (word == null) {
            return usual;
        }
        for (E value : type.getEnumConstants()) {
            if (value.name().equalsIgnoreCase(word)) {
                return value;
            }
        }
        String expected = Stream.of(type.getEnumConstants())
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
        throw new IllegalArgumentException(option + ": " + word + " (expected: one of " + expected + ")");
    }

    private boolean lookahead() {
        if (lookahead == null || lookahead.equals("on")) {
            return true;
        }
        if (lookahead.equals("off")) {
            return false;
        }
        throw new IllegalArgumentException("lookahead: " + lookahead + " (expected: on or off)");
    }

    private List<AdapterFile> adapters() {
        List<AdapterFile> adapters = lora.stream().map(AdapterFile::parse).toList();
        for (AdapterFile adapter : adapters) {
            if (!Files.isRegularFile(adapter.file())) {
                throw new IllegalArgumentException(
                        "lora: " + adapter.name() + ": " + adapter.file() + " (expected: a file that is there)");
            }
        }
        return adapters;
    }

    /** What was asked for; a file by its full path, which means the same in every process. */
    private static @Nullable String file(String option, @Nullable String model) {
        if (model == null || model.matches(SCHEME) || !model.endsWith(".gguf")) {
            return model;
        }
        Path file = Main.path(model).toAbsolutePath().normalize();
        if (Files.isRegularFile(file)) {
            return file.toString();
        }
        if (file.getFileName().toString().equals(model)) {
            return model; // Of the models folder, then.
        }
        throw new IllegalArgumentException(
                option + ": " + model + " (expected: a file that is there; looked for " + file + ")");
    }

    private static void add(List<String> arguments, String option, @Nullable Object value) {
        if (value != null) {
            arguments.add(option);
            arguments.add(value.toString());
        }
    }
}
