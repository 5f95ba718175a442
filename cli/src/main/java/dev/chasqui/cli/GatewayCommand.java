package dev.chasqui.cli;

import dev.chasqui.gateway.GatewaySettings;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a gateway in front of nodes that run already. */
@Command(
        name = "gateway",
        description = "Runs a gateway in front of inference nodes that run elsewhere.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class GatewayCommand implements Callable<Integer>, ServerCommand {

    @Option(
            names = "--nodes",
            paramLabel = "HOST:PORT",
            split = ",",
            defaultValue = "127.0.0.1:9090",
            description =
                    "The inference nodes; dns:///NAME:PORT is one at each address that the name has. Default: ${DEFAULT-VALUE}.")
    private List<String> nodes;

    @Mixin
    private NodeLinkOptions link;

    @Mixin
    private GatewayOptions options;

    @Mixin
    private LogOptions log;

    @Mixin
    private ConfigOption config;

    @Override
    public void check() {
        options.build(nodes, link.token(), tls(), List.of());
    }

    @Override
    public Integer call() throws InterruptedException {
        log.apply();
        return RunningGateway.run(options, options.settings(nodes, link.token(), tls(), List.of()));
    }

    private GatewaySettings.NodeTls tls() {
        return new GatewaySettings.NodeTls(link.authority, link.certificate, link.key);
    }
}
