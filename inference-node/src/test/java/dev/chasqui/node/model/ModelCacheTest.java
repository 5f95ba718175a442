package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.Device;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.MemoryEstimate;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.runner.TestLlama;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which models are in memory, shown with real ones of random weights that are all of one size. */
@Timeout(60)
final class ModelCacheTest {
    private static final ModelSettings SETTINGS =
            new ModelSettings(null, 1, 64, 0, 4, 1, 0, 0, true, List.of(), null, 1L << 40);

    @TempDir
    Path folder;

    private final ExecutorService loader = Executors.newSingleThreadExecutor();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final AtomicInteger loads = new AtomicInteger();
    private final AtomicInteger unloads = new AtomicInteger();
    private ModelStore store;
    private long bytes;

    @BeforeEach
    void writeModels() {
        for (String name : List.of("a", "b", "c")) {
            TinyGguf.write(folder.resolve(name + ".gguf"), TinyGguf.Options.DEFAULT);
        }
        store = new ModelStore(folder, Catalogue.builtIn(), StoreSettings.DEFAULTS);
        bytes = plan("a").memory().totalBytes();
    }

    @AfterEach
    void stop() {
        loader.shutdownNow();
        timer.shutdownNow();
        store.close();
    }

    @Test
    void loadsOnceForManyCallers() throws Exception {
        ModelCache cache = roomFor(1);
        CountDownLatch start = new CountDownLatch(1);
        List<CompletableFuture<ModelLease>> leases = new ArrayList<>();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Thread caller = new Thread(() -> {
                awaitQuietly(start);
                CompletableFuture<ModelLease> lease = lease(cache, "a");
                synchronized (leases) {
                    leases.add(lease);
                }
            });
            caller.start();
            callers.add(caller);
        }
        start.countDown();
        for (Thread caller : callers) {
            caller.join();
        }

