package dev.chasqui.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Looks at ports before anything is started, so that a taken one is one sentence and not half a start. */
final class Ports {

    private Ports() {}

    /**
     * @param option names the port, for the sentence
     * @throws Failure where it is none, or another program has it
     */
    static void requireFree(InetAddress address, int port, String option) {
        if (port < 0 || port > 65_535) {
            throw new Failure(option.substring(2) + ": " + port + " (expected: 0 to 65535)", 2);
        }
        try {
            bind(address, port);
        } catch (IOException taken) {
            throw new Failure(
                    address.getHostAddress() + " port " + port + " cannot be had (" + taken.getMessage()
                            + "): name another with " + option + ", or end what listens there.",
                    2);
        }
    }

    static boolean isFree(InetAddress address, int port) {
        try {
            bind(address, port);
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    /** One that is free now. */
    static int anyFree(InetAddress address) {
        try {
            return bind(address, 0);
        } catch (IOException problem) {
            throw new Failure(address.getHostAddress() + " has no free port: " + problem.getMessage(), 1);
        }
    }

    private static int bind(InetAddress address, int port) throws IOException {
        try (ServerSocket socket = new ServerSocket(port, 1, address)) {
            return socket.getLocalPort();
        }
    }
}
