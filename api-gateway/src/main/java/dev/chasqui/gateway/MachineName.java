package dev.chasqui.gateway;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** What a gateway is called among others: the same after a restart, as nobody else has this port of this machine. */
final class MachineName {
    private static final Path KERNELS = Path.of("/proc/sys/kernel/hostname");

    private MachineName() {}

    /** @param port 0: any, so that the name is a new one each time */
    static String with(int port) {
        return port == 0 ? UUID.randomUUID().toString() : name() + ":" + port;
    }

    private static String name() {
        try {
            return Files.readString(KERNELS).strip();
        } catch (IOException e) {
            String named = System.getenv("HOSTNAME");
            return named == null ? System.getProperty("user.name", "gateway") : named;
        }
    }
}
