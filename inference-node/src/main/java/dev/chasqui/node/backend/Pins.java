package dev.chasqui.node.backend;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What says exactly which files a GPU's library is: lock files and hashes, among this package's resources. */
final class Pins {
    /** Of npm. */
    static final String PACKAGES = "package-lock.json";

    /** Of pip; absent where nothing of a toolkit is needed. */
    static final String WHEELS = "requirements.txt";

    private Pins() {}

    static byte[] bytes(GpuLibrary library, String name) {
        try (InputStream in = Pins.class.getResourceAsStream(library.label() + "/" + name)) {
            if (in == null) {
                throw new IllegalStateException(library.label() + "/" + name + " is missing in the jar");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Another one for every other pin. */
    static String mark(GpuLibrary library, String name) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes(library, name));
            return HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
