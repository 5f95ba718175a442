package dev.chasqui.gateway.oauth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.requests.RequestError;
import java.security.interfaces.ECPrivateKey;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.Date;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** The tokens that Apple gives and wants. The event loop owns what is remembered of Apple's keys. */
final class AppleTokens {
    private static final String ISSUER = "https://appleid.apple.com";
    private static final Duration SECRET_LIFE = Duration.ofMinutes(5);
    private static final long KEYS_ARE_GOOD_MS = Duration.ofHours(1).toMillis();

    private final AppleApp app;
    private final Outgoing outgoing;
    private final String title;
    private final Clock clock;
    private JWKSet keys = new JWKSet();
    private long keysAt;

    AppleTokens(AppleApp app, Outgoing outgoing, String title, Clock clock) {
        this.app = app;
        this.outgoing = outgoing;
        this.title = title;
        this.clock = clock;
    }

    /** Shows Apple that we are who we are. */
    String clientSecret() {
        ECPrivateKey key = app.secret().key();
        if (key == null) {
            return app.secret().readyMade();
        }
        Date now = Date.from(clock.instant());
        SignedJWT secret = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .keyID(app.secret().keyId())
                        .build(),
                new JWTClaimsSet.Builder()
                        .issuer(app.secret().teamId())
                        .subject(app.clientId())
                        .audience(ISSUER)
                        .issueTime(now)
                        .expirationTime(new Date(now.getTime() + SECRET_LIFE.toMillis()))
                        .build());
        try {
            secret.sign(new ECDSASigner(key));
        } catch (JOSEException unusable) {
            throw new IllegalStateException("the key was tried when it was read", unusable);
        }
        return secret.serialize();
    }

    /** Whom an answer of Apple's names, where it is Apple's, for us, of now, and of this sign-in. */
    Mono<Identity> identity(String token, Grant grant) {
        SignedJWT parsed = parsed(token);
        return keysWith(parsed.getHeader().getKeyID())
                .map(known -> identity(verified(parsed, known, grant.nonce()), grant.name()));
    }

    /** One that is not signed is none. */
    private SignedJWT parsed(String token) {
        try {
            return SignedJWT.parse(token);
        } catch (ParseException nonsense) {
            throw invalid();
        }
    }

    private Mono<JWKSet> keysWith(@Nullable String id) {
        boolean fresh = clock.millis() - keysAt < KEYS_ARE_GOOD_MS;
        if (fresh && keys.getKeyByKeyId(id) != null) {
            return Mono.just(keys);
        }
        return outgoing.get(title, app.keysUrl(), Map.of()).map(answer -> {
            try {
                keys = JWKSet.parse(answer.json().toString());
                keysAt = clock.millis();
                return keys;
            } catch (ParseException nonsense) {
                throw Outgoing.failure(title, "has no keys to show");
            }
        });
    }

    private JWTClaimsSet verified(SignedJWT token, JWKSet known, String nonce) {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, new ImmutableJWKSet<>(known)));
        processor.setJWTClaimsSetVerifier(
                new DefaultJWTClaimsVerifier<>(
                        app.clientId(),
                        new JWTClaimsSet.Builder()
                                .issuer(ISSUER)
                                .claim("nonce", nonce)
                                .build(),
                        Set.of("sub", "iat", "exp")) {
                    @Override
                    protected Date currentTime() {
                        return Date.from(clock.instant());
                    }
                });
        try {
            return processor.process(token, null);
        } catch (BadJOSEException | JOSEException refused) {
            throw invalid();
        }
    }

    private Identity identity(JWTClaimsSet claims, String name) {
        try {
            // A boolean or a string of one.
            boolean verified = "true".equals(String.valueOf(claims.getClaim("email_verified")));
            String email = claims.getStringClaim("email");
            return new Identity("apple", claims.getSubject(), verified && email != null ? email : "", name);
        } catch (ParseException | IllegalArgumentException nonsense) {
            throw invalid();
        }
    }

    private RequestError invalid() {
        return RequestError.http(
                403, title + "'s answer does not show who it is, or is not for us.", "id_token_invalid", null);
    }
}
