package dev.chasqui.cli;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The keys that a running server stores. */
final class RemoteKeys {
    private static final String PATH = "/api/keys";
    private static final String ID = "key_";

    private final ServerClient server;

    RemoteKeys(ServerClient server) {
        this.server = server;
    }

    /** What was made; with the key itself, in {@code key}. */
    JsonNode create(ObjectNode request) {
        return server.post(PATH, request);
    }

    /** An array, the newest first. */
    JsonNode list(boolean all, boolean revoked) {
        return server.get(PATH + "?all=" + all + "&revoked=" + revoked).path("keys");
    }

    /** @throws Failure where there is none of that id, name or hint */
    JsonNode show(String reference) {
        return server.get(path(id(reference)));
    }

    /**
     * What was revoked.
     *
     * @throws Failure where there is none of that id, name or hint
     */
    JsonNode revoke(String reference) {
        String id = id(reference);
        JsonNode key = server.get(path(id));
        server.delete(path(id));
        return key;
    }

    private String id(String reference) {
        if (reference.startsWith(ID)) {
            return reference;
        }
        List<String> ids = list(false, false)
                .valueStream()
                .filter(key -> key.path("name").asString("").equals(reference)
                        || key.path("hint").asString("").equals(reference))
                .map(key -> key.path("id").asString(""))
                .toList();
        if (ids.isEmpty()) {
            throw new Failure(reference + ": no such key (chasqui key list shows all)", 1);
        }
        if (ids.size() > 1) {
            throw new Failure(
                    reference + ": " + ids.size() + " keys go by that (expected: an id: " + String.join(", ", ids)
                            + ")",
                    1);
        }
        return ids.get(0);
    }

    private static String path(String id) {
        return PATH + "/" + ServerClient.segment(id);
    }
}
