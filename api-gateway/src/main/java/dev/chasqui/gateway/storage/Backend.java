package dev.chasqui.gateway.storage;

import dev.chasqui.gateway.nodes.EventLoop;
import io.r2dbc.h2.H2ConnectionConfiguration;
import io.r2dbc.h2.H2ConnectionFactory;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.spi.ConnectionFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/**
 * A kind of database: how it is spoken to.
 *
 * @param migrations for the driver that migrates
 * @param factory for the driver that answers queries
 * @param embedded whether it computes in its callers' threads, and lives as long as somebody is connected
 */
record Backend(DataSource migrations, ConnectionFactory factory, boolean embedded) {
    /**
     * Each commit is in the file before it returns, which needs no thread that writes now and then. Nothing is traced,
     * since statements and values would be.
     */
    private static final String[] SETTINGS = {
        "WRITE_DELAY=0",
        "DB_CLOSE_ON_EXIT=FALSE",
        "TRACE_LEVEL_FILE=0",
        "TRACE_LEVEL_SYSTEM_OUT=0",
        "CACHE_SIZE=4096",
        "LOCK_TIMEOUT=10000"
    };

    static Backend of(DatabaseAddress address, EventLoop loop) {
        if (address instanceof PostgresAddress postgres) {
            return new Backend(
                    postgres.migrations(),
                    new PostgresqlConnectionFactory(
                            postgres.driver().loopResources(loop.resources()).build()),
                    false);
        }
        if (address instanceof DatabaseAddress.InFile file) {
            makePrivate(file.whole());
            return embedded("file:" + file.file());
        }
        return embedded("mem:" + UUID.randomUUID());
    }

    private static Backend embedded(String name) {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL("jdbc:h2:" + name + ";" + String.join(";", SETTINGS));
        H2ConnectionConfiguration.Builder driver =
                H2ConnectionConfiguration.builder().url(name);
        for (String setting : SETTINGS) {
            driver.option(setting);
        }
        return new Backend(source, new H2ConnectionFactory(driver.build()), true);
    }

    /** Chats are nobody else's business: the folder and the file are their owner's only. */
    private static void makePrivate(Path file) {
        try {
            Path folder = file.getParent();
            if (folder != null && !Files.isDirectory(folder)) {
                Files.createDirectories(folder, mode(folder, "rwx------"));
            }
            Files.createFile(file, mode(file, "rw-------"));
        } catch (FileAlreadyExistsException e) {
            // As it was made before.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileAttribute<?>[] mode(Path path, String mode) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))}
                : new FileAttribute<?>[0];
    }
}
