package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Signing in by way of others where registration is closed. */
class SignInClosedTest extends SignInElsewhere {
    @Override
    GatewaySettings settings() {
        return people("closed", GatewaySettings.Stored.defaults());
    }

    @Test
    void onlyTheFirstOneComesByHimself() throws Exception {
        Browser ana = new Browser();
        ana.signIn(GITHUB);
        places.user = "2";
        places.emails = SignInPlaces.emails("ben@example.com");
        places.email = "ben@example.com";

        assertThat(ana.me().at("/account/role").asString()).isEqualTo("admin");
        assertThat(code(new Browser().signIn(GITHUB))).isEqualTo("registration_closed");
        assertThat(code(new Browser().signIn(APPLE))).isEqualTo("registration_closed");
        places.user = "1";
        assertThat(new Browser().signIn(GITHUB).statusCode()).isEqualTo(303);
    }
}
