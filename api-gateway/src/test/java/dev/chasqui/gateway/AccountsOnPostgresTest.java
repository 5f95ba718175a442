package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** Accounts in PostgreSQL, which several gateways share. */
class AccountsOnPostgresTest extends AccountsContract {
    private String address = "";

    @Override
    String database() throws IOException, SQLException {
        if (address.isEmpty()) {
            address = TestDatabases.postgres();
        }
        return address;
    }

    @Test
    void anotherGatewayKnowsSessionsAndHearsOfRevokedKeys() throws Exception {
        Person ana = register("ana@example.com");
        String key = key(ana, "{}");
        String id = json(as(ana, "GET", "/api/keys", "").body())
                .at("/data/keys/0/id")
                .asString();
        Gateway first = gateway;
        try (Gateway second = Gateway.start(settings())) {
            gateway = second;
            await(this::isReady);
            assertThat(as(ana, "GET", "/api/auth/me", "").statusCode()).isEqualTo(200);
            assertThat(withKey(key, "GET", "/v1/models", "").statusCode()).isEqualTo(200);
            gateway = first;
            as(ana, "DELETE", "/api/keys/" + id, "");
            gateway = second;
            long deadline = System.nanoTime() + 20_000_000_000L;
            HttpResponse<String> last = withKey(key, "GET", "/v1/models", "");
            while (last.statusCode() == 200 && System.nanoTime() < deadline) {
                Thread.sleep(200);
                last = withKey(key, "GET", "/v1/models", "");
            }
            assertThat(last.statusCode()).isEqualTo(401);
        } finally {
            gateway = first;
        }
    }
}
