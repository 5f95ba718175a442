package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.nodes.Readiness;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;

class GatewaySettingsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--chasqui.port=99999 | chasqui.port: 99999 (expected: 0 to 65535)",
                "--chasqui.port=http | chasqui.port: \"http\" (expected: a whole number)",
                "--chasqui.nodes=host | chasqui.nodes: \"host\" (expected: host:port, such as 127.0.0.1:9090)",
                "--chasqui.nodes=a:1,b:x | chasqui.nodes: \"b:x\" (expected: host:port, such as 127.0.0.1:9090)",
                "--chasqui.limits.ping-interval=0s | chasqui.limits.ping-interval: 0 ms (expected: 1 ms to 24 hours)",
                "--chasqui.limits.ping-interval=soon | chasqui.limits.ping-interval: \"soon\""
                        + " (expected: a duration such as 10s)",
                "--chasqui.limits.max-body-bytes=5 | chasqui.limits.max-body-bytes: 5 (expected: 1024 to 1073741824)",
                "--chasqui.api-keys=short | chasqui.api-keys: a key of 5 characters"
                        + " (expected: 8 or more visible ASCII characters)",
                "--chasqui.cors-origins=* | chasqui.cors-origins: \"*\""
                        + " (expected: an origin without a path, such as https://app.example.com)",
                "--chasqui.aliases=gpt-4 | chasqui.aliases: \"gpt-4\" (expected: PATTERN=MODEL, such as gpt-*=default)",
                "--chasqui.reasoning-field=thoughts | chasqui.reasoning-field: \"thoughts\""
                        + " (expected: reasoning_content or reasoning)",
                "--chasqui.node-tls.key=k.pem | chasqui.node-tls.key: without a certificate (expected: both or neither)",
                "--chasqui.node-tls.ca=nonesuch.pem | chasqui.node-tls.ca: nonesuch.pem"
                        + " (expected: files that can be read)",
                "--chasqui.host=0.0.0.0 | chasqui.host: 0.0.0.0 can be reached from other machines, and nobody is asked"
                        + " who he is (expected: a loopback address such as 127.0.0.1, chasqui.api-keys, or"
                        + " chasqui.accounts.enabled)",
                "--chasqui.accounts.registration=never | chasqui.accounts.registration: \"never\" (expected: open or closed)",
            })
    void badOnesAreNamed(String argument, String message) {
        assertThatThrownBy(() -> Gateway.start("--chasqui.limits.shutdown-grace=0s", argument)
                        .close())
                .isInstanceOf(BadSettingsException.class)
                .hasMessage(message);
        assertThat(Gateway.serve("--chasqui.limits.shutdown-grace=0s", argument))
                .isEqualTo(2);
    }

    @Test
    void whatJavaTakesForUsualIsWhatAnEmptyFileMeans() {
        GatewaySettings empty = new Binder(List.of()).bindOrCreate("chasqui", Bindable.of(GatewaySettings.class));

        assertThat(empty).isEqualTo(GatewaySettings.local(8080, List.of("127.0.0.1:9090")));
        assertThat(new Binder(List.of()).bindOrCreate("chasqui", Bindable.of(DialectSettings.class)))
                .isEqualTo(DialectSettings.defaults());
    }

    @Test
    void aPortInUseIsAFailure() {
        try (Gateway first = Gateway.start("--chasqui.port=0")) {
            assertThat(Gateway.serve("--chasqui.port=" + first.port())).isEqualTo(1);
        }
    }

    @Test
    void argumentsAreRead() {
        try (Gateway gateway = Gateway.start("--chasqui.port=0", "--chasqui.nodes=127.0.0.1:1,[::1]:2")) {
            assertThat(gateway.port()).isPositive();
        }
    }

    @Test
    void aliasesAreReadFromAList() throws Exception {
        ScriptedNode node = new ScriptedNode();
        try (node;
                Gateway gateway = Gateway.start(
                        "--chasqui.port=0",
                        "--chasqui.nodes=" + node.address(),
                        "--chasqui.aliases=a-*=tiny,b=large")) {
            GatewayTest.await(() -> gateway.readiness().state() == Readiness.State.READY);
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + gateway.port() + "/v1/completions"))
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"b\",\"prompt\":\"x\"}"))
                    .build();
            GatewayTest.HTTP.send(request, HttpResponse.BodyHandlers.discarding());

            assertThat(node.rawRequests.element().getModel()).isEqualTo("large");
        }
    }

    @Test
    void keysStayOutOfText() {
        GatewaySettings plain = GatewaySettings.local(1, List.of("127.0.0.1:9090"));
        GatewaySettings secret = new GatewaySettings(
                plain.host(),
                1,
                plain.nodes(),
                "the-token",
                plain.nodeTls(),
                List.of("the-secret"),
                plain.accounts(),
                plain.allowedHosts(),
                plain.corsOrigins(),
                plain.localNode(),
                plain.conversations(),
                plain.limits());

        assertThat(secret.toString()).doesNotContain("the-secret").doesNotContain("the-token");
    }
}
