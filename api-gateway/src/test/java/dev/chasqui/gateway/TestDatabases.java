package dev.chasqui.gateway;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One PostgreSQL server for all tests of a run, emptied for whoever asks. */
final class TestDatabases {
    private static @Nullable EmbeddedPostgres server;

    private TestDatabases() {}

    /** The address of a database that is empty now. */
    static synchronized String postgres() throws IOException, SQLException {
        EmbeddedPostgres running = server();
        try (Connection connection = running.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        }
        return "postgres://postgres:postgres@localhost:" + running.getPort() + "/postgres?sslmode=disable";
    }

    /** The server, which is started for the first who asks. */
    static synchronized EmbeddedPostgres server() throws IOException {
        EmbeddedPostgres running = server;
        if (running == null) {
            running = EmbeddedPostgres.builder()
                    .setServerConfig("fsync", "off")
                    .setPGStartupWait(Duration.ofMinutes(5))
                    .start();
            server = running;
        }
        return running;
    }
}
