package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.NodeGrpc;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node and gateways as on hosts of their own: who gets in, who does not, and what both say of it. */
class ApartIT {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = "a-shared-token";

    @TempDir
    private static Path folder;

    private static Launched node;
    private static int port;

    @BeforeAll
    static void startNode() throws Exception {
        Certificates.in(folder.resolve("ours")).make(List.of("localhost", "127.0.0.1"), 1);
        Certificates.in(folder.resolve("theirs")).make(List.of("localhost", "127.0.0.1"), 1);
        Path expired = Files.createDirectories(folder.resolve("expired"));
        Files.copy(folder.resolve("ours/ca.pem"), expired.resolve("ca.pem"));
        Files.copy(folder.resolve("ours/ca.key"), expired.resolve("ca.key"));
        Certificates.in(expired, Duration.ofDays(3)).make(List.of("localhost"), 1);
        Files.writeString(folder.resolve("token"), TOKEN + "\n");
        port = Launched.freePort();
        node = node(port, "ours");
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    @Test
    void aGatewayWithCertificateAndTokenGetsIn() {
        try (Launched gateway = gateway("ours", TOKEN, "localhost:" + port)) {
            sees(gateway, "node localhost:" + port + " answers");
        }
        try (Launched gateway = gateway("ours", TOKEN, "dns:///localhost:" + port)) {
            sees(gateway, ":" + port + " answers");
        }
    }

    @Test
    void strangersAreRefusedWithOneLineEach() {
        assertThat(ask(InsecureChannelCredentials.create(), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: it does not speak TLS");
        assertThat(ask(credentials("ours", null), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: it brought no certificate");
        assertThat(ask(credentials("ours", "theirs/gateway"), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: its certificate is not signed by this node's CA");
        assertThat(ask(credentials("ours", "expired/gateway"), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: its certificate has expired");
        assertThat(ask(credentials("ours", "ours/node"), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: its certificate is not one for gateways");
        assertThat(ask(credentials("theirs", "ours/gateway"), TOKEN)).isEqualTo(Status.Code.UNAVAILABLE);
        sees(node, "refused 127.0.0.1: it does not take this node's certificate");
        assertThat(ask(credentials("ours", "ours/gateway"), null)).isEqualTo(Status.Code.UNAUTHENTICATED);
        sees(node, "refused 127.0.0.1: UNAUTHENTICATED: it brought no token");
        assertThat(ask(credentials("ours", "ours/gateway"), "guess")).isEqualTo(Status.Code.UNAUTHENTICATED);
        sees(node, "refused 127.0.0.1: UNAUTHENTICATED: its token is wrong");
        assertThat(ask(credentials("ours", "ours/gateway"), TOKEN)).isEqualTo(Status.Code.OK);

        assertThat(node.output()).doesNotContain(TOKEN).doesNotContain("Exception");
    }

    @Test
    void aGatewaySaysWhyItIsRefused() throws Exception {
        int expiredPort = Launched.freePort();
        try (Launched foreign = gateway("theirs", TOKEN, "localhost:" + port);
                Launched wrongToken = gateway("ours", "guess", "localhost:" + port);
                Launched expiredItself = gateway("expired", TOKEN, "localhost:" + port);
                Launched expiredNode = node(expiredPort, "expired");
                Launched careful = gateway("ours", TOKEN, "localhost:" + expiredPort)) {
            sees(foreign, "is not reachable: its certificate is not signed by the CA that this gateway knows");
            sees(wrongToken, "is not reachable: it refuses this gateway's token (UNAUTHENTICATED)");
            sees(expiredItself, "is not reachable: it refuses this gateway's certificate, or the lack of one");
            sees(careful, "is not reachable: its certificate has expired");
            sees(expiredNode, "it does not take this node's certificate");
            for (Launched one : List.of(foreign, wrongToken, expiredItself, careful)) {
                assertThat(one.output().lines().filter(line -> line.contains("is not reachable")))
                        .hasSize(1);
                assertThat(one.output()).doesNotContain("Exception");
            }
        }
    }

    @Test
    void certificatesAreReadAnewWhileItRuns() throws Exception {
        Path changing = Files.createDirectories(folder.resolve("changing"));
        copy("ours", changing);
        int another = Launched.freePort();
        try (Launched renewed = node(another, "changing")) {
            Launched.await("it starts", SOON, () -> ask(another, "ours") == Status.Code.OK);
            assertThat(ask(another, "theirs")).isEqualTo(Status.Code.UNAVAILABLE);

            copy("theirs", changing);

            Launched.await("it takes the new ones", SOON, () -> ask(another, "theirs") == Status.Code.OK);
            assertThat(ask(another, "ours")).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(renewed.isAlive()).isTrue();
        }
    }

    @Test
    void badFilesAreToldInASentence() throws Exception {
        Path broken = Files.createDirectories(folder.resolve("broken"));
        copy("ours", broken);
        Files.writeString(broken.resolve("node.key"), "no key");
        Files.writeString(broken.resolve("ca.pem"), "no certificate");
        try (Launched badNode = node(0, "broken");
                Launched badGateway = gateway("broken", TOKEN, "localhost:" + port)) {
            assertThat(badNode.exitCode(SOON)).isPositive();
            assertThat(badNode.output()).contains("tls-key: ", "(expected: PEM").doesNotContain("Exception");
            assertThat(badGateway.exitCode(SOON)).isEqualTo(2);
            assertThat(badGateway.output())
                    .contains("--tls-ca: ", "(expected: PEM")
                    .doesNotContain("Exception");
        }
    }

    private static void copy(String from, Path to) throws IOException {
        for (String name : List.of("ca.pem", "node.key", "node.pem", "gateway.key", "gateway.pem")) {
            Files.copy(folder.resolve(from).resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static Launched node(int port, String certificates) {
        List<String> arguments = new ArrayList<>(List.of("node", "--listen", "127.0.0.1:" + port));
        arguments.addAll(List.of(
                "--model",
                "none-such",
                "--models-path",
                folder.resolve("models").toString()));
        arguments.addAll(List.of("--token-file", folder.resolve("token").toString()));
        arguments.addAll(files(certificates, "node"));
        return Launched.start(folder.resolve("home"), Map.of(), arguments);
    }

    private static Launched gateway(String certificates, String token, String nodes) {
        List<String> arguments = new ArrayList<>(List.of("gateway", "--port", "0", "--nodes", nodes));
        arguments.addAll(files(certificates, "gateway"));
        Map<String, String> environment = Map.of("CHASQUI_TOKEN", token, "DATABASE_URL", "memory:");
        return Launched.start(folder.resolve("home"), environment, arguments);
    }

    private static List<String> files(String certificates, String name) {
        Path from = folder.resolve(certificates);
        return List.of(
                "--tls-ca", from.resolve("ca.pem").toString(),
                "--tls-certificate", from.resolve(name + ".pem").toString(),
                "--tls-key", from.resolve(name + ".key").toString());
    }

    private static void sees(Launched process, String line) {
        try {
            Launched.await(line, SOON, () -> process.output().contains(line));
        } catch (AssertionError absent) {
            throw new AssertionError(absent.getMessage() + "\n" + process.output(), absent);
        }
    }

    private static ChannelCredentials credentials(String authority, @Nullable String own) {
        try {
            TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder()
                    .trustManager(folder.resolve(authority).resolve("ca.pem").toFile());
            if (own != null) {
                builder.keyManager(
                        folder.resolve(own + ".pem").toFile(),
                        folder.resolve(own + ".key").toFile());
            }
            return builder.build();
        } catch (IOException unreadable) {
            throw new AssertionError(unreadable);
        }
    }

    private static Status.Code ask(int port, String certificates) {
        return ask(port, credentials(certificates, certificates + "/gateway"), TOKEN);
    }

    private static Status.Code ask(ChannelCredentials credentials, @Nullable String token) {
        Launched.await("the node listens", SOON, () -> node.output().contains("node listens"));
        return ask(port, credentials, token);
    }

    /** What one call of a new connection comes to. */
    private static Status.Code ask(int port, ChannelCredentials credentials, @Nullable String token) {
        Metadata headers = new Metadata();
        if (token != null) {
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        }
        ManagedChannel channel =
                Grpc.newChannelBuilder("127.0.0.1:" + port, credentials).build();
        try {
            NodeGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .withDeadlineAfter(60, TimeUnit.SECONDS)
                    .getStatus(GetStatusRequest.getDefaultInstance());
            return Status.Code.OK;
        } catch (StatusRuntimeException refused) {
            return refused.getStatus().getCode();
        } finally {
            channel.shutdownNow();
        }
    }
}
