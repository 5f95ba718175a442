package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Says what is known of a model. */
@Command(
        name = "show",
        description = "Says what is known of a model.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelShowCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Its name.")
    private String name;

    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        try (ModelPlace models = place.open()) {
            JsonNode model = models.show(name);
            System.out.print(place.json ? model.toPrettyString() + "\n" : ModelText.details(model, Terminals.width()));
        }
        return 0;
    }
}
