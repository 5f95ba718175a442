package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the two processes do to each other when one of them dies. */
class SupervisionIT {

    private static final String CHAT = "{\"model\":\"" + RealModel.NAME
            + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":4}";

    @Test
    void aDeadNodeComesBackWhileTheGatewayStaysUpAndWhoAsksMeanwhileWaits() throws IOException {
        try (Server server = Server.ready(RealModel.HOME, "--parallel", "2", "--takeover-patience", "600")) {
            ProcessHandle first = server.node();
            first.destroyForcibly();
            Launched.await(
                    "health tells it",
                    Duration.ofSeconds(20),
                    () -> !server.status().equals(java.util.Optional.of("ready")));

            assertThat(server.chat(CHAT).path("choices")).hasSize(1);
            assertThat(server.node().pid()).isNotEqualTo(first.pid());
        }
    }

    @Test
    void aDeadGatewayLeavesNoOrphan() {
        try (Server server = Server.ready(RealModel.HOME, "--parallel", "2")) {
            List<ProcessHandle> children = server.launched().children();
            assertThat(children).isNotEmpty();
            server.launched().kill();

            Launched.await(
                    "the node ends",
                    Duration.ofSeconds(30),
                    () -> children.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    @Test
    void aSignalEndsBothInOrder() {
        try (Server server = Server.ready(RealModel.HOME, "--parallel", "2")) {
            List<ProcessHandle> children = server.launched().children();
            server.launched().terminate();

            assertThat(server.launched().exitCode(Duration.ofSeconds(20))).isZero();
            assertThat(children).noneMatch(ProcessHandle::isAlive);
            assertThat(server.launched().output()).doesNotContain("Exception");
        }
    }

    @Test
    void aSignalEndsItWhileTheModelLoads() {
        try (Server server = Server.start(RealModel.HOME)) {
            Launched.await(
                    "it answers", Duration.ofSeconds(30), () -> server.status().isPresent());
            List<ProcessHandle> children = server.launched().children();
            server.launched().terminate();

            assertThat(server.launched().exitCode(Duration.ofSeconds(20))).isZero();
            assertThat(children).noneMatch(ProcessHandle::isAlive);
        }
    }
}
