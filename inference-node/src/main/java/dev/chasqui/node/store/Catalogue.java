package dev.chasqui.node.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The models that can be asked for by a short name. Immutable.
 *
 * <p>The file is JSON: {@code {"models": [{"id": …, "name": …, "file_name": …, "sources": […], "sha256": …, "size": …,
 * "ctx_window": …, "template": …, "stop_sequences": […], "defaults": {…}, "gpu_layers": …, "licence": …}, …],
 * "default_models": ["id", …]}}. A user's file is laid over the built-in one, entry by entry and field by field: an
 * entry with a known id changes the fields that it names, others are added.
 */
public final class Catalogue {
    static final String BUILT_IN = "catalogue.json";
    private static final long MAX_BYTES = 4L << 20;

    private final Map<String, CatalogueEntry> byId;
    private final Map<String, CatalogueEntry> byFileName = new LinkedHashMap<>();
    private final List<String> defaults;

    Catalogue(Map<String, CatalogueEntry> byId, List<String> defaults) {
        this.byId = byId;
        this.defaults = List.copyOf(defaults);
        byId.values().forEach(entry -> byFileName.put(entry.fileName(), entry));
    }

    /** The catalogue that comes with the product. */
    public static Catalogue builtIn() {
        return CatalogueReader.read(List.of(builtInFile()));
    }

    /**
     * The built-in catalogue with a user's file over it.
     *
     * @throws BadCatalogue where the file cannot be read or has a mistake
     */
    public static Catalogue withUserFile(Path file) {
        return CatalogueReader.read(List.of(builtInFile(), new CatalogueReader.Source(file.toString(), text(file))));
    }

    private static CatalogueReader.Source builtInFile() {
        try (InputStream in = Catalogue.class.getResourceAsStream(BUILT_IN)) {
            if (in == null) {
                throw new IllegalStateException("resource " + BUILT_IN + " is missing");
            }
            return new CatalogueReader.Source(BUILT_IN, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException("resource " + BUILT_IN + " cannot be read", e);
        }
    }

    private static String text(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new BadCatalogue(file + ": " + size + " bytes (expected: at most " + MAX_BYTES + ")");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw new BadCatalogue(file + ": cannot be read (" + e.getClass().getSimpleName() + ")");
        }
    }

    /** In the order of the file. */
    public List<CatalogueEntry> entries() {
        return List.copyOf(byId.values());
    }

    public Optional<CatalogueEntry> entry(String id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** The entry whose file in the models folder has this name. */
    Optional<CatalogueEntry> entryOfFile(String fileName) {
        return Optional.ofNullable(byFileName.get(fileName));
    }

    /** The entry that has this place among its sources. */
    Optional<CatalogueEntry> entryOfSource(ModelSource source) {
        return byId.values().stream()
                .filter(entry -> entry.sources().contains(source))
                .findFirst();
    }

    /** Ids to fetch where nobody named a model: the first, and where no source of it answers, the next. */
    public List<String> defaults() {
        return defaults;
    }
}
