package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code chasqui certificates} makes. */
class CertificatesTest {
    private static final String FOR_SERVERS = "1.3.6.1.5.5.7.3.1";
    private static final String FOR_CLIENTS = "1.3.6.1.5.5.7.3.2";

    @TempDir
    private Path folder;

    @Test
    void oneAuthoritySignsOneForNodesAndOneForGateways() throws Exception {
        Certificates.in(folder).make(List.of("gpu1.example.org", "10.0.0.7"), 30);

        X509Certificate authority = certificate("ca.pem");
        assertThat(authority.getBasicConstraints()).isZero();
        X509Certificate node = certificate("node.pem");
        node.verify(authority.getPublicKey());
        assertThat(node.getExtendedKeyUsage()).containsExactly(FOR_SERVERS);
        assertThat(names()).containsExactly("gpu1.example.org", "10.0.0.7");
        assertThat(node.getNotAfter().toInstant())
                .isBetween(
                        Instant.now().plus(Duration.ofDays(29)), Instant.now().plus(Duration.ofDays(30)));
        X509Certificate gateway = certificate("gateway.pem");
        gateway.verify(authority.getPublicKey());
        assertThat(gateway.getExtendedKeyUsage()).containsExactly(FOR_CLIENTS);
    }

    @Test
    void onlyTheOwnerReadsKeysAndNothingElseIsLeft() throws Exception {
        Certificates.in(folder).make(List.of(), 1);

        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "ca.pem", "ca.key", "node.pem", "node.key", "gateway.pem", "gateway.key");
        }
        for (String name : List.of("ca.key", "node.key", "gateway.key")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(name))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void aSecondTimeTheAuthorityAndTheNamesStay() throws Exception {
        Certificates.in(folder).make(List.of("gpu1", "fd00::7"), 30);
        String authority = text("ca.pem");
        String node = text("node.pem");
        Collection<String> names = names();

        Certificates.in(folder).make(List.of(), 30);

        assertThat(text("ca.pem")).isEqualTo(authority);
        assertThat(text("node.pem")).isNotEqualTo(node);
        certificate("node.pem").verify(certificate("ca.pem").getPublicKey());
        assertThat(names()).isEqualTo(names);
    }

    @Test
    void halfAnAuthorityIsNotOverwritten() throws Exception {
        Certificates.in(folder).make(List.of(), 1);
        String authority = text("ca.pem");
        Files.delete(folder.resolve("ca.key"));

        assertThatThrownBy(() -> Certificates.in(folder).make(List.of(), 1)).isInstanceOf(IOException.class);
        assertThat(text("ca.pem")).isEqualTo(authority);
    }

    @Test
    void aNameThatIsNoneIsRefused() {
        for (String name : List.of("gpu 1", "a,dns:b", "https://gpu1", "", "x;rm")) {
            assertThatThrownBy(() -> Certificates.in(folder).make(List.of(name), 1))
                    .isInstanceOf(Failure.class)
                    .hasMessageContaining("--names: " + name);
        }
    }

    private Collection<String> names() throws Exception {
        return certificate("node.pem").getSubjectAlternativeNames().stream()
                .map(name -> String.valueOf(name.get(1)))
                .toList();
    }

    private String text(String name) throws IOException {
        return Files.readString(folder.resolve(name), US_ASCII);
    }

    private X509Certificate certificate(String name) throws Exception {
        try (InputStream in = Files.newInputStream(folder.resolve(name))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}
