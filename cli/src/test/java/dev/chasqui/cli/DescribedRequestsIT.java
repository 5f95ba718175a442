package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whatever the description allows, and what it does not, is answered as it says: by an answer of a described type or by an
 * error in the dialect's shape, never by a defect, and the node stays up.
 *
 * <p>{@code -Dchasqui.requests=100000} asks longer, {@code -Dchasqui.seed=7} something else.
 */
@ExtendWith(SharedServer.class)
class DescribedRequestsIT {
    private static final int REQUESTS = Integer.getInteger("chasqui.requests", 300);
    private static final long SEED = Long.getLong("chasqui.seed", 1);
    private static final Set<Integer> REFUSALS = Set.of(400, 404, 405, 409, 413, 415, 429, 503);

    private final Server server;
    private final JsonMapper mapper = new JsonMapper();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    DescribedRequestsIT(Server server) {
        this.server = server;
    }

    @Test
    void nothingThatIsAskedIsADefect() throws Exception {
        JsonNode description = mapper.readTree(server.get("/openapi.json").body());
        var operations = RandomRequests.operations(description);
        long restarts = restarts();
        int answered = 0;
        for (int i = 0; i < REQUESTS; i++) {
            RandomRequests requests = new RandomRequests(description, RealModel.NAME, SEED * 1_000_003 + i);
            RandomRequests.Made made = requests.next(operations.get(i % operations.size()));
            HttpResponse<String> response = send(made);
            answered += response.statusCode() == 200 ? 1 : 0;
            try {
                check(made.operation(), response);
            } catch (AssertionError | JacksonException wrong) {
                fail(wrong.getMessage() + "\nrequest " + i + ": " + made + "\nanswer: " + response.statusCode() + " "
                        + response.body());
            }
        }
        assertThat(answered).isGreaterThan(REQUESTS / 10);
        assertThat(restarts()).isEqualTo(restarts);
        assertThat(server.status()).hasValue("ready");
    }

    private HttpResponse<String> send(RandomRequests.Made made) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.base().resolve(made.target()))
                .timeout(Duration.ofMinutes(3))
                .method(
                        made.operation().method(),
                        made.body().length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(made.body()));
        if (made.body().length > 0) {
            request.header("content-type", made.contentType());
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private void check(RandomRequests.Operation operation, HttpResponse<String> response) {
        String type = response.headers().firstValue("content-type").orElse("").replaceAll(";.*", "");
        if (response.statusCode() == 200) {
            assertThat(operation.node().at("/responses/200/content").has(type))
                    .as("%s is described", type)
                    .isTrue();
            assertThat(response.body()).doesNotContain("\"server_error\"", "\"api_error\"");
            return;
        }
        boolean accountsAreOff =
                operation.path().matches("/api/(accounts.*|oauth/.*|auth/(register|login|password|identities.*))");
        assertThat(response.statusCode())
                .satisfiesAnyOf(status -> assertThat(status).isIn(REFUSALS), status -> {
                    assertThat(status).isEqualTo(403);
                    assertThat(accountsAreOff).isTrue();
                });
        if (response.statusCode() == 503) {
            assertThat(response.headers().firstValue("retry-after")).isPresent();
        }
        assertThat(type).isEqualTo("application/json");
        JsonNode body = mapper.readTree(response.body());
        if (operation.path().startsWith("/v1/messages")) {
            assertThat(body.path("type").asString("")).isEqualTo("error");
            assertThat(body.at("/error/type").asString("")).isNotEmpty();
            assertThat(body.at("/error/message").asString("")).isNotEmpty();
        } else if (operation.path().startsWith("/v1/") || operation.path().matches("/rerank|/(de)?tokenize")) {
            assertThat(body.at("/error/type").asString("")).isNotEmpty();
            assertThat(body.at("/error/message").asString("")).isNotEmpty();
            assertThat(body.get("error").has("param")).isTrue();
            assertThat(body.get("error").has("code")).isTrue();
        } else {
            assertThat(body.path("success").asBoolean(true)).isFalse();
            assertThat(body.path("error").asString("")).isNotEmpty();
        }
    }

    private long restarts() throws Exception {
        return mapper.readTree(server.get("/api/health").body())
                .at("/node/restarts")
                .asLong();
    }
}
