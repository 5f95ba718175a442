package dev.chasqui.cli;

import dev.chasqui.gateway.BadSettingsException;
import dev.chasqui.gateway.Gateway;
import dev.chasqui.gateway.GatewaySettings;
import dev.chasqui.gateway.nodes.Readiness;
import java.util.concurrent.CountDownLatch;
import org.springframework.boot.web.server.PortInUseException;

/** A gateway from its start to its end, and what is said about it meanwhile. */
final class RunningGateway {

    private static final long LOOK_AGAIN_MS = 200;
    private static final int BAD_SETTINGS = 2;

    private RunningGateway() {}

    /** Runs until a signal ends the process, or its node refuses the settings, whose exit code it then has. */
    static int run(GatewayOptions options, GatewaySettings settings) throws InterruptedException {
        Gateway gateway = start(settings);
        Signals.endInOrder(gateway::close);
        String url = options.url(gateway.port());
        System.out.println("Chasqui answers at " + url + ", and says there how far the model is.");
        sayWhenReady(gateway, url);
        CountDownLatch unusable = new CountDownLatch(1);
        gateway.nodeUnusable().thenRun(unusable::countDown);
        unusable.await();
        gateway.close();
        return BAD_SETTINGS;
    }

    private static Gateway start(GatewaySettings settings) {
        try {
            return Gateway.start(settings);
        } catch (BadSettingsException unusable) {
            throw GatewayOptions.failure(unusable);
        } catch (PortInUseException taken) {
            throw new Failure("port " + taken.getPort() + " was taken just now: name another with --port.", 2);
        }
    }

    private static void sayWhenReady(Gateway gateway, String url) {
        Thread watch = new Thread(
                () -> {
                    try {
                        while (gateway.readiness().state() != Readiness.State.READY) {
                            Thread.sleep(LOOK_AGAIN_MS);
                        }
                        System.out.println("Ready. Open " + url
                                + " in a browser, or give an OpenAI client the base address " + url + "/v1");
                    } catch (InterruptedException ended) {
                        // Nobody waits for the sentence any more.
                    }
                },
                "ready");
        watch.setDaemon(true);
        watch.start();
    }
}
