package dev.chasqui.gateway.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Who holds a file's lock, as far as the system tells: Linux lists all locks that processes hold. */
final class FileLocks {
    private static final Path LOCKS = Path.of("/proc/locks");
    private static final int OWNER = 4;
    private static final int FILE = 5;

    private FileLocks() {}

    /** The process that has locked a file; empty where that is not known. */
    static OptionalLong holder(Path file) {
        try (Stream<String> locks = Files.lines(LOCKS)) {
            String id = id(file);
            return locks.map(line -> line.split("\\s+"))
                    .filter(fields -> fields.length > FILE && fields[FILE].equals(id))
                    .mapToLong(fields -> Long.parseLong(fields[OWNER]))
                    .filter(process -> process > 0)
                    .findFirst();
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException unknown) {
            return OptionalLong.empty();
        }
    }

    /** As the list has it: device and number, {@code fe:00:131085}. */
    private static String id(Path file) throws IOException {
        long device = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
        long number = ((Number) Files.getAttribute(file, "unix:ino")).longValue();
        long major = device >> 8 & 0xfff;
        long minor = device & 0xff | device >> 12 & 0xfff00;
        return String.format("%02x:%02x:%d", major, minor, number);
    }
}
