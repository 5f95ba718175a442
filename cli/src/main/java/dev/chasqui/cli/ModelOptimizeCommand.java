package dev.chasqui.cli;

import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.model.Hardware;
import dev.chasqui.node.model.ModelException;
import dev.chasqui.node.model.Optimization;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a file of a model that computes faster for many at a time. */
@Command(
        name = "optimize",
        description = {
            "Makes a file of a model that is quicker where several talk to it at once, with its weights in Q8_0.",
            "It is used instead of the model's own from the next load on. Only where this processor has no kernel for the"
                    + " model's type that computes many sequences together, and never where weights would lose by it."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelOptimizeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Its name.")
    private String name;

    @Option(names = "--force", description = "Also where this processor computes the model's type well.")
    private boolean force;

    @Option(
            names = "--models-path",
            paramLabel = "DIR",
            description = "Where model files are kept. Default: models in CHASQUI_HOME.")
    @Nullable
    private Path modelsPath;

    @Override
    public Integer call() {
        LogOptions.quiet();
        try (LocalModels models = LocalModels.open(modelsPath)) {
            StoredModel stored = models.store()
                    .find(ModelReference.parse(name))
                    .orElseThrow(() -> new Failure(
                            "model " + name + " is not on disk (fetch it with: chasqui model pull " + name + ")", 1));
            System.out.println(optimize(models, stored));
            return 0;
        } catch (LlamaException | ModelException | StoreException | IllegalArgumentException problem) {
            throw new Failure(String.valueOf(problem.getMessage()), 1);
        }
    }

    private String optimize(LocalModels models, StoredModel stored) {
        if (!models.store().loadFile(stored).equals(stored.file())) {
            return stored.name() + " has its faster file already";
        }
        if (!force && !models.plan(stored).slowWithMany()) {
            return stored.name() + " needs none: this processor computes "
                    + stored.summary().quantization() + " for many sequences at once";
        }
        Llama llama = Llama.load(ChasquiHome.of(System.getenv()).cache());
        long began = System.nanoTime();
        Path made = Optimization.make(llama, models.store(), stored, Hardware.physicalCores());
        return String.format(
                Locale.ROOT,
                "made a Q8_0 file of %s in %.1f s: %s instead of %s of disk and memory; quicker for several at a time,"
                        + " a little slower for one alone; used from the next load on",
                stored.name(),
                (System.nanoTime() - began) / 1e9,
                ModelText.size(made.toFile().length()),
                ModelText.size(stored.sizeBytes()));
    }
}
