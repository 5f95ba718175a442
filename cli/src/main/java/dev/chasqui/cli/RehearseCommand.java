package dev.chasqui.cli;

import dev.chasqui.gateway.Gateway;
import dev.chasqui.gateway.GatewaySettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Goes through a gateway's start and ends, so that the launcher can keep the classes that were loaded in an archive. Listens on
 * loopback only, and has no node. For the node's archive the launcher starts a supervised node without a parent.
 */
@Command(name = "rehearse", hidden = true)
final class RehearseCommand implements Callable<Integer> {

    @Mixin
    private GatewayOptions options;

    @Mixin
    private LogOptions log;

    @Override
    public Integer call() throws IOException {
        log.apply();
        Main.commandLine(System.getenv(), Map::of).getUsageMessage();
        ConfigCommand.text();
        String nobody = "127.0.0.1:" + Ports.anyFree(InetAddress.getLoopbackAddress());
        try (Gateway gateway =
                Gateway.start(options.settings(List.of(nobody), null, GatewaySettings.NodeTls.NONE, List.of()))) {
            read(options.url(gateway.port()) + "/api/health");
            // Waits until the database is open.
            read(options.url(gateway.port()) + "/api/conversations");
        }
        return 0;
    }

    private static void read(String address) throws IOException {
        try (InputStream answer = URI.create(address).toURL().openStream()) {
            answer.readAllBytes();
        }
    }
}
