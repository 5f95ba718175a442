package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.JsonNode;

/** Lists the models on disk and those of the catalogue. */
@Command(
        name = "list",
        description = "Lists the models on disk and those of the catalogue.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelListCommand implements Callable<Integer> {
    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        try (ModelPlace models = place.open()) {
            place.tellOfMissingFolder();
            JsonNode all = models.list();
            System.out.print(place.json ? all.toPrettyString() + "\n" : ModelText.table(all, Terminals.width()));
        }
        return 0;
    }
}
