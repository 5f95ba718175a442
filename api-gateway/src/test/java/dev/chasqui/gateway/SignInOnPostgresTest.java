package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Signing in by way of others where several gateways share a database. */
class SignInOnPostgresTest extends SignInElsewhere {
    private String address = "";

    @Override
    GatewaySettings settings() {
        try {
            address = address.isEmpty() ? TestDatabases.postgres() : address;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
        return people(
                "open",
                new GatewaySettings.Stored(
                        address,
                        usual.maxHistoryMessages(),
                        false,
                        usual.undo(),
                        usual.retention(),
                        usual.mostEvents(),
                        usual.queue(),
                        usual.backpressure()));
    }

    @Test
    void oneLeavesFromOneGatewayAndComesBackToAnotherOnce() throws Exception {
        Gateway first = gateway;
        try (Gateway second = Gateway.start(settings())) {
            for (String path : new String[] {GITHUB, APPLE}) {
                places.user = path;
                places.emails = SignInPlaces.emails("ana@example.com");
                places.odd.put("/github/api/user", new SignInPlaces.Oddity(200, "{\"id\":7,\"login\":\"ana\"}"));
                places.email = "apples@example.com";
                gateway = first;
                Browser browser = new Browser();
                String brought = browser.leave(path);
                Browser thief = new Browser();
                thief.copy("chasqui_oauth_" + path.substring(path.lastIndexOf('/') + 1), browser);
                gateway = second;
                await(this::isReady);

                assertThat(browser.comeBack(path, brought).statusCode()).isEqualTo(303);
                assertThat(browser.account()).isNotEmpty();
                gateway = first;
                assertThat(browser.account()).isNotEmpty();
                assertThat(code(thief.comeBack(path, brought))).isEqualTo("state_used");
            }
        } finally {
            gateway = first;
        }
    }
}
