package dev.chasqui.gateway.nodes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With real children. */
@Timeout(30)
class LocalNodeTest {
    private static final LocalNode.Backoff QUICK =
            new LocalNode.Backoff(Duration.ofMillis(20), Duration.ofMillis(80), Duration.ofMinutes(1));

    @Test
    void startsAgainWhatWasKilled() throws Exception {
        AtomicInteger starts = new AtomicInteger();
        try (LocalNode node = node(starts, "sleep", "60")) {
            await(() -> node.status().pid() != null);
            long first = pid(node);
            ProcessHandle.of(first).orElseThrow().destroyForcibly();
            await(() -> node.status().restarts() == 1 && node.status().pid() != null && starts.get() == 2);

            assertThat(pid(node)).isNotEqualTo(first);
            assertThat(node.status().lastExitCode()).isEqualTo(128 + 9);
        }
    }

    @Test
    void triesAgainAndAgain() throws Exception {
        try (LocalNode node = node(new AtomicInteger(), "sh", "-c", "exit 3")) {
            await(() -> node.status().restarts() >= 3);

            assertThat(node.status().lastExitCode()).isEqualTo(3);
        }
    }

    @Test
    void aChildThatRefusesItsSettingsIsNotStartedAgain() throws Exception {
        AtomicInteger starts = new AtomicInteger();
        try (LocalNode node = node(starts, "sh", "-c", "exit 2")) {
            node.unusable().get(10, TimeUnit.SECONDS);

            Thread.sleep(200);
            assertThat(starts).hasValue(1);
            assertThat(node.status().state()).isEqualTo(LocalNode.State.STOPPED);
            assertThat(node.status().lastExitCode()).isEqualTo(2);
        }
    }

    @Test
    void oneThatRanBeforeIsTriedAgainWhateverItsExitCode(@TempDir Path folder) throws Exception {
        String mark = folder.resolve("ran").toString();
        try (LocalNode node =
                node(new AtomicInteger(), "sh", "-c", "[ -e " + mark + " ] && exit 2; touch " + mark + "; exit 1")) {
            await(() -> node.status().restarts() >= 3);

            assertThat(node.unusable()).isNotDone();
        }
    }

    @Test
    void aProgramThatIsNotThereIsTriedAgainToo() throws Exception {
        try (LocalNode node = node(new AtomicInteger(), "/nowhere/program")) {
            await(() -> node.status().restarts() >= 2);

            assertThat(node.status().lastExitCode()).isNull();
        }
    }

    @Test
    void endsTheChildWithItself() throws Exception {
        LocalNode node = node(new AtomicInteger(), "sleep", "60");
        await(() -> node.status().pid() != null);
        ProcessHandle child = ProcessHandle.of(pid(node)).orElseThrow();

        node.close();

        assertThat(child.isAlive()).isFalse();
        assertThat(node.status().state()).isEqualTo(LocalNode.State.STOPPED);
        Thread.sleep(200);
        assertThat(node.status().state()).isEqualTo(LocalNode.State.STOPPED);
        assertThat(node.status().restarts()).isZero();
    }

    @Test
    void killsAChildThatWillNotEnd(@TempDir Path folder) throws Exception {
        Path ready = folder.resolve("ready");
        LocalNode node = new LocalNode(
                List.of("sh", "-c", "trap '' TERM; touch " + ready + "; while :; do sleep 0.1; done"),
                () -> {},
                QUICK,
                Duration.ofMillis(300));
        node.start();
        await(() -> Files.exists(ready) && node.status().pid() != null);
        ProcessHandle child = ProcessHandle.of(pid(node)).orElseThrow();

        node.close();

        await(() -> !child.isAlive());
    }

    @Test
    void theChildSeesTheEndOfItsInputWhenTheGatewayIsGone(@TempDir Path folder) throws Exception {
        Path pid = folder.resolve("pid");
        ProcessBuilder gateway = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Supervising.class.getName(),
                "echo $$ > " + pid + ".part; mv " + pid + ".part " + pid + "; exec cat");
        Process process = gateway.start();
        await(() -> Files.exists(pid));
        ProcessHandle child =
                ProcessHandle.of(Long.parseLong(Files.readString(pid).trim())).orElseThrow();
        assertThat(child.isAlive()).isTrue();

        process.destroyForcibly().waitFor();

        await(() -> !child.isAlive());
    }

    /** A process with a local node and nothing else. */
    static final class Supervising {
        public static void main(String[] args) throws InterruptedException {
            new LocalNode(List.of("sh", "-c", args[0]), () -> {}).start();
            Thread.sleep(60_000);
        }
    }

    @Test
    void waitsLongerEachTimeAndForgetsAfterAGoodLife() {
        LocalNode.Backoff backoff = LocalNode.Backoff.DEFAULT;
        Duration wait = Duration.ZERO;
        StringBuilder waits = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            wait = backoff.next(wait, Duration.ofSeconds(1));
            waits.append(wait.toMillis()).append(' ');
        }

        assertThat(waits).hasToString("500 1000 2000 4000 8000 16000 30000 30000 ");
        assertThat(backoff.next(wait, Duration.ofSeconds(61))).isEqualTo(Duration.ofMillis(500));
    }

    @Test
    void aCommandIsNeeded() {
        assertThatThrownBy(() -> new LocalNode(List.of(), () -> {})).isInstanceOf(IllegalArgumentException.class);
    }

    private static LocalNode node(AtomicInteger starts, String... command) {
        LocalNode node = new LocalNode(List.of(command), starts::incrementAndGet, QUICK, Duration.ofSeconds(5));
        node.start();
        return node;
    }

    private static long pid(LocalNode node) {
        return Objects.requireNonNull(node.status().pid());
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(5);
        }
    }
}
