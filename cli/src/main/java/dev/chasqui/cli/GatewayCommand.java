package dev.chasqui.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a gateway in front of nodes that run already. */
@Command(
        name = "gateway",
        description = "Runs a gateway in front of inference nodes that run elsewhere.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class GatewayCommand implements Callable<Integer> {

    @Option(
            names = "--nodes",
            paramLabel = "HOST:PORT",
            split = ",",
            defaultValue = "127.0.0.1:9090",
            description = "The inference nodes. Default: ${DEFAULT-VALUE}.")
    private List<String> nodes;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description =
                    "The nodes' token. Better given as CHASQUI_TOKEN, which other users of the machine cannot read.")
    @Nullable
    private String token;

    @Mixin
    private GatewayOptions options;

    @Mixin
    private LogOptions log;

    @Override
    public Integer call() throws InterruptedException {
        log.apply();
        return RunningGateway.run(options, options.settings(nodes, token, List.of()));
    }
}
