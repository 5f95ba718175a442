package dev.chasqui.node.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** How much of the processors a container leaves to this process: the least that its control group and those above it grant. */
final class CpuQuota {
    private CpuQuota() {}

    /**
     * Processors' worth of time, such as 1.5; empty where there is no limit.
     *
     * @param root {@code /}, or a folder that stands for it
     */
    static OptionalDouble of(Path root) {
        Path groups = root.resolve("sys/fs/cgroup");
        OptionalDouble least = OptionalDouble.empty();
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            // hierarchy:controllers:path; without controllers it is version 2.
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && parts[1].isEmpty()) {
                least = least(least, upwards(groups, parts[2], CpuQuota::second));
            } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("cpu")) {
                for (String mount : List.of(parts[1], "cpu")) {
                    least = least(least, upwards(groups.resolve(mount), parts[2], CpuQuota::first));
                }
            }
        }
        return least;
    }

    private static OptionalDouble least(OptionalDouble a, OptionalDouble b) {
        return Stream.of(a, b)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .min();
    }

    /** What one group grants. */
    @FunctionalInterface
    private interface Grant {
        OptionalDouble of(Path group);
    }

    /** A container often sees its own group as the top one, under a path that is not there. */
    private static OptionalDouble upwards(Path top, String path, Grant grant) {
        OptionalDouble least = grant.of(top);
        Path group = top;
        for (Path part : Path.of(path.replaceFirst("^/+", ""))) {
            group = group.resolve(part);
            least = least(least, grant.of(group));
        }
        return least;
    }

    /** Version 2: {@code 150000 100000}, or {@code max 100000}. */
    private static OptionalDouble second(Path group) {
        return lines(group.resolve("cpu.max")).stream()
                .map(line -> line.split(" "))
                .filter(parts -> parts.length == 2)
                .map(parts -> quota(parts[0], parts[1]))
                .findFirst()
                .orElse(OptionalDouble.empty());
    }

    /** Version 1: two files, the quota -1 where there is none. */
    private static OptionalDouble first(Path group) {
        List<String> quota = lines(group.resolve("cpu.cfs_quota_us"));
        List<String> period = lines(group.resolve("cpu.cfs_period_us"));
        return quota.isEmpty() || period.isEmpty() ? OptionalDouble.empty() : quota(quota.get(0), period.get(0));
    }

    private static OptionalDouble quota(String quota, String period) {
        boolean limited = quota.matches("[1-9]\\d{0,14}") && period.matches("[1-9]\\d{0,14}");
        return limited
                ? OptionalDouble.of(Double.parseDouble(quota) / Double.parseDouble(period))
                : OptionalDouble.empty();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream().map(String::strip).toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
