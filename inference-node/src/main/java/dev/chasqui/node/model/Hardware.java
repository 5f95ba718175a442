package dev.chasqui.node.model;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** What this machine, or the container around this process, has. */
public final class Hardware {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    private Hardware() {}

    /**
     * Physical cores that this process may use: a second thread of one core adds nothing to matrix products, and a core that a
     * container's quota grants in part only holds up all others at each layer.
     */
    public static int physicalCores() {
        int available = Math.min(Runtime.getRuntime().availableProcessors(), (int)
                Math.max(1, CpuQuota.of(Path.of("/")).orElse(Integer.MAX_VALUE)));
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

    /** The processor's name; empty where it does not say. */
    public static String processor() {
        return firstValue(CPUINFO, "model name", ":");
    }

    /** Logical processors of the machine, those included that this process may not use. */
    public static int machineProcessors() {
        try (Stream<String> lines = Files.lines(CPUINFO)) {
            int count = (int) lines.filter(line -> line.startsWith("processor")).count();
            return count == 0 ? Runtime.getRuntime().availableProcessors() : count;
        } catch (IOException e) {
            return Runtime.getRuntime().availableProcessors();
        }
    }

    /** Bytes of memory of the machine, a container's limit aside. */
    public static long machineMemoryBytes() {
        return meminfo("MemTotal").orElseGet(Hardware::memoryBytes);
    }

    /**
     * Bytes of memory that can be had, the limit of a container included. What the system holds of files belongs to it, as that
     * makes room.
     */
    public static long freeMemoryBytes() {
        long unused =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getFreeMemorySize();
        long machine = meminfo("MemAvailable").orElse(unused);
        boolean limited = memoryBytes() < machineMemoryBytes();
        return limited ? Math.min(Math.min(machine, memoryBytes()), unused + filesInGroup()) : machine;
    }

    /**
     * Bytes of files that a container's group counts as its own and would let go of; 0 where it does not say, or where this process is
     * in a group below the one that is seen.
     */
    private static long filesInGroup() {
        if (!firstValue(Path.of("/proc/self/cgroup"), "0::", "::").equals("/")) {
            return 0;
        }
        String bytes = firstValue(Path.of("/sys/fs/cgroup/memory.stat"), "inactive_file ", " ");
        return bytes.matches("[0-9]{1,18}") ? Long.parseLong(bytes) : 0;
    }

    private static OptionalLong meminfo(String name) {
        String kibibytes = firstValue(Path.of("/proc/meminfo"), name + ":", ":").replaceAll("\\D", "");
        return kibibytes.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(kibibytes) * 1024);
    }

    private static String firstValue(Path file, String name, String separator) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(separator) + separator.length())
                            .strip())
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /** Bytes of memory, the limit of a container included. */
    public static long memoryBytes() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }
}
