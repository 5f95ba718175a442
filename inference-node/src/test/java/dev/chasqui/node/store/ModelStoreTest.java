package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.chasqui.node.store.PullProgress.State;
import dev.chasqui.node.store.StoreException.Reason;
import java.io.Closeable;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ModelStoreTest {
    private static final ModelReference TINY = ModelReference.parse("tiny");
    private static final byte[] MODEL = GgufBytes.file(300_000);
    private static final String HUB_PATH = "/o/r/resolve/main/tiny.gguf";

    @TempDir
    Path home;

    private FileServer server;
    private final List<ModelStore> stores = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        server = new FileServer();
        Files.createDirectories(models());
    }

    @AfterEach
    void stop() {
        stores.forEach(ModelStore::close);
        server.close();
    }

    private Path models() {
        return home.resolve("models");
    }

    private StoreSettings settings() {
        return new StoreSettings(
                server.origin(), null, Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(30), Set.of());
    }

    /** A store whose catalogue has "tiny" with these sources and perhaps a hash. */
    private ModelStore store(String sources, String more) throws IOException {
        Path file = Files.writeString(home.resolve("catalogue.json"), """
                {"default_models": ["tiny"], "models": [{"id": "tiny", "name": "Tiny", "file_name": "tiny.gguf",
                 "licence": "mit", "sources": [%s] %s}]}""".formatted(sources, more));
        ModelStore store = new ModelStore(models(), Catalogue.withUserFile(file), settings());
        stores.add(store);
        return store;
    }

    private ModelStore store() throws IOException {
        return store("\"hf:o/r/tiny.gguf\"", "");
    }

    private ModelStore hashedStore() throws IOException {
        return store("\"hf:o/r/tiny.gguf\"", ", \"sha256\": \"" + sha256(MODEL) + "\", \"size\": " + MODEL.length);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static StoredModel get(Pull pull) throws Exception {
        return pull.future().get(60, TimeUnit.SECONDS);
    }

    private static StoredModel pull(ModelStore store) throws Exception {
        return get(store.pull(TINY, false, PullListener.NONE));
    }

    private static StoreException failure(Pull pull) {
        Throwable error = catchThrowable(() -> get(pull));
        if (error instanceof ExecutionException && error.getCause() instanceof StoreException failure) {
            return failure;
        }
        throw new AssertionError("expected a StoreException", error);
    }

    private StoreException pullFails(ModelStore store, Reason reason) {
        StoreException failure = failure(store.pull(TINY, false, PullListener.NONE));
        assertThat(failure.reason()).as(failure.getMessage()).isEqualTo(reason);
        return failure;
    }

    private List<String> visibleFiles() throws IOException {
        try (Stream<Path> files = Files.list(models())) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void fetchesFromTheHubAndRemembers() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        List<PullProgress> heard = new CopyOnWriteArrayList<>();
        ModelStore store = hashedStore();

        assertThat(store.find(TINY)).isEmpty();
        StoredModel model = get(store.pull(TINY, false, heard::add));

        assertThat(model.file()).hasBinaryContent(MODEL);
        assertThat(model.name()).isEqualTo("tiny");
        assertThat(model.sha256()).isEqualTo(sha256(MODEL));
        assertThat(model.source()).isEqualTo("hf:o/r/tiny.gguf");
        assertThat(model.sizeBytes()).isEqualTo(MODEL.length);
        assertThat(model.summary().architecture()).isEqualTo("llama");
        assertThat(store.find(TINY)).contains(model);
        assertThat(store.find(ModelReference.parse("tiny.gguf"))).contains(model);
        assertThat(store.find(ModelReference.parse("hf:o/r/tiny.gguf"))).contains(model);
        assertThat(store.list()).containsExactly(model);
        assertThat(visibleFiles()).containsExactly("tiny.gguf");
        assertThat(heard.stream().map(PullProgress::state).distinct())
                .containsExactly(State.CONNECTING, State.DOWNLOADING, State.CHECKING, State.DONE);
        assertThat(heard.get(heard.size() - 1))
                .returns((long) MODEL.length, PullProgress::bytesDone)
                .returns((long) MODEL.length, PullProgress::bytesTotal)
                .returns(1.0, PullProgress::fraction)
                .returns("hf:o/r/tiny.gguf", PullProgress::source);

        assertThat(pull(store)).isEqualTo(model);
        assertThat(pull(hashedStore())).as("another store").isEqualTo(model);
        assertThat(server.requests).as("no second download").hasSize(1);
    }

    @Test
    void aChangedFileLosesItsRecordedHash() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        pull(store());
        Files.write(models().resolve("tiny.gguf"), GgufBytes.file());

        assertThat(store().find(TINY).orElseThrow().sha256()).isNull();
    }

    @Test
    void forceFetchesAgain() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        ModelStore store = store();
        pull(store);
        byte[] newer = GgufBytes.file(400_000);
        server.on(HUB_PATH, FileServer.file(newer, "\"v2\""));

        assertThat(get(store.pull(TINY, true, PullListener.NONE)).file()).hasBinaryContent(newer);
        assertThat(store.find(TINY).orElseThrow().sizeBytes()).isEqualTo(newer.length);
    }

    @Test
    void aBadFileNeverReplacesAGoodOne() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        ModelStore store = store();
        StoredModel good = pull(store);
        byte[] bad = MODEL.clone();
        bad[8] = 77;
        server.on(HUB_PATH, FileServer.file(bad, "\"v2\""));

        StoreException failure = failure(store.pull(TINY, true, PullListener.NONE));

        assertThat(failure.reason()).isEqualTo(Reason.BAD_FILE);
        assertThat(store.find(TINY)).contains(good);
        assertThat(good.file()).hasBinaryContent(MODEL);
        assertThat(visibleFiles()).containsExactly("tiny.gguf");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 5, 100, 4096, 65_535, 65_536, 65_537, 299_999, 300_100})
    void goesOnAfterACutConnection(int firstCut) throws Exception {
        boolean[] cut = {false};
        server.on(HUB_PATH, exchange -> {
            FileServer.cut(MODEL, "\"v1\"", cut[0] ? Integer.MAX_VALUE : firstCut)
                    .to(exchange);
            cut[0] = true;
        });

        assertThat(pull(hashedStore()).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).containsExactly(HUB_PATH, HUB_PATH + " bytes=" + firstCut + "-");
    }

    @Test
    void goesOnThroughManyCuts() throws Exception {
        server.on(HUB_PATH, FileServer.cut(MODEL, "\"v1\"", 50_000));

        assertThat(pull(hashedStore()).file()).hasBinaryContent(MODEL);
        assertThat(server.requests.size()).isBetween(6, 8);
    }

    @Test
    void startsOverWhereTheServerHasAnotherVersion() throws Exception {
        boolean[] cut = {false};
        server.on(HUB_PATH, exchange -> {
            FileServer.Answer answer = cut[0]
                    ? FileServer.file(MODEL, "\"v2\"")
                    : FileServer.cut(GgufBytes.file(400_000), "\"v1\"", 100_000);
            cut[0] = true;
            answer.to(exchange);
        });

        assertThat(pull(store()).file()).hasBinaryContent(MODEL);
    }

    @Test
    void startsOverWhereTheServerMarksNoVersion() throws Exception {
        int[] tries = {0};
        server.on(HUB_PATH, exchange -> {
            exchange.sendResponseHeaders(200, MODEL.length);
            exchange.getResponseBody().write(MODEL, 0, tries[0]++ == 0 ? 1000 : MODEL.length);
        });

        assertThat(pull(store()).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).containsExactly(HUB_PATH, HUB_PATH);
    }

    @Test
    void aLaterStoreGoesOnWhereAnotherStopped() throws Exception {
        CountDownLatch half = new CountDownLatch(1);
        server.on(HUB_PATH, exchange -> {
            exchange.getResponseHeaders().set("ETag", "\"v1\"");
            exchange.sendResponseHeaders(200, MODEL.length);
            exchange.getResponseBody().write(MODEL, 0, 150_000);
            exchange.getResponseBody().flush();
            await(half, 1000);
        });
        ModelStore first = hashedStore();
        Pull pull = first.pull(TINY, false, progress -> {});
        while (pull.progress().bytesDone() < 150_000) {
            Thread.sleep(5);
        }
        pull.cancel();
        assertThat(failure(pull).reason()).isEqualTo(Reason.CANCELLED);
        first.close();
        assertThat(visibleFiles()).containsExactly("tiny.gguf.partial");
        server.requests.clear();
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));

        assertThat(pull(hashedStore()).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).containsExactly(HUB_PATH + " bytes=150000-");
        assertThat(visibleFiles()).containsExactly("tiny.gguf");
    }

    @Test
    void aDamagedPartialFileIsFetchedWhole() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        FolderRecords records = new FolderRecords(Files.createDirectories(models()));
        records.writePart("tiny.gguf", new FolderRecords.Part("hf:o/r/tiny.gguf", "\"v1\""));
        byte[] damaged = new byte[MODEL.length];
        Files.write(models().resolve("tiny.gguf.partial"), damaged);

        assertThat(pull(hashedStore()).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).containsExactly(HUB_PATH + " bytes=" + MODEL.length + "-", HUB_PATH);
    }

    @Test
    void refusesAnotherSizeOrHashThanTheCatalogues() throws Exception {
        server.on(HUB_PATH, FileServer.file(GgufBytes.file(400_000), "\"v1\""));
        assertThat(pullFails(hashedStore(), Reason.CHECKSUM))
                .hasMessageContaining("bytes (expected: " + MODEL.length + ")");

        byte[] other = MODEL.clone();
        other[MODEL.length - 100]++;
        server.on(HUB_PATH, FileServer.file(other, "\"v2\""));
        assertThat(pullFails(hashedStore(), Reason.CHECKSUM))
                .hasMessageContaining("SHA-256 " + sha256(other) + " (expected: " + sha256(MODEL) + ")");
        assertThat(visibleFiles()).isEmpty();
    }

    private FileServer.Answer linked(String sha256, long size) {
        return exchange -> {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256 + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(size));
            FileServer.redirect("/storage").to(exchange);
        };
    }

    @Test
    void whatTheHubSaysOfAFileIsCompared() throws Exception {
        server.on(HUB_PATH, FileServer.redirect("/renamed"))
                .on("/renamed", linked(sha256(MODEL), MODEL.length))
                .on("/storage", FileServer.file(MODEL, "\"v1\""));

        assertThat(pull(store()).checked()).isTrue();
        assertThat(store().find(TINY).orElseThrow().checked()).as("remembered").isTrue();
    }

    @Test
    void refusesAnotherSizeOrHashThanTheHubs() throws Exception {
        server.on("/storage", FileServer.file(MODEL, "\"v1\""));
        server.on(HUB_PATH, linked(sha256(MODEL), MODEL.length + 1));
        assertThat(pullFails(store(), Reason.CHECKSUM))
                .hasMessageContaining(MODEL.length + " bytes (expected: " + (MODEL.length + 1) + ")");

        server.on(HUB_PATH, linked(sha256(new byte[1]), MODEL.length));
        assertThat(pullFails(store(), Reason.CHECKSUM))
                .hasMessageContaining("SHA-256 " + sha256(MODEL) + " (expected: " + sha256(new byte[1]) + ")");
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void onlyTheHubItselfSaysWhatAFileIs() throws Exception {
        try (FileServer storage = new FileServer()) {
            storage.on("/x", exchange -> {
                exchange.getResponseHeaders().set("X-Linked-Etag", sha256(MODEL));
                FileServer.file(MODEL, "\"v1\"").to(exchange);
            });
            server.on(HUB_PATH, FileServer.redirect(storage.origin() + "/x"));
            try (ModelStore store = trusting(storage)) {
                Pull pull = store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE);
                assertThat(get(pull).checked()).isFalse();
            }
        }
    }

    @Test
    void whatIsNoHashIsNotCompared() throws Exception {
        server.on(HUB_PATH, linked("5f3c", 0)).on("/storage", FileServer.file(MODEL, "\"v1\""));

        assertThat(pull(store()).checked()).isFalse();
        assertThat(get(hashedStore().pull(TINY, true, PullListener.NONE)).checked())
                .as("the catalogue's")
                .isTrue();
    }

    @Test
    void refusesAPageInPlaceOfAModelAtItsFirstByte() throws Exception {
        server.on(
                HUB_PATH, FileServer.file(("<html>" + "x".repeat(500_000)).getBytes(StandardCharsets.UTF_8), "\"v1\""));

        assertThat(pullFails(store(), Reason.BAD_FILE)).hasMessageContaining("not a GGUF file");
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void refusesATruncatedModel() throws Exception {
        server.on(HUB_PATH, FileServer.file(Arrays.copyOf(MODEL, 200_000), "\"v1\""));

        assertThat(pullFails(store(), Reason.BAD_FILE))
                .hasMessageContaining("tiny.gguf: the data of tensor big ends at");
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void looksForSpaceFirst() throws Exception {
        server.on(HUB_PATH, exchange -> {
            exchange.sendResponseHeaders(200, 1L << 55);
            exchange.getResponseBody().write(MODEL);
        });

        assertThat(pullFails(store(), Reason.NO_SPACE))
                .hasMessageContaining("the disk of the models folder " + models().toRealPath() + " has ")
                .hasMessageContaining("MB free (expected: ");
        assertThat(server.requests).hasSize(1);
    }

    /** A store that takes files from another server too. */
    private ModelStore trusting(FileServer other) {
        Duration patience = Duration.ofSeconds(2);
        return new ModelStore(
                models(),
                Catalogue.builtIn(),
                new StoreSettings(server.origin(), null, patience, patience, patience, Set.of(other.origin())));
    }

    @Test
    void followsRedirectsToTrustedOriginsOnly() throws Exception {
        try (FileServer other = new FileServer()) {
            other.on("/x.gguf", FileServer.file(MODEL, "\"v1\""));
            server.on(HUB_PATH, FileServer.redirect("/moved"))
                    .on("/moved", FileServer.redirect(other.origin() + "/x.gguf"));
            assertThat(pullFails(store(), Reason.UNREACHABLE))
                    .hasMessageContaining("127.0.0.1: http (expected: https)");
            assertThat(other.requests).isEmpty();

            try (ModelStore store = trusting(other)) {
                Pull pull = store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE);
                assertThat(get(pull).file()).hasBinaryContent(MODEL);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://127.0.0.1/x.gguf",
                "https://localhost/x.gguf",
                "https://10.0.0.1/x.gguf",
                "https://[::1]/x.gguf",
                "https://169.254.169.254/latest",
                "https://[::ffff:192.168.0.1]/x",
                "https://0.0.0.0/x",
                "https://2130706433/x"
            })
    void neverFollowsToAPrivateAddress(String location) throws Exception {
        server.on(HUB_PATH, FileServer.redirect(location));

        StoreException failure = pullFails(store(), Reason.UNREACHABLE);

        assertThat(failure.getMessage()).matches(".*(private network|no such host|without a plain host name).*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"file:///etc/passwd", "ftp://example.org/x", "https://u:p@example.org/x", "http://[bad", ""})
    void refusesOddRedirects(String location) throws Exception {
        server.on(HUB_PATH, FileServer.redirect(location));

        pullFails(store(), Reason.UNREACHABLE);
    }

    @Test
    void endsARedirectLoop() throws Exception {
        server.on(HUB_PATH, FileServer.redirect(HUB_PATH));

        assertThat(pullFails(store(), Reason.UNREACHABLE)).hasMessageContaining("redirects more than 10 times");
        assertThat(server.requests).hasSize(11);
    }

    @Test
    void aFullNameMayNotNameThisMachinesNetwork() throws Exception {
        ModelStore store = store();
        String port = String.valueOf(server.origin().getPort());

        Pull pull = store.pull(ModelReference.parse("https://localhost:" + port + "/x.gguf"), false, PullListener.NONE);

        assertThat(failure(pull)).hasMessageContaining("private network");
        assertThat(server.requests).isEmpty();
    }

    @Test
    void sendsTheTokenOverHttpsOnly() throws Exception {
        List<String> tokens = new CopyOnWriteArrayList<>();
        server.on(HUB_PATH, exchange -> {
            tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            FileServer.file(MODEL, "\"v1\"").to(exchange);
        });
        StoreSettings settings = new StoreSettings(
                server.origin(),
                "hf_secret",
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Set.of());
        try (ModelStore store = new ModelStore(models(), Catalogue.builtIn(), settings)) {
            get(store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE));
        }
        assertThat(tokens).containsExactly("null");
        assertThat(settings.toString()).doesNotContain("hf_secret");
    }

    @Test
    void takesTheNextSourceAndSaysWhy() throws Exception {
        server.on("/b/r/resolve/main/tiny.gguf", FileServer.status(401));
        Path local = Files.write(home.resolve("other.gguf"), MODEL);
        ModelStore store = store(
                "\"hf:a/r/tiny.gguf\", \"hf:b/r/tiny.gguf\", \"file:" + home + "/none.gguf\", \"file:" + local + "\"",
                "");

        assertThat(pull(store).source()).isEqualTo("file:" + local);

        Files.delete(local);
        store.delete(TINY);
        assertThat(pullFails(store, Reason.UNREACHABLE))
                .hasMessageContaining("hf:a/r/tiny.gguf: 127.0.0.1 has no such file (404)")
                .hasMessageContaining("hf:b/r/tiny.gguf: 127.0.0.1 answered 401")
                .hasMessageContaining("HF_TOKEN")
                .hasMessageContaining("there is no such file");
    }

    @Test
    void anUnreachableHubFailsFast() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        for (URI hub : List.of(URI.create("http://127.0.0.1:" + port), URI.create("https://no-such-host.invalid"))) {
            StoreSettings settings = new StoreSettings(
                    hub, null, Duration.ofSeconds(2), Duration.ofSeconds(30), Duration.ofSeconds(2), Set.of());
            try (ModelStore store = new ModelStore(models(), Catalogue.builtIn(), settings)) {
                long start = System.nanoTime();
                Pull pull = store.pull(ModelReference.parse("phi-2"), false, PullListener.NONE);
                assertThat(failure(pull).reason()).isEqualTo(Reason.UNREACHABLE);
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
            }
        }
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void aSilentServerFailsFast() throws Exception {
        try (ServerSocket silent = new ServerSocket(0)) {
            StoreSettings settings = new StoreSettings(
                    URI.create("http://127.0.0.1:" + silent.getLocalPort()),
                    null,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(2),
                    Set.of());
            try (ModelStore store = new ModelStore(models(), Catalogue.builtIn(), settings)) {
                Pull pull = store.pull(ModelReference.parse("phi-2"), false, PullListener.NONE);
                assertThat(failure(pull)).hasMessageContaining("did not answer within 2 s");
            }
        }
    }

    @Test
    void aStalledDownloadGoesOn() throws Exception {
        boolean[] stalled = {false};
        CountDownLatch end = new CountDownLatch(1);
        server.on(HUB_PATH, exchange -> {
            if (stalled[0]) {
                FileServer.file(MODEL, "\"v1\"").to(exchange);
                return;
            }
            stalled[0] = true;
            exchange.getResponseHeaders().set("ETag", "\"v1\"");
            exchange.sendResponseHeaders(200, MODEL.length);
            exchange.getResponseBody().write(MODEL, 0, 1000);
            exchange.getResponseBody().flush();
            await(end, 20_000);
        });

        assertThat(pull(hashedStore()).file()).hasBinaryContent(MODEL);
        end.countDown();
        assertThat(server.requests).containsExactly(HUB_PATH, HUB_PATH + " bytes=1000-");
    }

    @Test
    void givesUpWhereNoByteComesAnyMore() throws Exception {
        boolean[] began = {false};
        server.on(HUB_PATH, exchange -> {
            FileServer.cut(MODEL, "\"v1\"", began[0] ? 0 : 1000).to(exchange);
            began[0] = true;
        });

        pullFails(store(), Reason.UNREACHABLE);
        assertThat(server.requests.size()).isBetween(8, 9);
    }

    private static void await(CountDownLatch latch, long millis) {
        try {
            latch.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Serves the first half at once and the rest when told. */
    private CountDownLatch serveSlowly() {
        CountDownLatch rest = new CountDownLatch(1);
        server.on(HUB_PATH, exchange -> {
            exchange.getResponseHeaders().set("ETag", "\"v1\"");
            exchange.sendResponseHeaders(200, MODEL.length);
            exchange.getResponseBody().write(MODEL, 0, 1000);
            exchange.getResponseBody().flush();
            await(rest, 1500);
            exchange.getResponseBody().write(MODEL, 1000, MODEL.length - 1000);
        });
        return rest;
    }

    @Test
    void pullsOfOneModelShareADownload() throws Exception {
        CountDownLatch rest = serveSlowly();
        ModelStore store = store();
        List<PullProgress> heard = new CopyOnWriteArrayList<>();
        Pull first = store.pull(TINY, false, PullListener.NONE);
        Pull second = store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), true, heard::add);
        Pull third = store.pull(TINY, false, progress -> {
            throw new IllegalStateException("a bad listener");
        });

        first.cancel();
        rest.countDown();

        assertThat(get(second)).isEqualTo(get(third));
        assertThat(failure(first).reason()).isEqualTo(Reason.CANCELLED);
        assertThat(heard).last().returns(State.DONE, PullProgress::state);
        assertThat(server.requests).hasSize(1);
    }

    @Test
    void theLastCancellationStopsTheDownload() throws Exception {
        serveSlowly();
        ModelStore store = store();
        Pull first = store.pull(TINY, false, PullListener.NONE);
        Pull second = store.pull(TINY, false, PullListener.NONE);
        first.cancel();
        second.future().cancel(true);

        CountDownLatch rest = serveSlowly();
        rest.countDown();
        assertThat(pull(store).file())
                .as("a new download after the cancelled one")
                .hasBinaryContent(MODEL);
    }

    @Test
    void oneCancellationForAllKeepsWhatHasArrived() throws Exception {
        serveSlowly();
        ModelStore store = store();
        Pull first = store.pull(TINY, false, PullListener.NONE);
        Pull second = store.pull(TINY, false, PullListener.NONE);
        while (first.progress().bytesDone() < 1000) {
            Thread.sleep(5);
        }

        assertThat(store.cancel("other")).isFalse();
        assertThat(store.cancel("tiny")).isTrue();

        assertThat(failure(first).reason()).isEqualTo(Reason.CANCELLED);
        assertThat(failure(second).reason()).isEqualTo(Reason.CANCELLED);
        assertThat(visibleFiles()).containsExactly("tiny.gguf.partial");
        assertThat(store.cancel("tiny")).isFalse();
    }

    @Test
    void waitsForAnotherProcessAndTakesItsFile() throws Exception {
        ModelStore store = store();
        FolderRecords others = new FolderRecords(models());
        Closeable lock = Objects.requireNonNull(others.tryLock("tiny.gguf"));
        List<State> heard = new CopyOnWriteArrayList<>();

        Pull pull = store.pull(TINY, true, progress -> heard.add(progress.state()));
        while (!heard.contains(State.WAITING)) {
            Thread.sleep(5);
        }
        assertThatThrownBy(() -> store().delete(TINY)).hasMessage("tiny is being fetched by another process");
        Files.write(models().resolve("tiny.gguf"), MODEL);
        lock.close();

        assertThat(get(pull).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).isEmpty();
    }

    @Test
    void aRealSecondProcessHoldsTheLock() throws Exception {
        Files.createDirectories(models());
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        models().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertThat(other.getInputStream().read()).isEqualTo('+');
            FolderRecords records = new FolderRecords(models());
            assertThat(records.tryLock("tiny.gguf")).isNull();
            other.destroyForcibly().waitFor();
            try (Closeable lock = records.tryLock("tiny.gguf")) {
                assertThat(lock).as("a dead process holds nothing").isNotNull();
            }
            assertThat(models().resolve(".chasqui/tiny.gguf.lock")).doesNotExist();
        } finally {
            other.destroyForcibly();
        }
    }

    /** Runs in a process of its own. */
    static final class LockHolder {
        public static void main(String[] args) throws Exception {
            Closeable lock = new FolderRecords(Path.of(args[0])).tryLock("tiny.gguf");
            System.out.write(lock == null ? '-' : '+');
            System.out.flush();
            Thread.sleep(60_000);
        }
    }

    @Test
    void aPullThatFailsLeavesNoLock() throws Exception {
        server.on(HUB_PATH, FileServer.status(404));

        pullFails(store(), Reason.NOT_FOUND);

        assertThat(models().resolve(".chasqui/tiny.gguf.lock")).doesNotExist();
    }

    @Test
    void fetchesAModelInParts() throws Exception {
        byte[][] parts = new byte[2][];
        for (int i = 0; i < 2; i++) {
            parts[i] = GgufBytes.model()
                    .u16("split.no", i)
                    .u16("split.count", 2)
                    .u32("split.tensors.count", 2)
                    .tensor("t" + i, 0, 8, 32)
                    .bytes();
            server.on("/o/r/resolve/main/sub/m-0000" + (i + 1) + "-of-00002.gguf", FileServer.file(parts[i], "\"v\""));
        }
        ModelStore store = store();
        ModelReference reference = ModelReference.parse("hf:o/r/sub/m-00002-of-00002.gguf");

        StoredModel model = get(store.pull(reference, false, PullListener.NONE));

        assertThat(model.file().getFileName().toString()).matches("m-[0-9a-f]{8}-00001-of-00002\\.gguf");
        assertThat(model.sizeBytes()).isEqualTo(parts[0].length + parts[1].length);
        assertThat(model.summary().tensorCount()).isEqualTo(2);
        assertThat(store.list()).containsExactly(model);
        assertThat(store.find(ModelReference.parse(model.name()))).contains(model);
        store.delete(reference);
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void oneFileNameOfTwoPlacesIsTwoModels() throws Exception {
        server.on("/a/r/resolve/main/m.gguf", FileServer.file(MODEL, "\"v\""))
                .on("/b/r/resolve/main/m.gguf", FileServer.file(GgufBytes.file(), "\"v\""));
        ModelStore store = store();

        StoredModel a = get(store.pull(ModelReference.parse("hf:a/r/m.gguf"), false, PullListener.NONE));
        StoredModel b = get(store.pull(ModelReference.parse("hf:b/r/m.gguf"), false, PullListener.NONE));

        assertThat(a.file()).isNotEqualTo(b.file());
        assertThat(store.list()).containsExactlyInAnyOrder(a, b);
    }

    @Test
    void usesAFileWhereItLies() throws Exception {
        ModelStore store = store();
        Path file = Files.write(home.resolve("mine.gguf"), MODEL);
        ModelReference reference = ModelReference.parse(file.toString());

        StoredModel model = store.find(reference).orElseThrow();

        assertThat(model.file()).isEqualTo(file);
        assertThat(model.name()).isEqualTo("mine");
        assertThat(store.list()).isEmpty();
        assertThatThrownBy(() -> store.delete(reference))
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(Reason.INVALID_NAME);
        assertThat(file).exists();
    }

    @Test
    void aFileOfThisMachineIsCopiedIntoTheFolder() throws Exception {
        ModelStore store = store();
        Path file = Files.write(home.resolve("mine.gguf"), MODEL);
        List<State> heard = new CopyOnWriteArrayList<>();

        StoredModel model =
                get(store.pull(ModelReference.parse("file:" + file), false, progress -> heard.add(progress.state())));

        assertThat(model.file()).hasBinaryContent(MODEL).hasParentRaw(models().toRealPath());
        assertThat(model.name()).matches("mine-[0-9a-f]{8}");
        assertThat(model.source()).isEqualTo("file:" + file);
        assertThat(model.sha256()).isEqualTo(sha256(MODEL));
        assertThat(store.list()).containsExactly(model);
        assertThat(heard).contains(State.DOWNLOADING, State.CHECKING).endsWith(State.DONE);
        Files.delete(file);
        assertThat(get(store.pull(ModelReference.parse(file.toString()), false, PullListener.NONE)))
                .as("a second time")
                .isEqualTo(model);
    }

    @Test
    void aFileThatLiesInTheFolderIsNotCopied() throws Exception {
        ModelStore store = store();
        Path file = Files.write(models().resolve("mine.gguf"), MODEL);
        Path link = Files.createSymbolicLink(home.resolve("link.gguf"), file);
        List<State> heard = new CopyOnWriteArrayList<>();

        for (Path one : List.of(file, link)) {
            Pull pull = store.pull(ModelReference.parse(one.toString()), true, progress -> heard.add(progress.state()));
            assertThat(get(pull).name()).isEqualTo("mine");
        }

        assertThat(heard).containsExactly(State.DONE, State.DONE);
        assertThat(visibleFiles()).containsExactly("mine.gguf");
    }

    @Test
    void whatIsNoModelIsNotCopied() throws Exception {
        ModelStore store = store();
        Path file = Files.write(home.resolve("mine.gguf"), Arrays.copyOf(MODEL, 200_000));

        assertThatThrownBy(() -> store.pull(ModelReference.parse(file.toString()), false, PullListener.NONE))
                .isInstanceOf(BadModelFile.class);
        assertThatThrownBy(() -> store.pull(ModelReference.parse(home + "/none.gguf"), false, PullListener.NONE))
                .hasMessage(
                        "model: " + home + "/none.gguf, where there is no file (expected: the path of a .gguf file)")
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(Reason.NOT_FOUND);
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void listsWhatLiesInTheFolder() throws Exception {
        ModelStore store = store();
        Files.write(models().resolve("mine.Q8.gguf"), MODEL);
        Files.write(models().resolve("tiny.gguf"), MODEL);
        Files.write(models().resolve("phi-2.gguf"), MODEL);
        Files.write(models().resolve("bad.gguf"), new byte[100]);
        Files.write(models().resolve(".hidden.gguf"), MODEL);
        Files.write(models().resolve("notes.txt"), MODEL);

        assertThat(store.list().stream().map(StoredModel::name)).containsExactly("mine.Q8", "phi-2.gguf", "tiny");
        for (StoredModel model : store.list()) {
            assertThat(store.find(ModelReference.parse(model.name()))).contains(model);
            assertThat(get(store.pull(ModelReference.parse(model.name()), false, PullListener.NONE)))
                    .isEqualTo(model);
        }
        assertThat(store.look().damaged())
                .containsExactly(new ModelStore.Damaged(
                        "bad",
                        "bad.gguf",
                        100,
                        null,
                        "bad.gguf: not a GGUF file (expected: its first bytes to be GGUF)"));
        assertThatThrownBy(() -> store.find(ModelReference.parse("bad")))
                .isInstanceOf(BadModelFile.class)
                .hasMessage("bad.gguf: not a GGUF file (expected: its first bytes to be GGUF)");
        assertThatThrownBy(() -> store.pull(ModelReference.parse("unknown"), false, PullListener.NONE))
                .hasMessage("model unknown is neither on disk nor in the catalogue");
        StoreException force = failure(store.pull(ModelReference.parse("mine.Q8"), true, PullListener.NONE));
        assertThat(force.reason()).isEqualTo(Reason.NOT_FOUND);
        assertThat(models().resolve("mine.Q8.gguf")).exists();
    }

    @Test
    void aDamagedFileOfTheCatalogueIsListedAndFetchedAnew() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        ModelStore store = store();
        Files.write(models().resolve("tiny.gguf"), Arrays.copyOf(MODEL, 200_000));

        assertThat(store.look().damaged()).singleElement().satisfies(damaged -> {
            assertThat(damaged.name()).isEqualTo("tiny");
            assertThat(damaged.reason())
                    .startsWith("tiny.gguf: the data of tensor big ends at")
                    .endsWith("; pulling it fetches it anew");
        });
        assertThat(pull(store).file()).hasBinaryContent(MODEL);
        assertThat(store.look().damaged()).isEmpty();
    }

    @Test
    void deletesAModelAndWhatIsKnownOfIt() throws Exception {
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        ModelStore store = store();
        pull(store);

        store.delete(TINY);

        assertThat(store.find(TINY)).isEmpty();
        assertThat(visibleFiles()).isEmpty();
        assertThat(models().resolve(".chasqui/tiny.gguf.json")).doesNotExist();
        assertThatThrownBy(() -> store.delete(TINY))
                .hasMessage("model: tiny is not on disk")
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void deletingEndsADownload() throws Exception {
        serveSlowly();
        ModelStore store = store();
        Pull pull = store.pull(TINY, false, PullListener.NONE);
        while (pull.progress().bytesDone() < 1000) {
            Thread.sleep(5);
        }

        store.delete(TINY);

        assertThat(failure(pull).reason()).isEqualTo(Reason.CANCELLED);
        assertThat(visibleFiles()).isEmpty();
    }

    @Test
    void aDownloadIsDeletedByTheNameThatItIsListedBy() throws Exception {
        serveSlowly();
        ModelStore store = store("\"hf:other/r/tiny.gguf\"", "");
        Pull pull = store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE);
        while (pull.progress().bytesDone() < 1000) {
            Thread.sleep(5);
        }

        store.delete(ModelReference.parse(pull.progress().model()));

        assertThat(failure(pull).reason()).isEqualTo(Reason.CANCELLED);
        assertThat(visibleFiles()).isEmpty();
        assertThat(store.partials()).isEmpty();
    }

    @Test
    void whatACancelledDownloadLeftIsListedGoneOnWithAndDeletedByItsName() throws Exception {
        serveSlowly();
        ModelStore store = store("\"hf:other/r/tiny.gguf\"", "");
        Pull pull = store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE);
        while (pull.progress().bytesDone() < 1000) {
            Thread.sleep(5);
        }
        assertThat(store.partials()).as("while it is under way").isEmpty();
        store.close();
        byte[] half = Files.readAllBytes(models().resolve(pull.progress().model() + ".gguf.partial"));

        ModelStore later = store("\"hf:other/r/tiny.gguf\"", "");
        assertThat(later.partials())
                .containsExactly(new ModelStore.Partial(
                        pull.progress().model(), pull.progress().model() + ".gguf", half.length));
        ModelReference name = ModelReference.parse(pull.progress().model());
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        assertThat(get(later.pull(name, false, PullListener.NONE)).file()).hasBinaryContent(MODEL);
        assertThat(server.requests).last().isEqualTo(HUB_PATH + " bytes=" + half.length + "-");

        Files.delete(models().resolve(pull.progress().model() + ".gguf"));
        Files.write(models().resolve(pull.progress().model() + ".gguf.partial"), half);
        later.delete(name);
        assertThat(visibleFiles()).isEmpty();
        assertThatThrownBy(() -> later.delete(name)).hasMessageContaining("neither on disk nor in the catalogue");
    }

    @Test
    void readsTheHubsPlaceAndTokenFromTheEnvironment() {
        StoreSettings settings =
                StoreSettings.fromEnvironment(Map.of("HF_ENDPOINT", "https://hub.example", "HF_TOKEN", "t"));
        assertThat(settings.hubEndpoint()).isEqualTo(URI.create("https://hub.example"));
        assertThat(settings.hubToken()).isEqualTo("t");
        assertThat(StoreSettings.fromEnvironment(Map.of("HF_TOKEN", " "))).isEqualTo(StoreSettings.DEFAULTS);
        for (String odd : List.of("hub", "not a url", "ftp://hub.example")) {
            assertThatThrownBy(() -> StoreSettings.fromEnvironment(Map.of("HF_ENDPOINT", odd)))
                    .hasMessage("HF_ENDPOINT: " + odd + " (expected: an https address)");
        }
    }

    @Test
    void aTokenThatCannotBeSentFailsWhatNeedsItOnly() throws Exception {
        StoreSettings settings = StoreSettings.fromEnvironment(Map.of(
                "HF_TOKEN", "a\nb", "HF_ENDPOINT", "https://" + server.origin().getAuthority()));
        Path file = Files.write(home.resolve("mine.gguf"), MODEL);
        try (ModelStore store = new ModelStore(models(), Catalogue.builtIn(), settings)) {
            assertThat(store.list()).isEmpty();
            assertThat(get(store.pull(ModelReference.parse("file:" + file), false, PullListener.NONE))
                            .file())
                    .hasBinaryContent(MODEL);
            StoreException failure =
                    failure(store.pull(ModelReference.parse("hf:o/r/tiny.gguf"), false, PullListener.NONE));
            assertThat(failure)
                    .hasMessageContaining("HF_TOKEN: not shown (expected: letters and digits without spaces)")
                    .hasMessageNotContaining("a\nb");
        }
    }

    @Test
    void whoOnlyLooksMakesNoFolder() throws Exception {
        Files.delete(models());
        ModelStore store = store();

        assertThat(store.list()).isEmpty();
        assertThat(store.look().damaged()).isEmpty();
        assertThat(store.partials()).isEmpty();
        assertThat(store.find(TINY)).isEmpty();
        assertThatThrownBy(() ->
                        store.find(ModelReference.parse(models() + "/x.gguf")).orElseThrow())
                .isInstanceOf(NoSuchElementException.class);
        assertThat(models()).doesNotExist();
        server.on(HUB_PATH, FileServer.file(MODEL, "\"v1\""));
        assertThat(pull(store).file()).as("who fetches makes it").exists();
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamedWithTheReason() throws Exception {
        ModelStore store = store();
        Files.delete(models());
        Files.write(models(), new byte[1]);

        assertThat(pullFails(store, Reason.IO))
                .hasMessage("tiny: the models folder " + models().toRealPath() + " cannot be written: not a folder");
        assertThatThrownBy(this::store).hasMessage(models() + ": not a folder (expected: a folder that can be read)");
    }
}
