package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.JsonNodeFactory;

/** Removes a model's file. */
@Command(
        name = "delete",
        aliases = "rm",
        description = "Removes a model's file.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelDeleteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Its name.")
    private String name;

    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        try (ModelPlace models = place.open()) {
            models.delete(name);
            System.out.println(
                    place.json
                            ? JsonNodeFactory.instance
                                    .objectNode()
                                    .put("name", name)
                                    .put("deleted", true)
                                    .toString()
                            : name + " is deleted");
        }
        return 0;
    }
}
