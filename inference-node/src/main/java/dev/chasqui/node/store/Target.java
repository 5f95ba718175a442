package dev.chasqui.node.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model as a file of the models folder, wherever it comes from.
 *
 * @param fileName the first part where it is split
 * @param sources none where it can only be there already
 */
record Target(String name, String fileName, @Nullable CatalogueEntry entry, List<ModelSource> sources) {

    static Target of(CatalogueEntry entry) {
        return new Target(entry.id(), entry.fileName(), entry, entry.sources());
    }

    /** A file that nobody gave a name here: it keeps its own, with a mark of where it comes from. */
    static Target of(ModelSource source) {
        FileNames.Part part = FileNames.part(source.fileName());
        ModelSource first = part == null ? source : source.sibling(part.fileName(1));
        String stem = FileNames.modelName(source.fileName()) + "-" + mark(first);
        String fileName =
                part == null ? stem + FileNames.SUFFIX : new FileNames.Part(stem, 1, part.count()).fileName(1);
        if (!FileNames.isGgufName(fileName)) {
            throw new StoreException(
                    StoreException.Reason.INVALID_NAME,
                    "model: " + FileNames.shown(source.fileName()) + " (expected: a shorter file name)");
        }
        return new Target(stem, fileName, null, List.of(first));
    }

    /** 32 bits of the place's hash: enough that two places with one file name do not share a file. */
    private static String mark(ModelSource source) {
        String place = place(source);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(place.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** All that tells a place from others; what is shown of it may be less. */
    private static String place(ModelSource source) {
        if (source instanceof ModelSource.Web web) {
            return web.address().toString();
        }
        return source instanceof ModelSource.Wheel wheel ? wheel.text() + "#" + wheel.entry() : source.text();
    }

    List<String> fileNames() {
        return GgufModel.partNames(fileName);
    }

    /** Of the whole model; null where unknown, and for a model in parts. */
    @Nullable
    String sha256() {
        return entry != null && fileNames().size() == 1 ? entry.sha256() : null;
    }

    /** Of the whole model; null where unknown, and for a model in parts. */
    @Nullable
    Long size() {
        return entry != null && fileNames().size() == 1 ? entry.size() : null;
    }
}
