package dev.chasqui.gateway.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

class DatabaseAddressTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "postgres://me:secret@db.example.com:5433/chats|db.example.com|5433|chats|me|secret",
                "postgresql://me:secret@db/chats|db|5432|chats|me|secret",
                "postgres://me@db|db|5432|me|me|-",
                "postgres://me:p%40ss%3A+%2F@db/a%20b|db|5432|a b|me|p@ss:+/",
                "jdbc:postgresql://me:x@db/chats|db|5432|chats|me|x",
                "postgres://me:x@[::1]:5432/chats|::1|5432|chats|me|x",
            })
    void isReadAsPeopleWriteIt(String text, String host, int port, String database, String user, String password) {
        PostgresAddress address = (PostgresAddress) DatabaseAddress.parse(text);

        assertThat(address.host()).isEqualTo(host);
        assertThat(address.port()).isEqualTo(port);
        assertThat(address.database()).isEqualTo(database);
        assertThat(address.user()).isEqualTo(user);
        assertThat(address.password()).isEqualTo(password);
    }

    @Test
    void optionsReachBothDrivers() {
        PostgresAddress address = (PostgresAddress) DatabaseAddress.parse("postgres://me:x@db/chats?sslmode=verify-full"
                + "&sslrootcert=%2Fca.pem&connect_timeout=7&application_name=mine&channel_binding=prefer");

        PGSimpleDataSource migrations = address.migrations();
        assertThat(migrations.getSslMode()).isEqualTo("verify-full");
        assertThat(migrations.getSslRootCert()).isEqualTo("/ca.pem");
        assertThat(migrations.getConnectTimeout()).isEqualTo(7);
        assertThat(migrations.getApplicationName()).isEqualTo("mine");
        PostgresqlConnectionConfiguration driver = ((PostgresAddress)
                        DatabaseAddress.parse("postgres://me:x@db/chats?sslmode=disable&application_name=mine"))
                .driver()
                .build();
        assertThat(driver.toString()).contains("applicationName='mine'");
    }

    @Test
    void otherPlaces() {
        assertThat(DatabaseAddress.parse("memory:")).isEqualTo(new DatabaseAddress.InMemory());
        assertThat(DatabaseAddress.parse("file:/a/b")).isEqualTo(new DatabaseAddress.InFile(Path.of("/a/b")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "mysql://me:hunter2@db/x",
                "postgres://me:hunter2@/x",
                "postgres://me:hunter2@a,b/x",
                "postgres://me:hunter2@db:99999/x",
                "postgres://me:hunter2@db/x?sslmode=yes",
                "postgres://me:hunter2@db/x?options=-c",
                "postgres://me:hunter2@db/x?channel_binding=require",
                "postgres://me:hunter2@db/x?connect_timeout=soon",
                "postgres://me:hunter2%zz@db/x",
                "file:/a;INIT=x"
            })
    void whatIsNoneIsRefusedWithoutItsPassword(String text) {
        assertThatThrownBy(() -> DatabaseAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected")
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void aPasswordIsNotShown() {
        assertThat(DatabaseAddress.parse("postgres://me:hunter2@db/x")).hasToString("postgres://db:5432/x");
    }
}
