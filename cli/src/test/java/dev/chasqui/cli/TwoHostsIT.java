package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gateway on one host and a node on another, with certificates from one command and a cable that can be pulled. */
class TwoHostsIT {
    private static final Duration SOON = Duration.ofMinutes(3);
    private static final String ASK = "import urllib.request as u\n"
            + "print(u.urlopen(u.Request('http://127.0.0.1:8080/v1/chat/completions',"
            + " b'{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":4}',"
            + " {'content-type': 'application/json'}), timeout=120).read().decode())";

    @TempDir
    private Path folder;

    @Test
    void theyTalkOverTheNetworkAndFindEachOtherAgainAfterACut() throws Exception {
        Certificates.in(folder).make(List.of(TwoHosts.SECOND_ADDRESS), 1);
        try (TwoHosts hosts = TwoHosts.connected();
                Launched node = launched(
                        hosts.onSecond(),
                        "node",
                        "--listen",
                        TwoHosts.SECOND_ADDRESS + ":9090",
                        "--model",
                        RealModel.NAME,
                        "--parallel",
                        "1");
                Launched gateway = launched(hosts.onFirst(), "gateway", "--nodes", TwoHosts.SECOND_ADDRESS + ":9090")) {
            awaitModel(gateway, node);
            assertThat(hosts.outputOnFirst("python3", "-c", ASK)).contains("\"role\":\"assistant\"");

            hosts.plug(false);
            sees(gateway, "node " + TwoHosts.SECOND_ADDRESS + ":9090 is silent");
            int before = gateway.output().length();
            hosts.plug(true);
            Launched.await(
                    "it is back",
                    SOON,
                    () -> gateway.output().substring(before).contains(TwoHosts.SECOND_ADDRESS + ":9090 answers"));
            assertThat(hosts.outputOnFirst("python3", "-c", ASK)).contains("\"role\":\"assistant\"");
        }
    }

    private Launched launched(List<String> host, String service, String... more) {
        List<String> arguments = new ArrayList<>(List.of(service));
        arguments.addAll(List.of(more));
        arguments.addAll(List.of(
                "--tls-ca", folder.resolve("ca.pem").toString(),
                "--tls-certificate", folder.resolve(service + ".pem").toString(),
                "--tls-key", folder.resolve(service + ".key").toString()));
        return Launched.start(host, RealModel.HOME, Map.of("DATABASE_URL", "memory:"), arguments);
    }

    private static void awaitModel(Launched gateway, Launched node) {
        try {
            Launched.await("the model", SOON, () -> gateway.output().contains("Ready."));
        } catch (AssertionError absent) {
            RealModel.explainMissing(RealModel.HOME, gateway.output() + node.output());
        }
    }

    private static void sees(Launched process, String line) throws IOException {
        Launched.await(line, SOON, () -> process.output().contains(line));
    }
}
