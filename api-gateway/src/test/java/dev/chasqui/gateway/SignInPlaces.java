package dev.chasqui.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.text.ParseException;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * GitHub and Apple on this machine, as strict as they are: codes count once, for who asked for them, where they were sent to, and with what
 * they were asked with. Whoever goes there is signed in as {@link #user} already.
 */
final class SignInPlaces implements AutoCloseable {
    static final String GITHUB_BACK = "https://chat.example.com/api/oauth/github/callback";
    static final String APPLE_BACK = "https://chat.example.com/api/oauth/apple/callback";
    private static final String ISSUER = "https://appleid.apple.com";
    private static final String SECRET = "the-secret-of-the-app";

    /** An answer of a path that is not as usual. */
    record Oddity(int status, String body) {}

    private final HttpServer server;
    private final Map<String, Map<String, String>> granted = new ConcurrentHashMap<>();
    private final Map<String, String> tokens = new ConcurrentHashMap<>();
    private final RSAKey signing;
    private final ECKey team;

    final List<String> asked = new CopyOnWriteArrayList<>();
    final Map<String, Oddity> odd = new ConcurrentHashMap<>();
    volatile String user = "1";
    volatile String name = "Ana";
    volatile String emails = emails("ana@example.com");
    volatile String email = "ana@example.com";
    volatile Object emailVerified = "true";
    /** Makes Apple's answer of what it should say. */
    volatile Function<JWTClaimsSet, String> signer;

    SignInPlaces() throws IOException, JOSEException {
        signing = new RSAKeyGenerator(2048).keyID("apples-1").generate();
        team = new ECKeyGenerator(Curve.P_256).generate();
        signer = claims -> signed(claims, signing);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        serve("/github/authorize", this::authorize);
        serve("/apple/authorize", this::authorize);
        serve("/github/token", exchange -> githubToken(form(exchange)));
        serve("/apple/token", exchange -> appleToken(form(exchange)));
        serve(
                "/github/api/user",
                exchange -> github(exchange, "{\"id\":" + user + ",\"login\":\"someone\",\"name\":\"" + name + "\"}"));
        serve("/github/api/user/emails", exchange -> github(exchange, emails));
        serve("/apple/keys", exchange -> new Oddity(200, new JWKSet(signing.toPublicJWK()).toString()));
        server.start();
    }

    static String emails(String primary) {
        return "[{\"email\":\"old@example.com\",\"primary\":false,\"verified\":true},{\"email\":\"" + primary
                + "\",\"primary\":true,\"verified\":true}]";
    }

    static String signed(JWTClaimsSet claims, RSAKey key) {
        try {
            SignedJWT token = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("apples-1").build(), claims);
            token.sign(new RSASSASigner(key));
            return token.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    SignInSettings.GitHub github() {
        return new SignInSettings.GitHub(
                "our-app", SECRET, GITHUB_BACK, url("/github/authorize"), url("/github/token"), url("/github/api"));
    }

    SignInSettings.Apple apple() {
        return new SignInSettings.Apple(
                "org.example.chat",
                "TEAM",
                "KEY",
                pem(),
                "",
                APPLE_BACK,
                url("/apple/authorize"),
                url("/apple/token"),
                url("/apple/keys"));
    }

    private String pem() {
        try {
            return "-----BEGIN PRIVATE KEY-----\n"
                    + Base64.getMimeEncoder()
                            .encodeToString(team.toECPrivateKey().getEncoded())
                    + "\n-----END PRIVATE KEY-----\n";
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private interface Answer {
        Oddity of(HttpExchange exchange) throws Exception;
    }

    private void serve(String path, Answer answer) {
        server.createContext(path, exchange -> {
            asked.add(path);
            Oddity usual;
            try {
                usual = answer.of(exchange);
            } catch (Exception e) {
                usual = new Oddity(500, "{\"error\":\"" + e.getClass().getSimpleName() + "\"}");
            }
            Oddity said = odd.getOrDefault(path, usual);
            byte[] body = said.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(said.status(), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
    }

    /** Answers what a browser brings back: the fields, as a form has them. */
    private Oddity authorize(HttpExchange exchange) {
        Map<String, String> wanted = fields(exchange.getRequestURI().getRawQuery());
        String code = "code-" + granted.size();
        granted.put(code, wanted);
        return new Oddity(200, "code=" + code + "&state=" + encoded(wanted.getOrDefault("state", "")));
    }

    /** Gives a code to whoever asked for it by other ways than this server. */
    String grant(Map<String, String> wanted) {
        String code = "code-" + granted.size();
        granted.put(code, wanted);
        return code;
    }

    private Oddity githubToken(Map<String, String> form) throws GeneralSecurityException {
        if (!"our-app".equals(form.get("client_id")) || !SECRET.equals(form.get("client_secret"))) {
            return new Oddity(200, "{\"error\":\"incorrect_client_credentials\"}");
        }
        Map<String, String> wanted = taken(form);
        if (wanted == null || !challenge(form.getOrDefault("code_verifier", "")).equals(wanted.get("code_challenge"))) {
            return new Oddity(200, "{\"error\":\"bad_verification_code\"}");
        }
        String token = "token-" + tokens.size();
        tokens.put(token, form.get("code"));
        return new Oddity(
                200, "{\"access_token\":\"" + token + "\",\"scope\":\"user:email\",\"token_type\":\"bearer\"}");
    }

    private Oddity github(HttpExchange exchange, String body) {
        String authorization = exchange.getRequestHeaders().getFirst("authorization");
        boolean known = authorization != null && tokens.containsKey(authorization.replace("Bearer ", ""));
        boolean named = exchange.getRequestHeaders().getFirst("user-agent") != null;
        return known && named ? new Oddity(200, body) : new Oddity(401, "{\"message\":\"Bad credentials\"}");
    }

    private Oddity appleToken(Map<String, String> form) throws ParseException, JOSEException {
        if (!isOurs(form.getOrDefault("client_secret", "")) || !"org.example.chat".equals(form.get("client_id"))) {
            return new Oddity(400, "{\"error\":\"invalid_client\"}");
        }
        Map<String, String> wanted = taken(form);
        if (wanted == null || !"authorization_code".equals(form.get("grant_type"))) {
            return new Oddity(400, "{\"error\":\"invalid_grant\"}");
        }
        Instant now = Instant.now();
        JWTClaimsSet claims = new JWTClaimsSet.Builder()
                .issuer(ISSUER)
                .audience("org.example.chat")
                .subject(user)
                .issueTime(Date.from(now))
                .expirationTime(Date.from(now.plusSeconds(600)))
                .claim("nonce", wanted.get("nonce"))
                .claim("nonce_supported", true)
                .claim("email", email)
                .claim("email_verified", emailVerified)
                .build();
        return new Oddity(
                200,
                "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"" + signer.apply(claims) + "\"}");
    }

    private boolean isOurs(String secret) throws ParseException, JOSEException {
        SignedJWT token = SignedJWT.parse(secret);
        JWTClaimsSet claims = token.getJWTClaimsSet();
        return token.verify(new ECDSAVerifier(team))
                && "KEY".equals(token.getHeader().getKeyID())
                && "TEAM".equals(claims.getIssuer())
                && "org.example.chat".equals(claims.getSubject())
                && claims.getAudience().equals(List.of(ISSUER))
                && claims.getExpirationTime().after(new Date());
    }

    private @Nullable Map<String, String> taken(Map<String, String> form) {
        Map<String, String> wanted = granted.remove(form.getOrDefault("code", ""));
        return wanted != null && Objects.equals(wanted.get("redirect_uri"), form.get("redirect_uri")) ? wanted : null;
    }

    static String challenge(String verifier) throws GeneralSecurityException {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(StandardCharsets.US_ASCII));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
    }

    private static Map<String, String> form(HttpExchange exchange) throws IOException {
        return fields(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    }

    static Map<String, String> fields(String form) {
        Map<String, String> fields = new HashMap<>();
        for (String field : form.split("&")) {
            String[] parts = field.split("=", 2);
            fields.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        return fields;
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