        LoadedModel model = leases.get(0).join().model();
        assertThat(leases)
                .hasSize(20)
                .allSatisfy(lease -> assertThat(lease.join().model()).isSameAs(model));
        assertThat(loads).hasValue(1);
        leases.forEach(lease -> lease.join().close());
        cache.close();
        assertClosed(model);
    }

    @Test
    void forgetsTheOneUsedLeastRecently() {
        ModelCache cache = roomFor(2);
        LoadedModel a = use(cache, "a");
        LoadedModel b = use(cache, "b");
        use(cache, "a");
        use(cache, "c");

        assertThat(cache.find("a")).contains(a);
        assertThat(cache.find("b")).isEmpty();
        assertThat(cache.find("c")).isPresent();
        assertClosed(b);
        assertOpen(a);
        cache.close();
    }

    @Test
    void theTimeOfUseIsWhenItEnds() {
        ModelCache cache = roomFor(2);
        ModelLease a = lease(cache, "a").join();
        LoadedModel b = use(cache, "b");
        a.close();
        use(cache, "c");

        assertOpen(a.model());
        assertClosed(b);
        cache.close();
    }

    @Test
    void neverForgetsOneInUse() {
        ModelCache cache = roomFor(2);
        ModelLease a = lease(cache, "a").join();
        LoadedModel b = use(cache, "b");
        use(cache, "c");

        assertOpen(a.model());
        assertClosed(b);
        assertThat(cache.unload(a.model())).isFalse();
        assertOpen(a.model());
        a.close();
        assertThat(cache.unload(a.model())).isTrue();
        assertClosed(a.model());
        cache.close();
    }

    @Test
    void waitsUntilOneInUseIsGivenBack() throws Exception {
        ModelCache cache = roomFor(1);
        ModelLease a = lease(cache, "a").join();
        CompletableFuture<ModelLease> b = lease(cache, "b");
        assertThatThrownBy(() -> b.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        assertOpen(a.model());

        a.close();

        try (ModelLease lease = b.get(10, TimeUnit.SECONDS)) {
            assertOpen(lease.model());
            assertClosed(a.model());
        }
        cache.close();
    }

    @Test
    void aCallerGetsWhatIsInMemoryWhileAnotherLoadWaits() throws Exception {
        ModelCache cache = roomFor(1);
        ModelLease a = lease(cache, "a").join();
        CompletableFuture<ModelLease> b = lease(cache, "b");

        ModelLease again = lease(cache, "a").get(5, TimeUnit.SECONDS);

        assertThat(again.model()).isSameAs(a.model());
        a.close();
        assertThat(b).isNotDone();
        again.close();
        b.get(10, TimeUnit.SECONDS).close();
        cache.close();
    }

    @Test
    void aModelThatCannotFitIsRefusedAtOnce() {
        ModelCache cache = new ModelCache(bytes - 1, loader, timer, () -> {});

        assertThatThrownBy(() -> lease(cache, "a").join())
                .cause()
                .asInstanceOf(InstanceOfAssertFactories.type(ModelException.class))
                .returns(ModelException.Reason.UNUSABLE, ModelException::reason);
        assertThat(loads).hasValue(0);
    }

    @Test
    void holdsAsManyAsFit() {
        ModelCache cache = roomFor(3);
        use(cache, "a");
        use(cache, "b");
        use(cache, "c");

        assertThat(cache.loaded()).hasSize(3);
        assertThat(loads).hasValue(3);
        cache.close();
        assertThat(cache.loaded()).isEmpty();
    }

    @Test
    void aFailedLoadIsTriedAgain() {
        ModelCache cache = roomFor(1);
        CompletableFuture<ModelLease> failed = cache.lease("a", () -> plan("a"), plan -> {
            throw new LlamaException(LlamaException.Reason.LOAD_FAILED, "bad luck");
        });
        assertThatThrownBy(failed::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(LlamaException.class);

        use(cache, "a");
        assertThat(loads).hasValue(1);
        cache.close();
    }

    @Test
    void givingALeaseBackTwiceIsOnce() {
        ModelCache cache = roomFor(1);
        ModelLease first = lease(cache, "a").join();
        ModelLease second = lease(cache, "a").join();
        first.close();
        first.close();

        assertThat(cache.unload(second.model())).isFalse();
        second.close();
        cache.close();
    }

    @Test
    void closeWaitsForTheLastLease() throws InterruptedException {
        ModelCache cache = roomFor(1);
        ModelLease lease = lease(cache, "a").join();
        cache.close();

        assertOpen(lease.model());
        lease.close();
        awaitClosed(lease.model());
    }

    @Test
    void theRefusalOfAModelThatCannotFitSaysWhatWould() {
        ModelSettings wide = new ModelSettings(null, 8, 0, 0, 4, 1, 0, 0, true, List.of(), null, 1L << 40);
        ModelPlan plan = ModelPlan.of(TestLlama.load(), stored("a"), stored("a").file(), null, wide);
        long budget = plan.memory().totalBytes() - plan.memory().kvBytes() / 2;
        ModelCache cache = new ModelCache(budget, loader, timer, () -> {});

        assertThatThrownBy(() -> cache.lease("a", () -> plan, unused -> {
                            throw new AssertionError("loaded");
                        })
                        .join())
                .cause()
                .hasMessageContaining("KV cache for 8 sequences of " + TinyGguf.TRAINED_CONTEXT + " tokens")
                .hasMessageContaining("--parallel 4 fits");
        ModelSettings narrow = new ModelSettings(null, 4, 0, 0, 4, 1, 0, 0, true, List.of(), null, 1L << 40);
        assertThat(ModelPlan.of(TestLlama.load(), stored("a"), stored("a").file(), null, narrow)
                        .memory()
                        .totalBytes())
                .isLessThanOrEqualTo(budget);
    }

    @Test
    void theOrderIsThatOfTheLastUseHoweverOftenOneWasUsed() {
        ModelCache cache = roomFor(2);
        for (int i = 0; i < 50; i++) {
            use(cache, "a");
        }
        use(cache, "b");
        use(cache, "c");
        assertThat(cache.find("a")).isEmpty();
        assertThat(cache.find("b")).isPresent();
        for (int round = 0; round < 6; round++) {
            String next = List.of("a", "b", "c").get(round % 3);
            use(cache, next);
            // Of three names in turn the one that is needed next is always the one that left.
            assertThat(cache.find(List.of("a", "b", "c").get((round + 1) % 3))).isEmpty();
        }
        cache.close();
    }

    @Test
    void goesWhenItsTimeIsUp() throws Exception {
        ModelCache cache = roomFor(3);
        LoadedModel a;
        try (ModelLease lease = lease(cache, "a").join()) {
            a = lease.model();
            lease.keep(KeepAlive.ofSeconds(0.05));
        }
        LoadedModel b = use(cache, "b");

        awaitClosed(a);
        awaitGone(cache, "a");
        assertOpen(b);
        assertThat(b.expiry()).isNull();
        cache.close();
    }

    @Test
    void staysPastItsTimeWhileInUseAndGoesAtOnceWithNoTime() throws Exception {
        ModelCache cache = roomFor(2);
        ModelLease first = lease(cache, "a").join();
        ModelLease second = lease(cache, "a").join();
        first.keep(KeepAlive.ofSeconds(3600));
        first.close();
        assertThat(second.model().expiry()).isNull();
        second.keep(KeepAlive.ofSeconds(0));
        Thread.sleep(50);
        assertOpen(second.model());

        second.close();

        awaitClosed(second.model());
        cache.close();
    }

    @Test
    void aUseInTimeBeginsItAnew() {
        ModelCache cache = roomFor(2);
        LoadedModel a = use(cache, "a");
        a.keepAlive(KeepAlive.ofSeconds(3600));
        use(cache, "a");
        assertThat(a.expiry()).isAfter(Instant.now().plusSeconds(1800));
        assertThat(a.nextExpiryCheck()).as("somebody looks already").isNegative();
        a.keepAlive(KeepAlive.FOREVER);
        assertThat(a.expiry()).isNull();
        cache.close();
    }

    @Test
    void modelsThatAreAlwaysBusyDoNotKeepAnotherOut() throws Exception {
        ModelCache cache = roomFor(1);
        List<Thread> callers = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(1);
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread caller = new Thread(() -> {
                try {
                    keepBusy(cache, "a", done);
                } catch (Throwable e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            });
            caller.start();
            callers.add(caller);
        }
        try (ModelLease b = lease(cache, "b").get(30, TimeUnit.SECONDS)) {
            assertOpen(b.model());
        }
        done.countDown();
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(failures).isEmpty();
        cache.close();
    }

    @Test
    void oneThatWasToMakeRoomStaysWhereAnotherBecomesIdleFirst() throws Exception {
        ModelCache cache = roomFor(2);
        ModelLease a = lease(cache, "a").join();
        ModelLease b = lease(cache, "b").join();
        CompletableFuture<ModelLease> c = crowdOut(cache, "a", "c");

        b.close();

        try (ModelLease granted = c.get(30, TimeUnit.SECONDS)) {
            assertOpen(granted.model());
            assertClosed(b.model());
            try (ModelLease again = lease(cache, "a").get(1, TimeUnit.SECONDS)) {
                assertThat(again.model()).isSameAs(a.model());
            }
        }
        a.close();
        assertThat(loads).hasValue(3);
        assertThat(cache.find("a")).contains(a.model());
        assertThat(cache.loaded()).hasSize(2);
        cache.close();
        assertClosed(a.model());
    }

    @Test
    void oneThatSomebodyAskedForMeanwhileIsLoadedAnew() throws Exception {
        ModelCache cache = roomFor(2);
        ModelLease a = lease(cache, "a").join();
        ModelLease b = lease(cache, "b").join();
        CompletableFuture<ModelLease> c = crowdOut(cache, "a", "c");
        CompletableFuture<ModelLease> again = lease(cache, "a");

        b.close();

        ModelLease granted = c.get(30, TimeUnit.SECONDS);
        assertThat(again).isNotDone();
        a.close();
        granted.close();
        try (ModelLease anew = again.get(30, TimeUnit.SECONDS)) {
            assertOpen(anew.model());
            assertThat(anew.model()).isNotSameAs(a.model());
        }
        awaitClosed(a.model());
        cache.close();
    }

    /** Asks for a model while all are in use, until the one longest unused is found by nobody any more. */
    private CompletableFuture<ModelLease> crowdOut(ModelCache cache, String longestUnused, String name)
            throws InterruptedException {
        CompletableFuture<ModelLease> asked = lease(cache, name);
        awaitGone(cache, longestUnused);
        return asked;
    }

    /** The next lease is taken before the last is given back, so that the model is never idle. */
    private void keepBusy(ModelCache cache, String name, CountDownLatch done) throws Exception {
        ModelLease held = lease(cache, name).get(30, TimeUnit.SECONDS);
        while (done.getCount() > 0) {
            Thread.sleep(5);
            assertOpen(held.model());
            CompletableFuture<ModelLease> next = lease(cache, name);
            if (!next.isDone()) {
                // It has to be loaded anew, for which this one has to go.
                held.close();
                held = next.get(30, TimeUnit.SECONDS);
            } else {
                held.close();
                held = next.join();
            }
        }
        held.close();
    }

    @Test
    void anIdleModelOnAGpuMakesRoomForOneThatIsAskedFor() {
        ModelCache cache = roomFor(3);
        LoadedModel a = use(cache, "a");
        LoadedModel b = onGpu(cache, "b", false);
        assertOpen(b);

        LoadedModel c = onGpu(cache, "c", true);

        assertOpen(c);
        assertOpen(a);
        assertClosed(b);
        cache.close();
    }

    /** @param shortAtFirst the first plan finds the GPU too full */
    private LoadedModel onGpu(ModelCache cache, String name, boolean shortAtFirst) {
        ModelPlan real = plan(name);
        AtomicInteger plans = new AtomicInteger();
        CompletableFuture<ModelLease> lease = cache.lease(
                name,
                () -> gpuPlan(real, shortAtFirst && plans.getAndIncrement() == 0),
                plan -> LoadedModel.load(TestLlama.load(), plan, SETTINGS, LoadListener.NONE));
        try (ModelLease granted = lease.join()) {
            assertThat(granted.model().plan().shortOfGpu()).isFalse();
            return granted.model();
        }
    }

    private static ModelPlan gpuPlan(ModelPlan real, boolean shortOfGpu) {
        List<MemoryEstimate.Part> parts = new ArrayList<>(real.memory().parts());
        parts.add(new MemoryEstimate.Part("GPU0", Device.Kind.GPU, 1 << 20, 0, 1 << 20, 1 << 20));
        MemoryEstimate memory = new MemoryEstimate(real.memory().layers(), true, parts);
        return new ModelPlan(
                real.stored(),
                real.file(),
                real.options(),
                real.context(),
                real.contextTokens(),
                memory,
                null,
                0,
                shortOfGpu,
                true);
    }

    @Test
    void nobodyEverHoldsAClosedModelWhateverHappens() throws Exception {
        ModelCache cache = roomFor(2);
        List<Thread> callers = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Random random = new Random(i);
            Thread caller = new Thread(() -> {
                for (int round = 0; round < 40; round++) {
                    String name = List.of("a", "b", "c").get(random.nextInt(3));
                    try (ModelLease lease = lease(cache, name).get(30, TimeUnit.SECONDS)) {
                        assertThat(lease.model().name()).isEqualTo(name);
                        assertOpen(lease.model());
                        if (random.nextInt(4) == 0) {
                            assertThat(cache.unload(lease.model())).isFalse();
                        }
                        Thread.yield();
                        assertOpen(lease.model());
                    } catch (Throwable e) {
                        synchronized (failures) {
                            failures.add(e);
                        }
                    }
                    if (random.nextInt(5) == 0) {
                        cache.find(name).ifPresent(cache::unload);
                    }
                }
            });
            caller.start();
            callers.add(caller);
        }
        for (Thread caller : callers) {
            caller.join();
        }

        assertThat(failures).isEmpty();
        assertThat(List.of("a", "b", "c"))
                .filteredOn(name -> cache.find(name).isPresent())
                .hasSizeLessThanOrEqualTo(2);
        cache.close();
    }

    private ModelCache roomFor(int models) {
        return new ModelCache(models * bytes + bytes / 2, loader, timer, unloads::incrementAndGet);
    }

    private LoadedModel use(ModelCache cache, String name) {
        try (ModelLease lease = lease(cache, name).join()) {
            return lease.model();
        }
    }

    private CompletableFuture<ModelLease> lease(ModelCache cache, String name) {
        return cache.lease(name, () -> plan(name), plan -> {
            loads.incrementAndGet();
            return LoadedModel.load(TestLlama.load(), plan, SETTINGS, LoadListener.NONE);
        });
    }

    private ModelPlan plan(String name) {
        return ModelPlan.of(TestLlama.load(), stored(name), stored(name).file(), null, SETTINGS);
    }

    private StoredModel stored(String name) {
        return store.find(ModelReference.parse(name)).orElseThrow();
    }

    private static void assertOpen(LoadedModel model) {
        assertThat(model.vocabulary().tokenize("x", false, false)).hasSize(1);
    }

    private static void assertClosed(LoadedModel model) {
        assertThatThrownBy(() -> model.vocabulary().tokenize("x", false, false))
                .isInstanceOf(IllegalStateException.class);
    }

    /** Whoever gives the last lease back does not wait until the memory is free. */
    private static void awaitGone(ModelCache cache, String name) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (cache.find(name).isPresent() && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertThat(cache.find(name)).isEmpty();
    }

    private static void awaitClosed(LoadedModel model) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (isOpen(model) && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertClosed(model);
    }

    private static boolean isOpen(LoadedModel model) {
        try {
            assertOpen(model);
            return true;
        } catch (IllegalStateException closed) {
            return false;
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
