package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The Compose files: what the specification's schema says of them, and what we hold ourselves to. */
class ComposeTest {
    private static final String BOTH = "docker-compose.yml";
    private static final String GPU = "compose.gpu.yaml";
    private static final String GATEWAY_ONLY = "compose.gateway-only.yaml";
    private static final Map<String, String> FILLED = Map.of(
            "CHASQUI_TOKEN", "t", "CHASQUI_API_KEYS", "k", "CHASQUI_NODES", "gpu1:9090", "POSTGRES_PASSWORD", "p");

    @ParameterizedTest
    @ValueSource(strings = {BOTH, GPU, GATEWAY_ONLY})
    void fitsTheSpecification(String file) throws IOException {
        String filled = DeploymentFiles.compose(file, FILLED).toString();

        assertThat(specification().validate(filled, InputFormat.JSON)).isEmpty();
        assertThat(specification().validate(filled.replace("\"services\"", "\"servces\""), InputFormat.JSON))
                .isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {BOTH, GATEWAY_ONLY})
    void everyServiceIsBoundAndUnprivileged(String file) {
        for (JsonNode service : DeploymentFiles.compose(file, FILLED).path("services")) {
            assertThat(service.path("read_only").asBoolean()).isTrue();
            assertThat(service.path("cap_drop").path(0).asString()).isEqualTo("ALL");
            assertThat(service.path("security_opt").path(0).asString()).isEqualTo("no-new-privileges:true");
            assertThat(service.has("healthcheck")).isTrue();
            assertThat(service.has("stop_grace_period")).isTrue();
            assertThat(service.at("/deploy/resources/limits/memory").asString()).isNotEmpty();
            assertThat(service.has("volumes")).isTrue();
        }
        assertThat(DeploymentFiles.compose(file, FILLED)
                        .at("/services/gateway/ports/0")
                        .asString())
                .startsWith("127.0.0.1:");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CHASQUI_TOKEN", "CHASQUI_API_KEYS", "POSTGRES_PASSWORD"})
    void nothingStartsWithoutKeys(String missing) {
        Map<String, String> variables = new java.util.HashMap<>(FILLED);
        variables.remove(missing);

        assertThatThrownBy(() -> DeploymentFiles.compose(BOTH, variables)).hasMessageContaining(missing);
    }

    @Test
    void theExampleNamesEveryVariable() {
        Set<String> used = new TreeSet<>();
        for (String file : List.of(BOTH, GPU, GATEWAY_ONLY)) {
            used.addAll(DeploymentFiles.variablesOf(file));
        }
        used.remove("NVIDIA_VISIBLE_DEVICES"); // As the driver's own documentation has it.

        assertThat(DeploymentFiles.environmentExample().keySet()).containsExactlyInAnyOrderElementsOf(used);
    }

    @Test
    void theGatewayAloneIsTheSameService() {
        JsonNode one = DeploymentFiles.compose(BOTH, FILLED).at("/services/gateway");
        JsonNode alone = DeploymentFiles.compose(GATEWAY_ONLY, FILLED).at("/services/gateway");
        for (String field : List.of(
                "build", "command", "ports", "healthcheck", "stop_grace_period", "read_only", "cap_drop", "deploy")) {
            assertThat(alone.path(field)).as(field).isEqualTo(one.path(field));
        }
    }

    @Test
    void imagesOfOthersArePinnedAndCanBeReplaced() {
        String pinned = "[a-z]+:[a-z0-9-]+@sha256:[0-9a-f]{64}";
        String dockerfile = DeploymentFiles.text("Dockerfile");
        assertThat(dockerfile.lines().filter(line -> line.startsWith("FROM ")))
                .allMatch(line -> line.matches("FROM base( AS build)?|FROM \\$\\{BASE:-" + pinned + "} AS base"))
                .hasSize(3);
        assertThat(DeploymentFiles.compose(BOTH, FILLED)
                        .at("/services/database/image")
                        .asString())
                .matches(pinned);

        Map<String, String> others = new java.util.HashMap<>(FILLED);
        others.put("BASE_IMAGE", "mine/debian:1");
        others.put("POSTGRES_IMAGE", "mine/postgres:1");
        JsonNode services = DeploymentFiles.compose(BOTH, others).path("services");
        assertThat(services.at("/gateway/build/args/BASE").asString()).isEqualTo("mine/debian:1");
        assertThat(services.at("/node/build/args/BASE").asString()).isEqualTo("mine/debian:1");
        assertThat(services.at("/database/image").asString()).isEqualTo("mine/postgres:1");
    }

    @Test
    void theImageHasNoCompilerAndNoRoot() {
        String dockerfile = DeploymentFiles.text("Dockerfile");
        String last = dockerfile.substring(dockerfile.lastIndexOf("FROM "));

        assertThat(last).contains("USER 10001:10001").doesNotContain("g++", "maven", "npm", "-jdk");
        for (String copied : List.of("chasqui", "deploy/docker/healthy", "LICENSE", "THIRD-PARTY-NOTICES.md")) {
            assertThat(last).contains("/src/" + copied);
            assertThat(DeploymentFiles.path(copied)).exists();
        }
    }

    private static Schema specification() throws IOException {
        try (InputStream in = ComposeTest.class.getResourceAsStream("compose-spec.json")) {
            ObjectNode schema = (ObjectNode)
                    JsonMapper.shared().readTree(Objects.requireNonNull(in).readAllBytes());
            // Its own name is none that a validator takes.
            schema.remove("$id");
            return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                    .getSchema(withOneTypeEach(schema).toString());
        }
    }

    /** The validator cannot read several types beside a bound, so they become alternatives. */
    private static JsonNode withOneTypeEach(JsonNode schema) {
        if (schema.path("type").isArray() && !schema.has("anyOf")) {
            ObjectNode object = (ObjectNode) schema;
            ArrayNode alternatives = object.putArray("anyOf");
            object.remove("type").forEach(type -> alternatives.addObject().set("type", type));
        }
        schema.forEach(ComposeTest::withOneTypeEach);
        return schema;
    }
}
