package dev.chasqui.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a process listens on, read from {@code /proc}; so these tests need Linux. */
final class ListeningSockets {

    private static final String LISTENING = "0A";

    private ListeningSockets() {}

    /** Local addresses as the kernel writes them: hexadecimal address and port. */
    static List<String> of(long pid) {
        Set<String> inodes = socketInodes(pid);
        List<String> addresses = new ArrayList<>();
        for (String table : List.of("tcp", "tcp6")) {
            for (String line : lines(Path.of("/proc/" + pid + "/net/" + table))) {
                String[] columns = line.strip().split("\\s+");
                if (columns[3].equals(LISTENING) && inodes.contains(columns[9])) {
                    addresses.add(columns[1]);
                }
            }
        }
        return addresses;
    }

    /** Whether nobody but this machine reaches an address: 127.x.x.x, ::1, or 127.x.x.x written as IPv6. */
    static boolean isLoopback(String address) {
        return address.matches("[0-9A-F]{6}7F:.*")
                || address.startsWith("00000000000000000000000001000000:")
                || address.matches("0000000000000000FFFF0000[0-9A-F]{6}7F:.*");
    }

    private static Set<String> socketInodes(long pid) {
        try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return files.map(ListeningSockets::target)
                    .filter(target -> target.startsWith("socket:["))
                    .map(target -> target.substring(8, target.length() - 1))
                    .collect(Collectors.toSet());
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closed) {
            return "";
        }
    }

    private static List<String> lines(Path table) {
        try {
            return Files.readAllLines(table).stream().skip(1).toList();
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }
}
