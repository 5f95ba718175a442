package dev.chasqui.cli;

import tools.jackson.databind.JsonNode;

/** Where models are: a server, or this machine's models folder. Models are described as the server's {@code /api/models} does. */
interface ModelPlace extends AutoCloseable {
    /** An array. */
    JsonNode list();

    /** @throws Failure where there is none of that name */
    JsonNode show(String name);

    /**
     * What a pull gave.
     *
     * @param model as {@link #show} describes it
     * @param fetched false where it was there already
     */
    record Pulled(JsonNode model, boolean fetched) {}

    /** Fetches it. */
    Pulled pull(String name, boolean force, ProgressPrinter progress);

    /** @throws Failure where there is none of that name, or it is in use */
    void delete(String name);

    @Override
    void close();
}
