package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1PodSpec;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import io.kubernetes.client.openapi.models.V2HorizontalPodAutoscaler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The Kubernetes resources: whether the API knows every field of them, and whether they fit together. */
class KubernetesTest {
    private static final String FOLDER = "deploy/kubernetes/";

    /** Throws where a field is unknown to the API, or a required one is missing. */
    private interface Check {
        void accept(JsonElement resource) throws IOException;
    }

    private static final Map<String, Check> KINDS = Map.of(
            "v1/Service", V1Service::validateJsonElement,
            "apps/v1/StatefulSet", V1StatefulSet::validateJsonElement,
            "apps/v1/Deployment", V1Deployment::validateJsonElement,
            "policy/v1/PodDisruptionBudget", V1PodDisruptionBudget::validateJsonElement,
            "networking.k8s.io/v1/NetworkPolicy", V1NetworkPolicy::validateJsonElement,
            "autoscaling/v2/HorizontalPodAutoscaler", V2HorizontalPodAutoscaler::validateJsonElement);

    @Test
    void everyResourceFitsTheApi() throws IOException {
        List<JsonNode> resources = resources("base");
        assertThat(resources).hasSize(9);
        for (JsonNode resource : resources) {
            check(resource);
        }
        // A patch is a resource with little in it.
        JsonElement patch = JsonParser.parseString(DeploymentFiles.yaml(FOLDER + "gpu/node.yaml")
                .get(0)
                .at("/spec/template/spec")
                .toString());
        assertThat(patch.getAsJsonObject().keySet()).containsExactlyInAnyOrder("tolerations", "containers");
    }

    @Test
    void anUnknownFieldIsFound() {
        JsonNode misspelt = DeploymentFiles.yaml(FOLDER + "base/gateway.yaml").get(1);
        String text = misspelt.toString().replace("readinessProbe", "readynessProbe");

        assertThatThrownBy(() -> V1Deployment.validateJsonElement(JsonParser.parseString(text)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("readynessProbe");
    }

    @Test
    void selectorsAndNamesFitTogether() {
        for (String name : List.of("chasqui-node", "chasqui-gateway")) {
            JsonNode workload = one(name, "StatefulSet", "Deployment");
            JsonNode labels = workload.at("/spec/template/metadata/labels");
            assertThat(workload.at("/spec/selector/matchLabels/app.kubernetes.io~1name"))
                    .isEqualTo(labels.path("app.kubernetes.io/name"));
            assertThat(one(name, "Service").at("/spec/selector/app.kubernetes.io~1name"))
                    .isEqualTo(labels.path("app.kubernetes.io/name"));
            assertThat(one(name, "PodDisruptionBudget").at("/spec/selector/matchLabels/app.kubernetes.io~1name"))
                    .isEqualTo(labels.path("app.kubernetes.io/name"));
            assertThat(one(name, "NetworkPolicy").at("/spec/podSelector/matchLabels/app.kubernetes.io~1name"))
                    .isEqualTo(labels.path("app.kubernetes.io/name"));
        }
        assertThat(one("chasqui-node", "StatefulSet").at("/spec/serviceName").asString())
                .isEqualTo(one("chasqui-node", "Service").at("/metadata/name").asString());
        assertThat(one("chasqui-node", "Service").at("/spec/clusterIP").asString())
                .isEqualTo("None");
        assertThat(one("chasqui-node", "HorizontalPodAutoscaler")
                        .at("/spec/scaleTargetRef/name")
                        .asString())
                .isEqualTo("chasqui-node");
    }

    @Test
    void podsAreUnprivileged() {
        for (JsonNode workload : List.of(one("chasqui-node", "StatefulSet"), one("chasqui-gateway", "Deployment"))) {
            JsonNode pod = workload.at("/spec/template/spec");
            assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
            assertThat(pod.at("/automountServiceAccountToken").asBoolean(true)).isFalse();
            JsonNode container = pod.at("/containers/0");
            assertThat(container.at("/securityContext/readOnlyRootFilesystem").asBoolean())
                    .isTrue();
            assertThat(container.at("/securityContext/allowPrivilegeEscalation").asBoolean(true))
                    .isFalse();
            for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
                assertThat(container.has(probe)).as(probe).isTrue();
            }
        }
    }

    @Test
    void theTlsOverlayPatchesWhatIsThereWithCertificatesThatAreMade(@TempDir Path folder) throws Exception {
        Certificates.in(folder).make(List.of("chasqui-node"), 1);
        for (String service : List.of("node", "gateway")) {
            JsonNode patch =
                    DeploymentFiles.yaml(FOLDER + "tls/" + service + ".yaml").get(0);
            JsonNode base = one("chasqui-" + service, patch.path("kind").asString());
            JsonNode pod = patch.at("/spec/template/spec");
            JsonNode container = pod.at("/containers/0");
            assertThat(patch.at("/metadata/name")).isEqualTo(base.at("/metadata/name"));
            assertThat(container.path("name")).isEqualTo(base.at("/spec/template/spec/containers/0/name"));
            // What is null takes a field of the base away, and is no value of the API's.
            V1PodSpec.validateJsonElement(JsonParser.parseString(pod.toString().replace("\"grpc\":null,", "")));

            String mount = container.at("/volumeMounts/0/mountPath").asString();
            assertThat(container.at("/volumeMounts/0/name")).isEqualTo(pod.at("/volumes/0/name"));
            for (JsonNode variable : container.path("env")) {
                String file = variable.path("value").asString();
                assertThat(file).startsWith(mount + "/");
                assertThat(folder.resolve(file.substring(mount.length() + 1))).isRegularFile();
                assertThat(variable.path("name").asString()).startsWith("CHASQUI_TLS_");
            }
        }
        assertThat(DeploymentFiles.path("deploy/docker/healthy")).isExecutable();
    }

    private static void check(JsonNode resource) throws IOException {
        String kind = resource.path("apiVersion").asString() + "/"
                + resource.path("kind").asString();
        assertThat(KINDS).containsKey(kind);
        requireNonNull(KINDS.get(kind)).accept(JsonParser.parseString(resource.toString()));
    }

    private static JsonNode one(String name, String... kinds) {
        return resources("base").stream()
                .filter(resource -> resource.at("/metadata/name").asString().equals(name)
                        && List.of(kinds).contains(resource.path("kind").asString()))
                .findFirst()
                .orElseThrow();
    }

    private static List<JsonNode> resources(String folder) {
        List<JsonNode> all = new ArrayList<>();
        JsonNode kustomization =
                DeploymentFiles.yaml(FOLDER + folder + "/kustomization.yaml").get(0);
        for (JsonNode file : kustomization.path("resources")) {
            all.addAll(DeploymentFiles.yaml(FOLDER + folder + "/" + file.asString()));
        }
        return all;
    }
}
