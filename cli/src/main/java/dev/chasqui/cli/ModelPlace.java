package dev.chasqui.cli;

import tools.jackson.databind.JsonNode;

/** Where models are: a server, or this machine's models folder. Models are described as the server's {@code /api/models} does. */
interface ModelPlace extends AutoCloseable {
    /** An array. */
    JsonNode list();

    /** @throws Failure where there is none of that name */
    JsonNode show(String name);

    /**
     * Fetches it.
     *
     * @return the model, as {@link #show} describes it
     */
    JsonNode pull(String name, boolean force, ProgressPrinter progress);

    /** @throws Failure where there is none of that name, or it is in memory */
    void delete(String name);

    @Override
    void close();
}
