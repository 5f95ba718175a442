package dev.chasqui.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes what gateway and nodes need to know each other by TLS. */
@Command(
        name = "certificates",
        description = {
            "Makes a CA, a certificate for nodes and one for gateways.",
            "In a folder that has a CA already it keeps that and makes the two anew; running processes take them within"
                    + " ten seconds."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class CertificatesCommand implements Callable<Integer> {

    @Parameters(paramLabel = "DIR", description = "Where to put them, as files in PEM.")
    private Path folder;

    @Option(
            names = "--names",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Names and addresses under which gateways reach nodes. Default: those of the certificate that is"
                            + " there, or else localhost, the loopback addresses and this machine's name.")
    private List<String> names = List.of();

    @Option(
            names = "--days",
            paramLabel = "N",
            defaultValue = "365",
            description = "How long the two are valid, 1 to 3650; the CA is for ten years. Default: ${DEFAULT-VALUE}.")
    private int days;

    @Override
    public Integer call() throws InterruptedException {
        if (days < 1 || days > 3650) {
            throw new Failure("--days: " + days + " (expected: 1 to 3650)", 2);
        }
        try {
            Certificates.in(folder).make(names, days);
        } catch (IOException problem) {
            throw new Failure("certificates: " + problem.getMessage(), 1);
        }
        System.out.println("Certificates are in " + folder + ". ca.key stays here and nowhere else.");
        System.out.println("  node:    --tls-ca ca.pem --tls-certificate node.pem --tls-key node.key");
        System.out.println("  gateway: --tls-ca ca.pem --tls-certificate gateway.pem --tls-key gateway.key");
        return 0;
    }
}
