package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The services of {@code docker-compose.yml} as processes: their commands, their environment and their health checks. */
class ComposedServicesIT {
    private static final Duration SOON = Duration.ofSeconds(90);

    @TempDir
    private Path home;

    private final JsonNode services = DeploymentFiles.compose(
                    "docker-compose.yml",
                    Map.of(
                            "CHASQUI_TOKEN",
                            "a-token",
                            "CHASQUI_API_KEYS",
                            "a-key-of-mine",
                            "CHASQUI_MODEL",
                            "none-such",
                            "POSTGRES_PASSWORD",
                            "unused"))
            .path("services");

    @Test
    void theyStartFindEachOtherAndTellTheirHealth() throws Exception {
        int nodePort = Launched.freePort();
        int httpPort = Launched.freePort();
        // Only names and ports are other than in containers, and there is no database.
        Map<String, String> nodeEnvironment = environment("node");
        nodeEnvironment.computeIfPresent("CHASQUI_LISTEN", (name, listen) -> listen.replace("9090", "" + nodePort));
        Map<String, String> gatewayEnvironment = environment("gateway");
        gatewayEnvironment.computeIfPresent(
                "CHASQUI_NODES", (name, nodes) -> nodes.replace("node:9090", "localhost:" + nodePort));
        gatewayEnvironment.put("CHASQUI_PORT", "" + httpPort);
        assertThat(gatewayEnvironment.put("DATABASE_URL", "memory:"))
                .isEqualTo("postgres://chasqui:unused@database:5432/chasqui");

        assertThat(healthy("node", nodeEnvironment)).isNotZero();
        try (Launched node = Launched.start(home, nodeEnvironment, command("node"));
                Launched gateway = Launched.start(home, gatewayEnvironment, command("gateway"))) {
            Launched.await("the node's health", SOON, () -> healthy("node", nodeEnvironment) == 0);
            Launched.await("the gateway's health", SOON, () -> healthy("gateway", gatewayEnvironment) == 0);
            Launched.await("that they meet", SOON, () -> gateway.output().contains(nodePort + " answers"));

            signal("STOP", node);
            assertThat(healthy("node", nodeEnvironment)).isNotZero();
            signal("CONT", node);
            Launched.await("the node's return", SOON, () -> healthy("node", nodeEnvironment) == 0);

            gateway.terminate();
            node.terminate();
            assertThat(gateway.exitCode(SOON)).isZero();
            assertThat(node.exitCode(SOON)).isZero();
            assertThat(healthy("gateway", gatewayEnvironment)).isNotZero();
        }
    }

    private List<String> command(String service) {
        return StreamSupport.stream(services.at("/" + service + "/command").spliterator(), false)
                .map(JsonNode::asString)
                .toList();
    }

    private Map<String, String> environment(String service) {
        Map<String, String> environment = new HashMap<>();
        services.at("/" + service + "/environment")
                .properties()
                .forEach(variable ->
                        environment.put(variable.getKey(), variable.getValue().asString()));
        return environment;
    }

    private int healthy(String service, Map<String, String> environment) {
        JsonNode test = services.at("/" + service + "/healthcheck/test");
        assertThat(test.get(1).asString()).isEqualTo("/opt/chasqui/healthy");
        ProcessBuilder builder = new ProcessBuilder(
                DeploymentFiles.path("deploy/docker/healthy").toString(),
                test.get(2).asString());
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        return exitCode(builder);
    }

    private static void signal(String name, Launched process) {
        assertThat(exitCode(new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))))
                .isZero();
    }

    private static int exitCode(ProcessBuilder builder) {
        try {
            Process process = builder.start();
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            return process.exitValue();
        } catch (IOException | InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
