package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * Files that were made of others, with the same weights in a type that computes faster. Each is named after size and time of the
 * file that it was made of, so that it counts for that one only.
 */
final class FasterFiles {
    private static final String ENDING = ".q8_0.gguf";
    private static final long SPARE_BYTES = 64 << 20;

    private final Path folder;

    FasterFiles(Path modelsFolder) {
        folder = modelsFolder.resolve(".chasqui").resolve("faster");
    }

    Path of(StoredModel model) {
        return folder.resolve(model.file().getFileName() + "-" + model.sizeBytes() + "-"
                + model.modified().toEpochMilli() + ENDING);
    }

    /**
     * @param convert reads its first argument, writes its second
     * @throws StoreException NO_SPACE, IO, BAD_FILE
     */
    Path make(StoredModel model, BiConsumer<Path, Path> convert) throws IOException {
        Path file = of(model);
        Files.createDirectories(folder);
        // 34 bytes hold 32 weights.
        long needed = model.summary().parameters() / 32 * 34 + SPARE_BYTES;
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new StoreException(
                    StoreException.Reason.NO_SPACE,
                    model.name() + " needs " + needed / 1_000_000 + " MB on disk (expected: at most the "
                            + free / 1_000_000 + " MB that are free)");
        }
        Path partial = Files.createTempFile(folder, "making-", ".gguf");
        try {
            convert.accept(model.file(), partial);
            GgufModel.read(model.file().getFileName().toString(), List.of(partial));
            try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            forget(model.file().getFileName().toString());
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
        return file;
    }

    /** Removes what was made of a file. */
    void forget(String fileName) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> made;
        try (Stream<Path> files = Files.list(folder)) {
            made = files.filter(file -> file.getFileName().toString().startsWith(fileName + "-"))
                    .toList();
        }
        for (Path one : made) {
            Files.deleteIfExists(one);
        }
    }
}
