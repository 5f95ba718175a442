package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** A place where people sign in who then are let in here. */
public final class Provider {
    /** How long a browser may take to come back. */
    public static final Duration PATIENCE = RoundTrips.LIFE;

    private final Site site;
    private final RoundTrips trips;
    private final UsedStates used;

    Provider(Site site, RoundTrips trips, UsedStates used) {
        this.site = site;
        this.trips = trips;
        this.used = used;
    }

    /**
     * A browser leaves.
     *
     * @param address where it goes
     * @param cookie what it keeps meanwhile
     */
    public record Departure(String address, String cookie) {
        /** What nobody else shall know stays out of logs. */
        @Override
        public String toString() {
            return "Departure";
        }
    }

    /** In addresses: {@code github}. */
    public String id() {
        return site.id();
    }

    /** For people. */
    public String title() {
        return site.title();
    }

    /** Where it sends browsers back to. */
    public String redirectUri() {
        return site.redirectUri();
    }

    /** Whether it sends people back with a form, which is a request from another site. */
    public boolean postsBack() {
        return site.postsBack();
    }

    /**
     * Begins a sign-in.
     *
     * @param returnTo the path to go on at
     * @param session the hash of the session whose account is to be linked; empty: somebody signs in
     */
    public Departure depart(String returnTo, String session) {
        RoundTrip trip = trips.begin(returnTo, session);
        String parameters = Outgoing.encoded(site.parameters(trip.state(), trips.verifier(trip), trips.nonce(trip)));
        String address = site.authUrl() + (site.authUrl().indexOf('?') < 0 ? "?" : "&") + parameters;
        return new Departure(address, trips.sealed(trip));
    }

    /**
     * The way by which a browser comes back.
     *
     * @throws RequestError where it is not the one that left, or took too long
     */
    public RoundTrip back(@Nullable String cookie, @Nullable String state) {
        return trips.opened(cookie, state);
    }

    /**
     * Asks who has come back, once.
     *
     * @param redirectUri where the code was sent to
     * @param name that came with the code; may be empty
     */
    public Mono<Identity> identify(RoundTrip trip, String code, String redirectUri, String name) {
        Grant grant = new Grant(code, redirectUri, trips.verifier(trip), trips.nonce(trip), name);
        return used.use(trip).then(Mono.defer(() -> site.identify(grant)));
    }

    /**
     * Asks who it is that a program brings.
     *
     * @throws RequestError where nothing shows that the code was given to it
     */
    public Mono<Identity> identify(Grant grant) {
        site.requireProof(grant);
        return site.identify(grant);
    }
}
