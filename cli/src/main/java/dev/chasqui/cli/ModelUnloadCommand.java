package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Takes a model out of a running server's memory. */
@Command(
        name = "unload",
        description = "Takes a model out of a running server's memory.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelUnloadCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Its name.")
    private String name;

    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        try (RemoteModels models = place.remote()) {
            JsonNode model = models.unload(name);
            System.out.println(
                    place.json ? model.toPrettyString() : model.path("name").asString(name) + " is out of memory");
        }
        return 0;
    }
}
