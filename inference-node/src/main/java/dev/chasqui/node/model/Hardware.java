package dev.chasqui.node.model;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What this machine, or the container around this process, has. */
public final class Hardware {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    private Hardware() {}

    /** Physical cores that this process may use: a second thread of one core adds nothing to matrix products. */
    public static int physicalCores() {
        int available = Runtime.getRuntime().availableProcessors();
        try {
            return Files.isReadable(CPUINFO)
                    ? Math.min(available, physicalCores(Files.readAllLines(CPUINFO), available))
                    : available;
        } catch (IOException e) {
            return available;
        }
    }

    static int physicalCores(List<String> cpuinfo, int otherwise) {
        Set<String> cores = new HashSet<>();
        String socket = "";
        for (String line : cpuinfo) {
            if (line.startsWith("physical id")) {
                socket = line;
            } else if (line.startsWith("core id")) {
                cores.add(socket + line);
            }
        }
        return cores.isEmpty() ? otherwise : cores.size();
    }

    /** Bytes of memory, the limit of a container included. */
    public static long memoryBytes() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }
}
