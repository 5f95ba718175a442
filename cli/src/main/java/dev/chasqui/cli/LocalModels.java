package dev.chasqui.cli;

import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.model.ModelPlan;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.Pull;
import dev.chasqui.node.store.PullProgress;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The models folder of this machine, without a server. */
final class LocalModels implements ModelPlace {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ModelStore store;

    private LocalModels(ModelStore store) {
        this.store = store;
    }

    /** @param folder null: the usual one */
    static LocalModels open(@Nullable Path folder) {
        ChasquiHome home = ChasquiHome.of(System.getenv());
        return told(() -> new LocalModels(new ModelStore(
                folder == null ? home.models() : folder,
                catalogue(home),
                StoreSettings.fromEnvironment(System.getenv()))));
    }

    /**
     * Before a node is started for a model: a name must mean something. Places are looked at when they are fetched.
     *
     * @param folder null: the usual one
     */
    static void requireKnown(String model, @Nullable Path folder) {
        if (told(() -> ModelReference.parse(model)) instanceof ModelReference.Named named) {
            try (LocalModels models = open(folder)) {
                String name = models.store.nameOf(named);
                boolean known = models.list()
                        .valueStream()
                        .anyMatch(one -> one.path("name").asString("").equals(name));
                if (!known) {
                    throw new Failure("--" + models.store.unknown(model).getMessage(), 2);
                }
            }
        }
    }

    static Catalogue catalogue(ChasquiHome home) {
        return Files.exists(home.catalogue()) ? Catalogue.withUserFile(home.catalogue()) : Catalogue.builtIn();
    }

    ModelStore store() {
        return store;
    }

    @Override
    public JsonNode list() {
        return told(() -> {
            Map<String, ObjectNode> models = new TreeMap<>();
            for (CatalogueEntry entry : store.catalogue().entries()) {
                models.put(entry.id(), describe(entry.id(), entry, null));
            }
            for (ModelStore.Partial partial : store.partials()) {
                models.computeIfAbsent(partial.name(), name -> describe(name, null, null))
                        .put("bytes_done", partial.bytes());
            }
            ModelStore.Contents contents = store.look();
            for (ModelStore.Damaged damaged : contents.damaged()) {
                ObjectNode model = describe(damaged.name(), damaged.entry(), null);
                model.put("state", "failed").put("reason", damaged.reason());
                models.put(
                        damaged.name(),
                        model.put("file_name", damaged.fileName()).put("size_bytes", damaged.sizeBytes()));
            }
            for (StoredModel stored : contents.usable()) {
                models.put(stored.name(), describe(stored.name(), stored.entry(), stored));
            }
            ArrayNode all = JSON.arrayNode();
            models.values().forEach(all::add);
            return all;
        });
    }

    @Override
    public JsonNode show(String name) {
        return told(() -> {
            ModelReference reference = ModelReference.parse(name);
            Optional<StoredModel> stored = store.find(reference);
            String known = store.nameOf(reference);
            if (stored.isEmpty()) {
                return list().valueStream()
                        .filter(model -> model.path("name").asString("").equals(known))
                        .findFirst()
                        .orElseThrow(() -> store.unknown(name));
            }
            CatalogueEntry entry = store.catalogue().entry(known).orElse(null);
            return describe(known, entry, stored.get()).put("slow_with_many", slowWithMany(stored.get()));
        });
    }

    private boolean slowWithMany(StoredModel stored) {
        try {
            return plan(stored).slowWithMany();
        } catch (LlamaException unusable) {
            return false;
        }
    }

    /**
     * How a model on disk would be run by this machine's processor.
     *
     * @throws LlamaException where it cannot be run
     */
    ModelPlan plan(StoredModel stored) {
        Llama llama = Llama.load(ChasquiHome.of(System.getenv()).cache());
        ModelSettings settings = new ModelSettings(null, 1, 0, 0, 0, 0, -1, 0, false, List.of(), null, Long.MAX_VALUE);
        return ModelPlan.of(llama, stored, store.loadFile(stored), null, settings);
    }

    @Override
    public Pulled pull(String name, boolean force, ProgressPrinter progress) {
        return told(() -> {
            // Whoever ends the program ends what it runs, such as a pip, and leaves no scratch behind.
            Runtime.getRuntime().addShutdownHook(new Thread(store::close, "stop"));
            AtomicBoolean fetched = new AtomicBoolean();
            Pull pull = store.pull(ModelReference.parse(name), force, state -> {
                fetched.compareAndSet(false, state.state() == PullProgress.State.DOWNLOADING);
                progress.show(bar(name, state));
            });
            StoredModel stored;
            try {
                stored = pull.future().join();
            } finally {
                progress.clear();
            }
            return new Pulled(describe(stored.name(), stored.entry(), stored), fetched.get());
        });
    }

    private static Bar bar(String name, PullProgress state) {
        return new Bar(
                name + " is downloading",
                state.fraction(),
                state.bytesDone(),
                state.bytesTotal(),
                state.bytesPerSecond());
    }

    @Override
    public void delete(String name) {
        told(() -> {
            store.delete(ModelReference.parse(name));
            return name;
        });
    }

    private static ObjectNode describe(String name, @Nullable CatalogueEntry entry, @Nullable StoredModel stored) {
        ObjectNode model = JSON.objectNode().put("name", name);
        if (entry != null) {
            model.put("size_bytes", entry.size() == null ? 0 : entry.size());
            model.put("file_name", entry.fileName()).put("licence", entry.licence());
            model.put("sha256", entry.sha256() == null ? "" : entry.sha256());
        }
        model.put("state", stored == null ? "absent" : "on_disk");
        if (stored != null) {
            model.put("size_bytes", stored.sizeBytes());
            model.put("file_name", String.valueOf(stored.file().getFileName()));
            model.put("last_modified", stored.modified().toString());
            model.put("architecture", stored.summary().architecture());
            model.put("quantization", stored.summary().quantization());
            model.put("parameters", stored.summary().parameters());
            model.put("trained_context_tokens", stored.summary().contextLength());
            model.put("checked", stored.checked());
            if (stored.sha256() != null) {
                model.put("sha256", stored.sha256());
            }
        }
        return model;
    }

    /** What the store refuses, in one sentence. */
    private static <T> T told(Supplier<T> work) {
        try {
            return work.get();
        } catch (StoreException | IllegalArgumentException refused) {
            throw new Failure(String.valueOf(refused.getMessage()), 1);
        } catch (CompletionException failed) {
            Throwable cause = failed.getCause() == null ? failed : failed.getCause();
            throw new Failure(String.valueOf(cause.getMessage()), 1);
        }
    }

    @Override
    public void close() {
        store.close();
    }
}
