package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Heat;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ShowModelRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What real models take of this process' memory, and who gets it. */
@Timeout(3600)
final class ModelMemoryIT {
    private static final String MODEL = "smollm2-135m-instruct";
    private static final int CONTEXT = 4096;
    private static final int SLOTS = 4;

    @TempDir
    static Path folder;

    /** One model under three names. */
    @BeforeAll
    static void copies() throws IOException {
        Path home = Path.of(Objects.requireNonNull(
                        System.getProperty("chasqui.test.home"), "system property chasqui.test.home is not set"))
                .resolve("models");
        try (ModelStore store = new ModelStore(home, Catalogue.builtIn(), StoreSettings.DEFAULTS)) {
            Path file = store.pull(ModelReference.parse(MODEL), false, progress -> {})
                    .future()
                    .join()
                    .file();
            for (String name : List.of("one", "two", "three")) {
                Files.copy(file, folder.resolve(name + ".gguf"));
            }
        }
    }

    @Test
    void takesWhatWasEstimatedAndGivesItBack() throws Exception {
        try (TestNode node = node(1L << 40)) {
            long estimate = node.models.planOf("two").memory().totalBytes();
            exercise(node, "two"); // So that what the JVM itself grows by is there before it is measured.
            node.models.unload("two");
            long before = residentBytes();

            exercise(node, "two");
            long loaded = residentBytes() - before;
            long said = show(node, "two").getMemoryBytes();
            node.models.unload("two");
            long left = residentBytes() - before;

            System.out.printf(
                    "model memory: estimated %d MB, taken %d MB, left after unload %d MB%n",
                    estimate / 1_000_000, loaded / 1_000_000, left / 1_000_000);
            assertThat(said).isEqualTo(estimate);
            assertThat((double) loaded).isBetween(0.9 * estimate, 1.1 * estimate);
            assertThat(left).isLessThan(estimate / 10);
        }
    }

    @Test
    void threeModelsAnswerTwentyClientsInMemoryForTwo() throws Exception {
        long estimate;
        try (TestNode measured = node(1L << 40)) {
            estimate = measured.models.planOf("one").memory().totalBytes();
        }
        try (TestNode node = node(estimate * 5 / 2)) {
            List<Answer> answers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                answers.add(node.start(numbered(i)));
            }
            for (int i = 0; i < 20; i++) {
                Answer answer = answers.get(i);
                // Memory is waited for a minute; on a slow machine answers may hold it for longer, and the caller asks
                // again.
                while (refused(answer)) {
                    answer = node.start(numbered(i));
                }
                assertThat(finished(answer).events().stream()
                                .filter(GenerationEvent::hasAdmitted)
                                .map(event -> event.getAdmitted().getModel()))
                        .containsExactly(numbered(i).getModel());
            }
            // Whether the third's file is still in memory is the system's to say.
            assertThat(Stream.of("one", "two", "three")
                            .filter(name -> show(node, name).getHeat() == Heat.HEAT_HOT))
                    .hasSizeBetween(1, 2);
        }
    }

    @Test
    void aLoadIsToldInTheStreamThatWaitsForItAndHoldsUpNoOther() throws Exception {
        try (TestNode node = node(1L << 40)) {
            Answer running = node.start(prompt("Once", 4000).build()).awaitDelta();
            int before = running.deltas().size();

            Answer waiting =
                    finished(node.start(prompt("Once", 2).setModel("three").build()));

            List<GenerationEvent> events = waiting.events();
            assertThat(events.get(0).hasLoading()).isTrue();
            assertThat(events.get(0).getLoading().getModel()).isEqualTo("three");
            assertThat(events.stream()
                            .filter(GenerationEvent::hasLoading)
                            .map(event -> event.getLoading().getProgress()))
                    .isSorted();
            assertThat(running.deltas()).hasSizeGreaterThan(before);
        }
    }

    @Test
    void aRequestSaysHowLongItsModelStays() throws Exception {
        try (TestNode node = node(1L << 40)) {
            finished(node.start(prompt("a", 2)
                    .setModel("two")
                    .setLimits(Limits.newBuilder().setMaxTokens(2).setKeepAliveS(3600))
                    .build()));
            assertThat(show(node, "two").getKeepAliveS()).isEqualTo(3600);
            TestNode.await("its expiry", () -> show(node, "two").getExpiresEpochS() > 0);

            finished(node.start(prompt("a", 2)
                    .setModel("two")
                    .setLimits(Limits.newBuilder().setMaxTokens(2).setKeepAliveS(0))
                    .build()));
            TestNode.await("its leaving", () -> show(node, "two").getHeat() != Heat.HEAT_HOT);
            assertThat(show(node, "one").getHeat()).isEqualTo(Heat.HEAT_HOT);
        }
    }

    private static TestNode node(long memoryBytes) throws IOException {
        return TestNode.over(
                folder, new ModelSettings("one", SLOTS, CONTEXT, 0, 32, 2, 0, 0, true, List.of(), null, memoryBytes));
    }

    /** Loads it where need be, and fills all sequences, so that all that it may take is touched: memory is taken by its use. */
    private static void exercise(TestNode node, String model) throws Exception {
        finished(node.start(prompt("word ".repeat(CONTEXT - 96), 4)
                .setModel(model)
                .setChoices(SLOTS)
                .build()));
    }

    /** Real models on a busy machine take their time. */
    private static Answer finished(Answer answer) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
        while (answer.events().stream().noneMatch(GenerationEvent::hasCompleted)) {
            if (System.nanoTime() > end || answer.failed() != null) {
                answer.completed(); // Tells what came instead.
            }
            Thread.sleep(20);
        }
        return answer;
    }

    private static GenerateRequest numbered(int i) {
        return prompt("Number " + i + ":", 24)
                .setModel(List.of("one", "two", "three").get(i % 3))
                .build();
    }

    /** Waits for its end; whether it got no memory in time. */
    private static boolean refused(Answer answer) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
        while (!answer.ended() && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        return answer.failed() != null && answer.failed().getStatus().getCode() == Status.Code.UNAVAILABLE;
    }

    private static GenerateRequest.Builder prompt(String text, int tokens) {
        return TestNode.prompt(text).setLimits(Limits.newBuilder().setMaxTokens(tokens));
    }

    private static Model show(TestNode node, String name) {
        return node.modelsStub()
                .showModel(ShowModelRequest.newBuilder().setName(name).build());
    }

    private static long residentBytes() throws IOException {
        System.gc();
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .sum();
        }
    }
}
