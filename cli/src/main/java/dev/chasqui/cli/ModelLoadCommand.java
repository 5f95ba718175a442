package dev.chasqui.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Brings a model into a running server's memory. */
@Command(
        name = "load",
        description = "Brings a model into a running server's memory.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ModelLoadCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "Its name.")
    private String name;

    @Option(
            names = "--keep-alive",
            paramLabel = "TIME",
            description = "How long it stays when nobody uses it: seconds, a time such as 5m, 0 or -1 for ever.")
    @Nullable
    private String keepAlive;

    @Mixin
    private ModelPlaceOptions place;

    @Override
    public Integer call() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        if (keepAlive != null) {
            body.put("keep_alive", keepAlive);
        }
        try (RemoteModels models = place.remote()) {
            JsonNode model = models.load(name, body, place.progress("stopped; the server may go on with it"));
            String told = model.path("name").asString(name) + " is in memory, "
                    + ModelText.size(model.path("memory_bytes").asLong(0));
            System.out.println(place.json ? model.toPrettyString() : told);
        }
        return 0;
    }
}
