package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A folder with a CA, a node's certificate and a gateway's one. The JDK's keytool makes them, in a key store that lives as long
 * as that takes.
 */
final class Certificates {
    private static final int CA_DAYS = 3650;
    /** So that a machine whose clock is behind takes them too. */
    private static final Duration USUAL_AGE = Duration.ofHours(1);

    private static final String NAME =
            "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*";
    private static final String ADDRESS = "[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});
    private static final List<String> ELLIPTIC =
            List.of("-keyalg", "EC", "-groupname", "secp256r1", "-sigalg", "SHA256withECDSA");

    private final Path folder;
    private final Path store;
    private final Duration age;
    private final String password = new BigInteger(160, new SecureRandom()).toString(36);

    private Certificates(Path folder, Duration age) {
        this.folder = folder;
        this.store = folder.resolve("certificates.tmp.p12");
        this.age = age;
    }

    /** @throws IOException where the folder cannot be made */
    static Certificates in(Path folder) throws IOException {
        return in(folder, USUAL_AGE);
    }

    /** @param age for how long what is made is valid already */
    static Certificates in(Path folder, Duration age) throws IOException {
        Files.createDirectories(folder);
        return new Certificates(folder, age);
    }

    /**
     * Makes what is missing of the CA, and the other two anew.
     *
     * @param names under which gateways reach nodes; none: as they are, or the usual ones
     * @throws Failure where a name is none
     * @throws IOException where something cannot be read, written or made; the message says what
     */
    void make(List<String> names, int days) throws IOException, InterruptedException {
        Files.deleteIfExists(store);
        try {
            String subjects = subjects(names.isEmpty() ? usualNames() : names);
            boolean first = !Files.exists(path("ca.pem")) && !Files.exists(path("ca.key"));
            if (first) {
                generate(
                        "ca",
                        "Chasqui CA",
                        CA_DAYS,
                        List.of("bc:critical=ca:true,pathlen:0", "ku:critical=keyCertSign"));
            } else {
                openAuthority();
            }
            generate("node", "Chasqui node", days, List.of("ku:critical=digitalSignature", "eku=serverAuth", subjects));
            generate("gateway", "Chasqui gateway", days, List.of("ku:critical=digitalSignature", "eku=clientAuth"));
            KeyStore made = open();
            for (String name : first ? List.of("ca", "node", "gateway") : List.of("node", "gateway")) {
                write(name, made);
            }
        } catch (GeneralSecurityException unusable) {
            throw new IOException("ca.pem, ca.key: not usable (" + unusable.getMessage() + ")");
        } finally {
            Files.deleteIfExists(store);
        }
    }

    private Path path(String name) {
        return folder.resolve(name);
    }

    private List<String> usualNames() throws IOException, GeneralSecurityException {
        if (Files.exists(path("node.pem"))) {
            return certificate(path("node.pem")).getSubjectAlternativeNames().stream()
                    .map(name -> String.valueOf(name.get(1)))
                    .toList();
        }
        Set<String> names = new LinkedHashSet<>(List.of("localhost", "127.0.0.1", "::1"));
        try {
            names.add(InetAddress.getLocalHost().getHostName());
        } catch (UnknownHostException nameless) {
            // Then it goes by the others.
        }
        return List.copyOf(names);
    }

    private static String subjects(List<String> names) {
        return names.stream().map(Certificates::subject).collect(Collectors.joining(",", "san=", ""));
    }

    private static String subject(String name) {
        if (name.matches(ADDRESS)) {
            return "ip:" + name;
        }
        if (name.matches(NAME)) {
            return "dns:" + name;
        }
        throw new Failure("--names: " + name + " (expected: host names and addresses, such as gpu1.example.org)", 2);
    }

    private void generate(String alias, String subject, int days, List<String> extensions)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-noprompt"));
        command.addAll(List.of("-alias", alias, "-dname", "CN=" + subject, "-validity", String.valueOf(days)));
        command.addAll(List.of("-startdate", "-" + age.toHours() + "H"));
        command.addAll(ELLIPTIC);
        if (!alias.equals("ca")) {
            command.addAll(List.of("-signer", "ca"));
        }
        extensions.forEach(extension -> command.addAll(List.of("-ext", extension)));
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass:env", "PASSWORD"));
        ProcessBuilder keytool = new ProcessBuilder(command).redirectErrorStream(true);
        keytool.environment().put("PASSWORD", password);
        Process process = keytool.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), US_ASCII).strip();
        if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("keytool did not make " + alias + ".pem: " + said);
        }
    }

    /** Puts the CA that is there into a key store, so that it can sign. */
    private void openAuthority() throws IOException, GeneralSecurityException {
        Key key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(decoded(path("ca.key"))));
        KeyStore authority = KeyStore.getInstance("PKCS12");
        authority.load(null, null);
        authority.setKeyEntry("ca", key, password.toCharArray(), new Certificate[] {certificate(path("ca.pem"))});
        try (OutputStream out = SecretFile.create(store)) {
            authority.store(out, password.toCharArray());
        }
    }

    private KeyStore open() throws IOException, GeneralSecurityException {
        KeyStore made = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            made.load(in, password.toCharArray());
        }
        return made;
    }

    private void write(String name, KeyStore made) throws IOException, GeneralSecurityException {
        Key key = made.getKey(name, password.toCharArray());
        SecretFile.replace(path(name + ".key"), pem("PRIVATE KEY", key.getEncoded()), SecretFile.PRIVATE);
        SecretFile.replace(
                path(name + ".pem"),
                pem("CERTIFICATE", made.getCertificate(name).getEncoded()),
                "rw-r--r--");
    }

    private static X509Certificate certificate(Path file) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static byte[] decoded(Path pem) throws IOException {
        try (Stream<String> lines = Files.lines(pem, US_ASCII)) {
            return Base64.getMimeDecoder()
                    .decode(lines.filter(line -> !line.startsWith("-----")).collect(Collectors.joining()));
        }
    }

    private static String pem(String kind, byte[] content) {
        return "-----BEGIN " + kind + "-----\n" + LINES.encodeToString(content) + "\n-----END " + kind + "-----\n";
    }
}
