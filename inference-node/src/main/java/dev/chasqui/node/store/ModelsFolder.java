package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files themselves: reading, listing, putting in place, removing. Heads are read again only when a file changes. */
final class ModelsFolder {
    private static final Logger log = LoggerFactory.getLogger(ModelsFolder.class);
    private static final String PARTIAL = ".partial";
    private static final int MAX_CHECKED = 1000;

    private final Path folder;
    private final FolderRecords records;
    private final Map<Path, Checked> checked = new ConcurrentHashMap<>();

    /** What a look into a file gave: a model, or what is wrong with it. */
    private record Checked(
            List<Object> stamp,
            @Nullable GgufModel model,
            @Nullable String fault) {}

    ModelsFolder(Path folder) throws IOException {
        this.folder = Files.exists(folder)
                ? folder.toRealPath()
                : folder.toAbsolutePath().normalize();
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new NotDirectoryException(folder.toString());
        }
        records = new FolderRecords(this.folder);
    }

    Path path() {
        return folder;
    }

    /** Makes the folder where it is missing. Who only looks does not call it. */
    void create() throws IOException {
        Files.createDirectories(folder);
    }

    FolderRecords records() {
        return records;
    }

    /** The name of a file that lies in the folder itself, by its own path or by what that leads to; null for any other. */
    @Nullable
    String nameHere(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return null;
        }
        Path here = file.toAbsolutePath().getParent();
        Path own = here == null ? file : here.toRealPath().resolve(file.getFileName());
        for (Path path : List.of(own, file.toRealPath())) {
            if (folder.equals(path.getParent())) {
                return path.getFileName().toString();
            }
        }
        return null;
    }

    Path file(String fileName) {
        return folder.resolve(fileName);
    }

    Path partial(String fileName) {
        return folder.resolve(fileName + PARTIAL);
    }

    /**
     * The model with this file, empty where there is no such file.
     *
     * @throws BadModelFile where the file is no usable model
     */
    Optional<StoredModel> model(Path file, String name, @Nullable CatalogueEntry entry) throws IOException {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        Checked look = look(file);
        GgufModel model = look.model();
        if (model == null) {
            throw new BadModelFile(String.valueOf(look.fault()));
        }
        FolderRecords.Fetched fetched = file.startsWith(folder) ? records.fetched(file) : null;
        Instant modified = Files.getLastModifiedTime(file).toInstant();
        boolean whole = model.files().size() == 1;
        return Optional.of(new StoredModel(
                name,
                file,
                model.sizeBytes(),
                modified,
                entry,
                model.summary(),
                fetched != null && whole ? fetched.sha256() : null,
                fetched == null ? null : fetched.source(),
                fetched != null && isChecked(fetched, whole ? entry : null)));
    }

    /** What is the catalogue's hash was compared with it, whoever wrote the record. */
    private static boolean isChecked(FolderRecords.Fetched fetched, @Nullable CatalogueEntry entry) {
        return Boolean.TRUE.equals(fetched.checked())
                || entry != null && fetched.sha256().equals(entry.sha256());
    }

    private Checked look(Path file) throws IOException {
        List<Object> stamp = stamp(file);
        Checked known = checked.get(file);
        if (known != null && known.stamp().equals(stamp)) {
            return known;
        }
        Checked fresh = read(file, stamp);
        if (fresh.fault() != null) {
            log.warn("{} cannot be used: {}", file, fresh.fault());
        }
        if (checked.size() >= MAX_CHECKED) {
            checked.clear();
        }
        checked.put(file, fresh);
        return fresh;
    }

    private static Checked read(Path file, List<Object> stamp) throws IOException {
        try {
            return new Checked(stamp, GgufModel.read(file), null);
        } catch (BadModelFile e) {
            return new Checked(stamp, null, e.getMessage());
        }
    }

    /** Size and time of every part; changes whenever one of them does. */
    private static List<Object> stamp(Path file) throws IOException {
        List<Object> stamp = new ArrayList<>();
        for (String name : GgufModel.partNames(file.getFileName().toString())) {
            Path part = file.resolveSibling(name);
            if (Files.isRegularFile(part)) {
                BasicFileAttributes attributes = Files.readAttributes(part, BasicFileAttributes.class);
                stamp.add(attributes.size());
                stamp.add(attributes.lastModifiedTime());
            } else {
                stamp.add("missing");
            }
        }
        return stamp;
    }

    /** Names of model files, sorted; of a split model, the first part. */
    List<String> fileNames() throws IOException {
        try (Stream<Path> files = files()) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .filter(FileNames::isGgufName)
                    .filter(ModelsFolder::isFirst)
                    .sorted(Comparator.naturalOrder())
                    .toList();
        }
    }

    /** Names of model files of which a fetch has left something, and bytes that are here; of a split model, its first part's. */
    Map<String, Long> partials() throws IOException {
        Map<String, Long> bytes = new TreeMap<>();
        try (Stream<Path> files = files()) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(PARTIAL)) {
                    String fileName = name.substring(0, name.length() - PARTIAL.length());
                    if (FileNames.isGgufName(fileName)) {
                        FileNames.Part part = FileNames.part(fileName);
                        bytes.merge(
                                part == null ? fileName : part.fileName(1),
                                file.toFile().length(),
                                Long::sum);
                    }
                }
            }
        }
        return bytes;
    }

    private Stream<Path> files() throws IOException {
        return Files.isDirectory(folder) ? Files.list(folder) : Stream.empty();
    }

    private static boolean isFirst(String fileName) {
        FileNames.Part part = FileNames.part(fileName);
        return part == null || part.number() == 1;
    }

    /** Gives finished files their names. A reader sees the old file or the new one, whole. */
    void publish(Target target, String source, List<Download.Hash> hashes) throws IOException {
        List<String> names = target.fileNames();
        for (int i = 0; i < names.size(); i++) {
            Path file = file(names.get(i));
            Files.move(
                    partial(names.get(i)), file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            records.writeFetched(file, source, hashes.get(i));
            records.forgetPart(names.get(i));
        }
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /** Removes the model and what was fetched of it; false where there was nothing. */
    boolean delete(Target target) throws IOException {
        boolean found = false;
        for (String name : target.fileNames()) {
            checked.remove(file(name));
            found |= Files.deleteIfExists(file(name));
            found |= Files.deleteIfExists(partial(name));
            records.forget(name);
        }
        return found;
    }
}
