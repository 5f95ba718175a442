package dev.chasqui.cli;

import dev.chasqui.gateway.GatewaySettings;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.StoreException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a gateway in this process, and a node in a child process that it watches over. */
@Command(
        name = "serve",
        aliases = "start",
        description = "Runs everything on this machine: a gateway for HTTP, and an inference node beside it.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ServeCommand implements Callable<Integer>, ServerCommand {

    private static final int USUAL_NODE_PORT = 9090;

    @Option(
            names = "--node-port",
            paramLabel = "PORT",
            description =
                    "Where the node answers gRPC, on loopback. 0: any free port. Default: 9090, or any free one where that"
                            + " is taken. With an API key its callers must bring CHASQUI_TOKEN, which is random where it is not set.")
    @Nullable
    private Integer nodePort;

    @Mixin
    private GatewayOptions gateway;

    @Mixin
    private NodeOptions node;

    @Mixin
    private LogOptions log;

    @Mixin
    private ConfigOption config;

    @Override
    public void check() {
        gateway.build(List.of("127.0.0.1:9090"), null, GatewaySettings.NodeTls.NONE, List.of());
        checkNodeOptions();
    }

    @Override
    public Integer call() throws InterruptedException {
        log.apply();
        checkNodeOptions();
        node.requireKnownModel();
        InetAddress loopback = InetAddress.getLoopbackAddress();
        // The port stays the node's over its restarts, so it is chosen here.
        String target = loopback.getHostAddress() + ":" + choosePort(loopback);
        return RunningGateway.run(
                gateway,
                gateway.settings(
                        List.of(target),
                        System.getenv("CHASQUI_TOKEN"),
                        GatewaySettings.NodeTls.NONE,
                        command(target)));
    }

    private int choosePort(InetAddress loopback) {
        if (nodePort == null) {
            return Ports.isFree(loopback, USUAL_NODE_PORT) ? USUAL_NODE_PORT : Ports.anyFree(loopback);
        }
        Ports.requireFree(loopback, nodePort, "--node-port");
        return nodePort == 0 ? Ports.anyFree(loopback) : nodePort;
    }

    private void checkNodeOptions() {
        try {
            String model = node.settings().defaultModel();
            if (model != null) {
                ModelReference.parse(model);
            }
        } catch (IllegalArgumentException | StoreException unusable) {
            throw new Failure(String.valueOf(unusable.getMessage()), 2);
        }
    }

    private List<String> command(String target) {
        List<String> arguments = new ArrayList<>(node.arguments());
        arguments.addAll(log.arguments());
        arguments.addAll(config.arguments());
        return NodeProcess.command(target, arguments);
    }
}
