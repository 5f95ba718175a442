package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.Device;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.NodeStatus;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What administrators see of the server at a glance. */
class ServerOverviewTest extends PeopledGatewayTest {
    private Person ana;

    @Override
    GatewaySettings settings() {
        // A limit, so that what keys take is counted for their accounts as well.
        return peopled(
                new GatewaySettings.Accounts(true, "open", 1000, 0, 0),
                List.of("operators-own-key"),
                GatewaySettings.Stored.defaults());
    }

    @BeforeEach
    void signIn() throws Exception {
        ana = register("ana@example.com");
    }

    private static NodeStatus status(long generated, int running, int queued) {
        return ScriptedNode.ready().toBuilder()
                .setUptimeSeconds(12.5)
                .addNotices("default model x cannot be fetched, using y")
                .addDevices(Device.newBuilder().setName("CPU").setKind("cpu").setMemoryTotalBytes(1L << 34))
                .addEngines(EngineStatus.newBuilder()
                        .setModel(ScriptedNode.MODEL)
                        .setSlots(4)
                        .setSlotsInUse(running)
                        .setQueued(queued)
                        .setCompletionTokensTotal(generated))
                .build();
    }

    private JsonNode server(String query) throws Exception {
        HttpResponse<String> response = as(ana, "GET", "/api/server" + query, "");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response.body()).get("data");
    }

    private JsonNode usage(String query) throws Exception {
        HttpResponse<String> response = as(ana, "GET", "/api/usage" + query, "");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response.body()).get("data");
    }

    /** Points until one is as wanted; that one. */
    private JsonNode point(Predicate<JsonNode> wanted) throws Exception {
        long end = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < end) {
            for (JsonNode point : server("").at("/history/points")) {
                if (wanted.test(point)) {
                    return point;
                }
            }
            Thread.sleep(50);
        }
        throw new AssertionError("no such point: " + server("").get("history"));
    }

    @Test
    void nodesAreShownAsTheySay() throws Exception {
        node.is(status(100, 3, 2));
        await(() -> {
            try {
                return server("").at("/nodes/0/engines/0/slots_in_use").asInt() == 3;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });

        JsonNode server = server("");
        assertThat(server.get("version").asString()).isEqualTo(Gateway.version());
        assertThat(server.get("status").asString()).isEqualTo("ready");
        assertThat(server.get("model").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(server.at("/database/status").asString()).isEqualTo("ready");
        assertThat(server.get("uptime_seconds").asDouble()).isPositive();
        JsonNode node = server.at("/nodes/0");
        assertThat(node.get("state").asString()).isEqualTo("up");
        assertThat(node.get("uptime_seconds").asDouble()).isEqualTo(12.5);
        assertThat(node.at("/notices/0").asString()).isEqualTo("default model x cannot be fetched, using y");
        assertThat(node.at("/devices/0/memory_total_bytes").asLong()).isEqualTo(1L << 34);
        assertThat(node.at("/models/0/state").asString()).isEqualTo("ready");
        assertThat(node.at("/engines/0/queued").asInt()).isEqualTo(2);
    }

    @Test
    void theLastMinutesAreToldInPoints() throws Exception {
        node.is(status(1_000_000, 3, 2));
        JsonNode first = point(point -> point.get("running").asInt() == 3);
        // What was generated before somebody looked is no speed.
        assertThat(first.get("tokens_per_second").asDouble()).isZero();
        assertThat(first.get("queued").asInt()).isEqualTo(2);
        assertThat(first.get("first_token_ms").isNull()).isTrue();

        node.is(status(1_000_050, 1, 0));
        as(ana, "POST", "/v1/chat/completions", HI);
        JsonNode busy = point(point -> point.get("tokens_per_second").asDouble() > 0);
        assertThat(busy.get("tokens_per_second").asDouble()).isBetween(0.5, 50.0);
        JsonNode begun = point(point -> !point.get("first_token_ms").isNull());
        assertThat(begun.get("first_token_ms").asDouble()).isPositive();
        assertThat(begun.get("first_token_ms_p95").asDouble())
                .isGreaterThanOrEqualTo(begun.get("first_token_ms").asDouble());

        node.is(status(7, 1, 0));
        JsonNode anew = point(
                point -> point.get("at").asString().compareTo(busy.get("at").asString()) > 0
                        && point.get("tokens_per_second").asDouble() > 0);
        assertThat(anew.get("tokens_per_second").asDouble()).isBetween(0.1, 7.0);
        JsonNode later = server("?after=" + busy.get("at").asString()).at("/history/points");
        assertThat(later.isEmpty()).isFalse();
        assertThat(later.get(0).get("at").asString())
                .isGreaterThan(busy.get("at").asString());
    }

    @Test
    void whatKeysTookIsTheirsAndNotOnceMoreTheirAccounts() throws Exception {
        Person ben = register("ben@example.com");
        String key = key(ben, "{\"name\":\"ci\"}");
        as(ana, "POST", "/v1/chat/completions", HI);
        as(ben, "POST", "/v1/chat/completions", HI);
        withKey(key, "POST", "/v1/chat/completions", HI);
        withKey(key, "POST", "/v1/chat/completions", HI);

        await(() -> {
            try {
                return usage("").at("/days/0/requests").asInt() == 4
                        && usage("").at("/days/0/completion_tokens").asInt() == 12;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        JsonNode usage = usage("?days=1");
        assertThat(usage.get("from")).isEqualTo(usage.get("to"));
        assertThat(usage.get("days").size()).isEqualTo(1);
        JsonNode most = usage.at("/by/0");
        assertThat(most.get("kind").asString()).isEqualTo("key");
        assertThat(most.get("name").asString()).isEqualTo("ci");
        assertThat(most.get("requests").asInt()).isEqualTo(2);
        assertThat(most.get("prompt_tokens").asInt()).isEqualTo(14);
        assertThat(most.get("cached_tokens").asInt()).isEqualTo(6);
        assertThat(most.get("last_used_at").asString()).startsWith("20");
        assertThat(usage.get("by").size()).isEqualTo(3);
        for (int i = 1; i < 3; i++) {
            assertThat(usage.get("by").get(i).get("kind").asString()).isEqualTo("account");
            assertThat(usage.get("by").get(i).get("name").asString()).contains("@example.com");
            assertThat(usage.get("by").get(i).get("requests").asInt()).isEqualTo(1);
        }
    }

    @Test
    void onlyAdministratorsSeeIt() throws Exception {
        Person ben = register("ben@example.com");

        for (String path : List.of("/api/server", "/api/usage")) {
            assertThat(get(path).statusCode()).isEqualTo(401);
            HttpResponse<String> refused = as(ben, "GET", path, "");
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(code(refused)).isEqualTo("insufficient_scope");
        }
        String metrics = key(ana, "{\"scopes\":[\"metrics\"]}");
        assertThat(withKey(metrics, "GET", "/api/server", "").statusCode()).isEqualTo(200);
        assertThat(withKey(metrics, "GET", "/api/usage", "").statusCode()).isEqualTo(403);
    }

    @Test
    void whatCannotBeReadIsSaidByName() throws Exception {
        assertThat(as(ana, "GET", "/api/server?after=noon", "").body())
                .contains("after: \\\"noon\\\" (expected: a moment such as 2026-01-31T12:00:00Z)");
        assertThat(as(ana, "GET", "/api/usage?days=0", "").body())
                .contains("days: \\\"0\\\" (expected: a whole number, 1 to 365)");
    }
}
