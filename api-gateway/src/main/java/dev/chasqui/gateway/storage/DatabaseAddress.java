package dev.chasqui.gateway.storage;

import java.nio.file.Path;

/** Where the database is. */
public sealed interface DatabaseAddress permits DatabaseAddress.InMemory, DatabaseAddress.InFile, PostgresAddress {
    /** In this process's memory, gone at its end. */
    record InMemory() implements DatabaseAddress {}

    /**
     * In a file of this machine.
     *
     * @param file without the ending that the database gives it; its folder is made where it is not there
     */
    record InFile(Path file) implements DatabaseAddress {
        public InFile {
            file = file.toAbsolutePath().normalize();
        }

        /** The file as the database calls it. */
        Path whole() {
            return file.resolveSibling(file.getFileName() + ".mv.db");
        }
    }

    /**
     * Reads {@code postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…}, {@code file:PATH} or {@code memory:}.
     *
     * @throws IllegalArgumentException where it is none of them; the message never holds a password
     */
    static DatabaseAddress parse(String text) {
        String address = text.strip();
        if (address.equals("memory:")) {
            return new InMemory();
        }
        if (address.startsWith("file:") && address.length() > 5 && address.indexOf(';') < 0) {
            return new InFile(Path.of(address.substring(5)));
        }
        return PostgresAddress.parse(address);
    }
}
