package dev.chasqui.cli;

import dev.chasqui.gateway.BadSettingsException;
import dev.chasqui.gateway.Gateway;
import dev.chasqui.gateway.GatewaySettings;
import dev.chasqui.gateway.nodes.Readiness;
import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A server for one command: a gateway in this process, on loopback, with a node as its child. Ends with {@link #close}. */
final class OwnServer implements AutoCloseable {
    private static final long LOOK_AGAIN_MS = 50;

    private final Gateway gateway;
    private final ServerClient client;

    private OwnServer(Gateway gateway, ServerClient client) {
        this.gateway = gateway;
        this.client = client;
    }

    /**
     * Starts it, and waits until its model answers; the node shows meanwhile how far it is.
     *
     * @param model null: the default one
     * @throws Failure where it cannot be had
     */
    static OwnServer start(@Nullable String model, List<String> nodeArguments) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        String listen = loopback.getHostAddress() + ":" + Ports.anyFree(loopback);
        List<String> arguments = new ArrayList<>(nodeArguments);
        arguments.addAll(List.of("--log-level", "error"));
        if (model != null) {
            arguments.addAll(List.of("--model", model));
        }
        GatewaySettings settings;
        Gateway gateway;
        try {
            settings = new GatewaySettings(
                    loopback.getHostAddress(),
                    0,
                    List.of(listen),
                    System.getenv("CHASQUI_TOKEN"),
                    GatewaySettings.NodeTls.NONE,
                    List.of(),
                    GatewaySettings.Accounts.NONE,
                    List.of(),
                    List.of(),
                    new GatewaySettings.Local(NodeProcess.command(listen, arguments)),
                    GatewaySettings.Stored.defaults(),
                    GatewaySettings.Limits.defaults());
            gateway = Gateway.start(settings);
        } catch (BadSettingsException unusable) {
            throw new Failure(String.valueOf(unusable.getMessage()), 2);
        }
        URI base = URI.create("http://" + loopback.getHostAddress() + ":" + gateway.port());
        OwnServer server = new OwnServer(gateway, new ServerClient(base));
        server.awaitReady();
        return server;
    }

    ServerClient client() {
        return client;
    }

    private void awaitReady() {
        try {
            Readiness readiness = gateway.readiness();
            while (readiness.state() != Readiness.State.READY) {
                if (readiness.state() == Readiness.State.FAILED) {
                    throw new Failure(readiness.message(), 1);
                }
                if (gateway.nodeUnusable().isDone()) {
                    throw new Failure("the node cannot run with these settings", 2);
                }
                Thread.sleep(LOOK_AGAIN_MS);
                readiness = gateway.readiness();
            }
        } catch (InterruptedException ended) {
            close();
            throw new Failure("interrupted", 1);
        } catch (Failure failure) {
            close();
            throw failure;
        }
    }

    @Override
    public void close() {
        gateway.close();
    }
}
