package dev.chasqui.cli;

import dev.chasqui.llama.Device;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.backend.BackendChoice;
import dev.chasqui.node.backend.Backends;
import dev.chasqui.node.backend.GpuLibrary;
import dev.chasqui.node.model.Hardware;
import dev.chasqui.node.model.ModelPlan;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What this machine has, and what a node would do with it. Looks only; loads no model. */
@Command(
        name = "doctor",
        description = {
            "Says what hardware, libraries and models there are, and what a node would choose.",
            "It takes a node's options, and shows what they change."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class DoctorCommand implements Callable<Integer> {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    @Mixin
    private NodeOptions node;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        LogOptions.quiet();
        try {
            ObjectNode report = report();
            System.out.print(json ? report.toPrettyString() + "\n" : text(report));
            return 0;
        } catch (LlamaException | StoreException | IllegalArgumentException problem) {
            throw new Failure(String.valueOf(problem.getMessage()), 1);
        }
    }

    private ObjectNode report() throws IOException {
        ChasquiHome home = ChasquiHome.of(System.getenv());
        ModelSettings settings = node.settings();
        Llama llama = Llama.load(home.cache());
        ObjectNode report = JSON.objectNode();
        report.set("machine", machine());
        report.set("libraries", libraries(llama));
        Backends backends = Backends.here(home.cache(), ChasquiHome.preparedLibraries(System.getenv()));
        report.set("backend", backend(backends, llama));
        report.set("devices", devices(llama));
        report.set("choices", choices(settings));
        Path folder = node.modelsPath == null ? home.models() : node.modelsPath;
        try (LocalModels models = LocalModels.open(folder)) {
            ObjectNode store = report.putObject("store");
            store.put("folder", folder.toString());
            store.put("free_bytes", Files.getFileStore(nearest(folder)).getUsableSpace());
            report.set("models", models(llama, models, settings));
        }
        return report;
    }

    /** The folder, or where it is not there yet, the one that it will be in. */
    private static Path nearest(Path folder) {
        Path there = folder.toAbsolutePath();
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }
        return there;
    }

    private static ObjectNode machine() {
        ObjectNode machine = JSON.objectNode();
        machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        machine.put("processor", Hardware.processor());
        machine.put("physical_cores", Hardware.physicalCores());
        machine.put("processors", Runtime.getRuntime().availableProcessors());
        machine.put("processors_of_machine", Hardware.machineProcessors());
        machine.put("memory_bytes", Hardware.memoryBytes());
        machine.put("memory_of_machine_bytes", Hardware.machineMemoryBytes());
        machine.put("memory_free_bytes", Hardware.freeMemoryBytes());
        return machine;
    }

    private static ObjectNode libraries(Llama llama) {
        ObjectNode libraries = JSON.objectNode();
        libraries.put(
                "llama_cpp", llama.version().release() + " (" + llama.version().commit() + ")");
        libraries.put("cpu_library", llama.cpuLibrary());
        ArrayNode all = libraries.putArray("cpu_libraries");
        Llama.cpuLibraries().forEach(all::add);
        libraries.put("features", llama.systemInfo());
        return libraries;
    }

    /** What is to compute. A library that is here is loaded, so that its devices show; none is fetched. */
    private ObjectNode backend(Backends backends, Llama llama) {
        BackendChoice choice = backends.choose(node.backend());
        ObjectNode backend = JSON.objectNode();
        backend.put("name", choice.backend().name().toLowerCase(Locale.ROOT));
        backend.put("reason", choice.reason());
        GpuLibrary library = choice.library();
        if (library != null) {
            backend.put("library", library.label());
            backend.put("to_fetch_megabytes", backends.missingMegabytes(library));
            if (backends.missingMegabytes(library) == 0) {
                try {
                    backends.load(llama, library);
                } catch (LlamaException unusable) {
                    backend.put("name", "cpu");
                    backend.put("problem", unusable.getMessage());
                }
            }
        }
        return backend;
    }

    private static ArrayNode devices(Llama llama) {
        ArrayNode devices = JSON.arrayNode();
        for (Device device : llama.devices()) {
            devices.addObject()
                    .put("name", device.name())
                    .put("description", device.description())
                    .put("kind", device.kind().name().toLowerCase(Locale.ROOT))
                    .put("total_bytes", device.totalBytes())
                    .put("free_bytes", device.freeBytes());
        }
        return devices;
    }

    private static ObjectNode choices(ModelSettings settings) {
        ObjectNode choices = JSON.objectNode();
        choices.put("threads", settings.threads() > 0 ? settings.threads() : Hardware.physicalCores());
        choices.put("sequences", settings.slots());
        choices.put("models_memory_bytes", settings.memoryBytes());
        choices.put("prompt_cache_bytes", settings.promptCacheBytes());
        choices.put("keep_alive", settings.keepAlive().seconds());
        return choices;
    }

    private ArrayNode models(Llama llama, LocalModels models, ModelSettings settings) {
        ArrayNode out = JSON.arrayNode();
        String wanted = settings.defaultModel();
        ModelStore.Contents contents = wanted == null
                ? models.store().look()
                : new ModelStore.Contents(
                        models.store().find(ModelReference.parse(wanted)).stream()
                                .toList(),
                        List.of());
        List<StoredModel> stored = contents.usable();
        if (node.model != null && stored.isEmpty()) {
            throw new Failure(
                    "model " + node.model + " is not on disk (fetch it with: chasqui model pull " + node.model + ")",
                    1);
        }
        for (StoredModel model : stored) {
            out.add(plan(llama, model, models.store().loadFile(model), settings));
        }
        for (ModelStore.Damaged damaged : contents.damaged()) {
            out.addObject().put("name", damaged.name()).put("type", "").put("problem", damaged.reason());
        }
        return out;
    }

    private static ObjectNode plan(Llama llama, StoredModel stored, Path file, ModelSettings settings) {
        ObjectNode model = JSON.objectNode().put("name", stored.name());
        model.put("type", stored.summary().quantization());
        try {
            ModelPlan plan = ModelPlan.of(llama, stored, file, null, settings);
            model.put("fits", plan.hostBytes() <= settings.memoryBytes());
            model.put("memory_bytes", plan.totalBytes());
            model.put("weights_bytes", plan.memory().weightsBytes());
            model.put("kv_bytes", plan.memory().kvBytes());
            model.put("compute_bytes", plan.memory().computeBytes());
            model.put("layers", plan.memory().layers());
            model.put("gpu_layers", plan.layersOnGpu());
            model.put("sequences", plan.context().maxSequences());
            model.put("context_tokens", plan.contextTokens());
            model.put("kv_type", plan.context().k().name());
            model.put("flash_attention", plan.context().flash().name().toLowerCase(Locale.ROOT));
            model.put("threads", plan.context().threads());
            model.put("slow_with_many", plan.slowWithMany());
            model.put("optimized", !file.equals(stored.file()));
        } catch (LlamaException unusable) {
            model.put("problem", unusable.getMessage());
        }
        return model;
    }

    private static String text(ObjectNode report) {
        return new DoctorText().write(report);
    }

    /** A report as people read it. */
    private static final class DoctorText {
        private final LabelledText text = new LabelledText(Terminals.width());

        String write(JsonNode report) {
            machine(report.path("machine"));
            libraries(report.path("libraries"));
            backend(report.path("backend"));
            report.path("devices").forEach(this::device);
            choices(report.path("choices"));
            line(
                    "models folder",
                    report.at("/store/folder").asString("") + ", " + size(report.path("store"), "free_bytes")
                            + " free on its disk");
            report.path("models").forEach(this::model);
            return text.toString();
        }

        /** The processor was told already. */
        private void device(JsonNode device) {
            String kind = device.path("kind").asString("");
            if (!kind.equals("cpu")) {
                line(
                        kind,
                        device.path("name").asString("") + ": "
                                + device.path("description").asString("") + ", " + size(device, "free_bytes") + " of "
                                + size(device, "total_bytes") + " free");
            }
        }

        private void machine(JsonNode machine) {
            line("system", machine.path("system").asString(""));
            line("processor", machine.path("processor").asString("unknown"));
            int usable = machine.path("processors").asInt();
            int all = machine.path("processors_of_machine").asInt();
            line(
                    "cores",
                    machine.path("physical_cores").asInt() + " physical, " + usable + " logical"
                            + (usable < all ? " (limited; the machine has " + all + ")" : ""));
            long memory = machine.path("memory_bytes").asLong();
            long whole = machine.path("memory_of_machine_bytes").asLong();
            boolean limited = memory < whole * 0.98;
            line(
                    "memory",
                    ModelText.size(memory) + ", " + size(machine, "memory_free_bytes") + " free"
                            + (limited ? " (limited; the machine has " + ModelText.size(whole) + ")" : ""));
        }

        private void libraries(JsonNode libraries) {
            line("llama.cpp", libraries.path("llama_cpp").asString(""));
            line(
                    "cpu library",
                    libraries.path("cpu_library").asString("")
                            + ", the quickest of "
                            + libraries.path("cpu_libraries").size()
                            + " in this build that this processor can run");
            line("features", libraries.path("features").asString("").strip());
        }

        private void backend(JsonNode backend) {
            String name = backend.path("name").asString("");
            String library = backend.path("library").asString("");
            line("backend", name + " (--backend): " + backend.path("reason").asString(""));
            int missing = backend.path("to_fetch_megabytes").asInt(0);
            if (backend.has("problem")) {
                line("", library + " cannot be used: " + backend.path("problem").asString(""));
            } else if (missing > 0) {
                line(
                        "",
                        "its library " + library + " is fetched when a node starts, " + missing
                                + " MB (or now: chasqui backend fetch " + library + ")");
            } else if (!library.isEmpty()) {
                line("", "library " + library);
            }
        }

        private void choices(JsonNode choices) {
            line("threads", choices.path("threads").asInt() + " (--threads)");
            line("sequences", choices.path("sequences").asInt() + " at once (--parallel)");
            line("models memory", size(choices, "models_memory_bytes") + " at most (--models-memory)");
            line("prompt cache", size(choices, "prompt_cache_bytes") + " for each model (--prompt-cache)");
        }

        private void model(JsonNode model) {
            text.blank();
            line(
                    "model",
                    model.path("name").asString("")
                            + (model.path("type").asString("").isEmpty()
                                    ? ""
                                    : ", " + model.path("type").asString("")));
            if (model.has("problem")) {
                line("", "cannot be used: " + model.path("problem").asString(""));
                return;
            }
            line(
                    "memory",
                    size(model, "memory_bytes") + ": " + size(model, "weights_bytes") + " of weights, "
                            + size(model, "kv_bytes") + " of KV cache, " + size(model, "compute_bytes")
                            + " to compute in"
                            + (model.path("fits").asBoolean() ? "" : "; DOES NOT FIT --models-memory"));
            line(
                    "runs",
                    model.path("sequences").asInt() + " sequences of "
                            + model.path("context_tokens").asInt() + " tokens, "
                            + model.path("threads").asInt() + " threads");
            line(
                    "layers",
                    model.path("gpu_layers").asInt() + " of "
                            + model.path("layers").asInt() + " on a GPU (--gpu-layers)");
            line(
                    "KV cache",
                    model.path("kv_type").asString("") + ", flash attention: "
                            + model.path("flash_attention").asString(""));
            if (model.path("optimized").asBoolean()) {
                line("speed", "loaded from the Q8_0 file that was made of it");
            }
            if (model.path("slow_with_many").asBoolean()) {
                line(
                        "speed",
                        ModelText.slow(
                                model.path("type").asString(""),
                                model.path("name").asString("")));
            }
        }

        private static String size(JsonNode node, String field) {
            String size = ModelText.size(node.path(field).asLong());
            return size.isEmpty() ? "0 MB" : size;
        }

        private void line(String name, String value) {
            text.line(name, value);
        }
    }
}
