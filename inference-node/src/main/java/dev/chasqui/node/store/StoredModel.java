package dev.chasqui.node.store;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A model on disk whose file has passed the GGUF check.
 *
 * @param name its catalogue id, else its file's name without {@code .gguf}
 * @param file what to load; the first part where it was split
 * @param sizeBytes of all its parts
 * @param modified when the file was last written
 * @param entry of the catalogue, null where it is not one of it
 * @param summary what the file says about itself
 * @param sha256 lower-case hex, null where it was never computed or the model has parts
 * @param source where it was fetched, as {@link ModelSource#text()} writes it; null where the store did not fetch it
 * @param checked whether its SHA-256, or that of each part, was compared with one that the catalogue or its publisher gives
 */
public record StoredModel(
        String name,
        Path file,
        long sizeBytes,
        Instant modified,
        @Nullable CatalogueEntry entry,
        GgufSummary summary,
        @Nullable String sha256,
        @Nullable String source,
        boolean checked) {}
