package dev.chasqui.cli;

import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.StoreException;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The models of a running server. */
final class RemoteModels implements ModelPlace {
    private final ServerClient server;

    RemoteModels(ServerClient server) {
        this.server = server;
    }

    @Override
    public JsonNode list() {
        return server.get("/api/models").path("models");
    }

    @Override
    public JsonNode show(String name) {
        return server.get(path(name));
    }

    /** @throws Failure where a model that is known has to be fetched first */
    static void requireHere(JsonNode model) {
        if (model.path("state").asString("").equals("absent")) {
            String name = model.path("name").asString("");
            throw new Failure("model " + name + " is not here yet (fetch it with: chasqui model pull " + name + ")", 1);
        }
    }

    @Override
    public Pulled pull(String name, boolean force, ProgressPrinter progress) {
        if (isLocalFile(name)) {
            throw new Failure(
                    "model: " + name + ", a file of this machine, which a server does not take (expected: one of the"
                            + " other forms; chasqui model pull --models-path DIR copies it into a folder)",
                    1);
        }
        return follow(path(name), JsonNodeFactory.instance.objectNode().put("force", force), name, progress);
    }

    private static boolean isLocalFile(String name) {
        try {
            return ModelReference.parse(name).isLocalFile();
        } catch (StoreException odd) {
            // The server says what is wrong with it.
            return false;
        }
    }

    /** Brings it into memory. */
    JsonNode load(String name, ObjectNode body, ProgressPrinter progress) {
        return follow(path(name) + "/load", body, name, progress).model();
    }

    JsonNode unload(String name) {
        return server.post(path(name) + "/unload");
    }

    @Override
    public void delete(String name) {
        server.delete(path(name));
    }

    private Pulled follow(String path, ObjectNode body, String name, ProgressPrinter progress) {
        boolean fetched = false;
        try (ServerClient.Events events = server.events(path, body)) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                if (event.path("type").asString("").equals("done")) {
                    return new Pulled(event.path("model"), fetched);
                }
                fetched |= event.path("state").asString("").equals("downloading");
                progress.show(new Bar(
                        event.path("model").asString(name) + " is "
                                + event.path("state")
                                        .asString("")
                                        .toLowerCase(Locale.ROOT)
                                        .replace('_', ' '),
                        event.path("progress").asDouble(0),
                        event.path("bytes_done").asLong(0),
                        event.path("bytes_total").asLong(0),
                        event.path("bytes_per_second").asDouble(0)));
            }
            throw new Failure("the connection to " + server.base() + " broke", 1);
        } finally {
            progress.clear();
        }
    }

    private static String path(String name) {
        return "/api/models/" + ServerClient.segment(name);
    }

    @Override
    public void close() {
        // Every request has closed what it opened.
    }
}
