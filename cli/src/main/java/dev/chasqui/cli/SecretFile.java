package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Files with secrets: nobody else reads them from their first byte on, and nobody sees half of one. */
final class SecretFile {
    /** What only its owner reads. */
    static final String PRIVATE = "rw-------";

    private SecretFile() {}

    /** A reader sees the old file or the new one. */
    static void replace(Path file, String text, String permissions) throws IOException {
        Path half = Files.createTempFile(
                file.toAbsolutePath().getParent(),
                file.getFileName() + ".",
                ".tmp",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
        try {
            Files.writeString(half, text, UTF_8);
            Files.setPosixFilePermissions(half, PosixFilePermissions.fromString(permissions));
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(half);
        }
    }

    /** A new one, to be written bit by bit. */
    static OutputStream create(Path file) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
        return Files.newOutputStream(file);
    }
}
