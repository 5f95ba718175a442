package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.Progress;
import dev.chasqui.proto.v1.Scheduling;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that leave, that do not read, and that are too many. */
@Timeout(180)
final class StreamingTest {
    private static final int SLOTS = 2;
    private static final int QUEUE = 2;

    @TempDir
    static Path folder;

    private static TestNode node;

    @BeforeAll
    static void start() throws IOException {
        node = TestNode.started(folder, SLOTS, QUEUE, 1L << 40, null);
        node.load("tiny");
        node.load("slow");
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @AfterEach
    void nothingIsLeftBehind() throws InterruptedException {
        for (String model : List.of("tiny", "slow")) {
            TestNode.await(
                    "an idle engine",
                    () -> node.engine(model).getSlotsInUse()
                                    + node.engine(model).getQueued()
                            == 0);
            // A model whose leases have all come back can be taken out of memory.
            TestNode.await("leases of " + model, () -> unloads(model));
            node.load(model);
        }
    }

    @Test
    void aClientThatLeavesFreesItsSlotAtOnce() throws Exception {
        long cancelled = node.engine("slow").getRequestsCancelled();
        Answer answer = node.start(endless().build()).awaitDelta();
        assertThat(node.engine("slow").getSlotsInUse()).isEqualTo(1);
        answer.cancel();
        TestNode.await("a free slot", () -> node.engine("slow").getSlotsInUse() == 0);

        assertThat(node.engine("slow").getRequestsCancelled()).isEqualTo(cancelled + 1);
        assertThat(answer.await().failure().getStatus().getCode()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aClientThatLeavesTheQueueFreesItsPlace() throws Exception {
        List<Answer> running =
                List.of(node.start(endless().build()), node.start(endless().build()));
        for (Answer answer : running) {
            answer.awaitDelta();
        }
        Answer queued = node.start(endless().build());
        TestNode.await("a queue", () -> node.engine("slow").getQueued() == 1);
        queued.cancel();
        TestNode.await("an empty queue", () -> node.engine("slow").getQueued() == 0);

        assertThat(node.engine("slow").getSlotsInUse()).isEqualTo(2);
        running.forEach(Answer::cancel);
    }

    @Test
    void aClientThatLeavesDuringItsPromptFreesItsSlot() throws Exception {
        Answer answer =
                node.start(endless().setText("x".repeat(TestNode.CONTEXT - 10)).build());
        TestNode.await("a busy slot", () -> node.engine("slow").getSlotsInUse() == 1);
        answer.cancel();

        TestNode.await("a free slot", () -> node.engine("slow").getSlotsInUse() == 0);
    }

    @Test
    void aDeadlineEndsTheRequest() throws Exception {
        Answer answer = new Answer(Integer.MAX_VALUE);
        InferenceGrpc.newStub(node.channel)
                .withDeadlineAfter(Duration.ofMillis(300))
                .generate(endless().build(), answer);

        assertThat(answer.await().failure().getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        TestNode.await("a free slot", () -> node.engine("slow").getSlotsInUse() == 0);
    }

    @Test
    void aTimeoutEndsTheRequestAndSaysSo() throws Exception {
        Answer answer = node.generate(endless()
                .setScheduling(Scheduling.newBuilder().setTimeoutMs(300))
                .build());

        Refusal refusal = Refusal.of(answer.failure());
        assertThat(refusal.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(refusal.reason()).isEqualTo("DEADLINE_EXCEEDED");
        TestNode.await("a free slot", () -> node.engine("slow").getSlotsInUse() == 0);
    }

    @Test
    void aTimeoutEndsARequestThatStillWaits() throws Exception {
        List<Answer> running = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            running.add(node.start(endless().build()));
        }
        TestNode.await("busy slots", () -> node.engine("slow").getSlotsInUse() == SLOTS);
        Answer waiting = node.generate(endless()
                .setScheduling(Scheduling.newBuilder().setTimeoutMs(200).setPriority(100))
                .build());

        assertThat(Refusal.of(waiting.failure()).reason()).isEqualTo("DEADLINE_EXCEEDED");
        assertThat(waiting.tokens()).isZero();
        running.forEach(Answer::cancel);
    }

    @Test
    void tooManyAreRefusedAndToldWhenToComeBack() throws Exception {
        List<Answer> running = new ArrayList<>();
        for (int i = 0; i < SLOTS + QUEUE; i++) {
            running.add(node.start(endless().build()));
        }
        TestNode.await("a full queue", () -> node.engine("slow").getQueued() == QUEUE);

        Refusal refusal = Refusal.of(node.generate(endless().build()).failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(refusal.reason()).isEqualTo("QUEUE_FULL");
        assertThat(refusal.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(60));
        assertThat(node.engine("slow").getRequestsRejected()).isPositive();
        running.forEach(Answer::cancel);
        TestNode.await("room", () -> node.engine("slow").getQueued() == 0);
        node.generate(TestNode.prompt("x").setModel("slow").build()).completed();
    }

    @Test
    void choicesBeyondTheRoomAreRefusedTogether() throws Exception {
        Answer running = node.start(endless().build()).awaitDelta();

        Refusal refusal = Refusal.of(
                node.generate(endless().setChoices(SLOTS + QUEUE).build()).failure());

        assertThat(refusal.reason()).isEqualTo("QUEUE_FULL");
        assertThat(node.engine("slow").getQueued()).isZero();
        running.cancel();
    }

    @Test
    void whoWaitsIsToldSo() throws Exception {
        List<Answer> running =
                List.of(node.start(endless().build()), node.start(endless().build()));
        for (Answer answer : running) {
            answer.awaitDelta();
        }
        Answer first = node.start(endless().build());
        TestNode.await("a queue", () -> node.engine("slow").getQueued() == 1);
        Answer second = node.start(TestNode.prompt("x").setModel("slow").build());
        TestNode.await("positions", () -> position(first) == 1 && position(second) == 2);
        running.get(0).cancel();
        TestNode.await("a step forward", () -> position(second) == 1);
        running.get(1).cancel();
        second.await().completed();
        first.cancel();
    }

    @Test
    void aLongPromptTellsHowFarItIs() throws Exception {
        Answer answer = node.start(TestNode.prompt("x".repeat(TestNode.CONTEXT - 20))
                .setModel("slow")
                .setLimits(Limits.newBuilder().setMaxTokens(1))
                .build());
        answer.await().completed();

        List<Progress> progress = answer.events().stream()
                .filter(GenerationEvent::hasProgress)
                .map(GenerationEvent::getProgress)
                .toList();
        assertThat(progress).isNotEmpty().allSatisfy(one -> {
            assertThat(one.getPromptTokens()).isEqualTo(TestNode.CONTEXT - 19);
            assertThat(one.getPromptTokensDone()).isBetween(1, TestNode.CONTEXT - 20);
        });
    }

    @Test
    void aClientThatDoesNotReadLosesNothingAndSlowsNobody() throws Exception {
        GenerateRequest wordy = wordy().build();
        Answer expected = node.generate(wordy);
        Answer lazy = node.start(wordy, 1);
        Answer other = node.generate(wordy);
        TestNode.await("the lazy one's answer", () -> node.engine("tiny").getSlotsInUse() == 0);

        assertThat(lazy.ended()).isFalse();
        assertThat(lazy.events()).hasSize(1);
        assertThat(other.text()).isEqualTo(expected.text());
        lazy.read();
        assertThat(lazy.text()).isEqualTo(expected.text());
        assertThat(lazy.tokens()).isEqualTo(expected.tokens()).isEqualTo(1000);
        assertThat(lazy.completed().getUsage().getCompletionTokens()).isEqualTo(1000);
        assertThat(lazy.deltas().stream()
                        .mapToInt(delta -> delta.getLogprobsCount())
                        .sum())
                .isEqualTo(1000);
        // What piled up came in few large pieces, none of them huge.
        assertThat(lazy.events()).hasSizeLessThan(1000 / 10);
        assertThat(lazy.deltas())
                .allSatisfy(delta -> assertThat(delta.getLogprobsCount()).isLessThanOrEqualTo(Backlog.MOST_LOGPROBS));
    }

    @Test
    void aClientThatDoesNotReadAndThenLeavesGivesItsModelBack() throws Exception {
        Answer lazy = node.start(wordy().build(), 1);
        TestNode.await("its first event", () -> !lazy.events().isEmpty());
        TestNode.await("the end of its answer", () -> {
            EngineStatus engine = node.engine("tiny");
            return engine.getSlotsInUse() + engine.getQueued() == 0;
        });
        assertThat(lazy.ended()).isFalse();

        lazy.cancel();
    }

    @Test
    void closingTheNodeGivesEveryModelBack() throws Exception {
        Path own = Files.createDirectories(folder.resolve("own"));
        TestNode closing = TestNode.started(own, 1, 4, 1L << 40, null);
        Answer running = closing.start(endless().build()).awaitDelta();
        Answer waiting = closing.start(endless().build());
        LoadedModel model = closing.models.loaded().stream()
                .filter(one -> one.name().equals("slow"))
                .findFirst()
                .orElseThrow();
        TestNode.await("a queue", () -> model.engine().status().queued() == 1);

        closing.close();

        assertThat(running.await().failure()).isNotNull();
        assertThat(waiting.await().failure()).isNotNull();
        assertThatThrownBy(() -> model.vocabulary().tokenize("x", false, false))
                .isInstanceOf(IllegalStateException.class);
    }

    private static int position(Answer answer) {
        int position = 0;
        for (GenerationEvent event : answer.events()) {
            if (event.hasAdmitted()) {
                position = event.getAdmitted().getQueuePosition();
            } else if (event.hasProgress()) {
                position = event.getProgress().getQueuePosition();
            }
        }
        return position;
    }

    /** An answer that takes many seconds. */
    private static GenerateRequest.Builder endless() {
        return TestNode.prompt("Tell me").setModel("slow").setLimits(Limits.getDefaultInstance());
    }

    /** An answer of far more bytes than are sent to a client that does not read. */
    private static GenerateRequest.Builder wordy() {
        return TestNode.prompt("Tell me")
                .setLogprobs(Logprobs.newBuilder().setTop(20))
                .setLimits(Limits.newBuilder().setMaxTokens(1000));
    }

    private static boolean unloads(String model) {
        try {
            node.models.unload(model);
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }
}
