package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What {@code docs/accounts.md} says of accounts, sessions and keys, without a model. */
final class AccountsServer implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** The operator's own. */
    static final String OPERATOR_KEY = "operators-own";

    /** Requests as {@code METHOD PATH TOKEN}, but for those of health. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    private final Map<String, ObjectNode> accounts = new ConcurrentHashMap<>();
    private final Map<String, String> passwords = new ConcurrentHashMap<>();
    private final Map<String, String> sessions = new ConcurrentHashMap<>();
    private final Map<String, ObjectNode> keys = new LinkedHashMap<>();
    private final HttpServer server;

    /** A refusal. */
    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int status;

        Refused(int status, String sentence) {
            super(sentence);
            this.status = status;
        }
    }

    AccountsServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** As thirty days without a use do. */
    void endSessions() {
        sessions.clear();
    }

    int sessions() {
        return sessions.size();
    }

    private synchronized void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            int status = 200;
            JsonNode body;
            try {
                body = NODES.objectNode().put("success", true).set("data", answer(exchange));
            } catch (Refused refused) {
                status = refused.status;
                body = NODES.objectNode().put("success", false).put("error", refused.getMessage());
            }
            byte[] bytes = body.toString().getBytes(UTF_8);
            exchange.getResponseHeaders().add("content-type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private JsonNode answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String what = exchange.getRequestMethod() + " " + path;
        JsonNode body = JSON.readTree(exchange.getRequestBody());
        String token = token(exchange);
        if (!path.equals("/api/health")) {
            asked.add((what + " " + token).strip());
        }
        switch (what) {
            case "GET /api/health":
                return NODES.objectNode();
            case "POST /api/auth/register":
                return register(exchange, body);
            case "POST /api/auth/login":
                return login(exchange, body);
            default:
        }
        if (token.isEmpty()) {
            throw new Refused(401, "No API key was given (expected: header Authorization: Bearer KEY).");
        }
        if (!token.equals(OPERATOR_KEY) && !sessions.containsKey(token)) {
            throw new Refused(401, "The API key is not valid.");
        }
        return switch (what) {
            case "GET /api/auth/me" -> me(token);
            case "POST /api/auth/logout" -> logout(token, body);
            case "GET /api/models" -> NODES.objectNode().set("models", NODES.arrayNode());
            case "POST /api/keys" -> create(body);
            case "GET /api/keys" -> list(String.valueOf(exchange.getRequestURI().getQuery()));
            default -> ofKey(exchange.getRequestMethod(), path);
        };
    }

    private static String token(HttpExchange exchange) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst("authorization"))
                .map(header -> header.replaceFirst("^Bearer ", ""))
                .orElse("");
    }

    private JsonNode register(HttpExchange exchange, JsonNode body) {
        String email = body.path("email").asString("");
        if (accounts.containsKey(email)) {
            throw new Refused(409, "email: " + email + " has an account already");
        }
        accounts.put(
                email,
                NODES.objectNode()
                        .put("id", "user_" + accounts.size())
                        .put("email", email)
                        .put("name", body.path("name").asString(""))
                        .put("role", accounts.isEmpty() ? "admin" : "user")
                        .put("disabled", false)
                        .put("created_at", "2026-12-01T08:00:00.000Z"));
        passwords.put(email, body.path("password").asString(""));
        return login(exchange, body);
    }

    private JsonNode login(HttpExchange exchange, JsonNode body) {
        String email = body.path("email").asString("");
        if (!body.path("password").asString("").equals(passwords.get(email))) {
            throw new Refused(401, "E-mail or password is wrong.");
        }
        String token = "session-" + asked.size();
        sessions.put(token, email);
        exchange.getResponseHeaders().add("set-cookie", "other=1; Path=/");
        exchange.getResponseHeaders()
                .add("set-cookie", "chasqui_session=" + token + "; Path=/; HttpOnly; SameSite=Lax");
        return me(token);
    }

    private JsonNode logout(String token, JsonNode body) {
        String email = String.valueOf(sessions.remove(token));
        if (body.path("everywhere").asBoolean(false)) {
            sessions.values().removeIf(email::equals);
        }
        return NODES.objectNode();
    }

    private JsonNode me(String token) {
        ObjectNode me = NODES.objectNode();
        boolean operator = token.equals(OPERATOR_KEY);
        me.put("signed_in_by", operator ? "operator_key" : "session");
        me.set("account", operator ? NODES.nullNode() : accounts.get(sessions.get(token)));
        me.withArray("scopes").add("inference").add("keys");
        return me.put("expires_at", operator ? null : "2026-12-31T08:00:00.000Z");
    }

    private JsonNode create(JsonNode body) {
        String id = "key_" + (keys.size() + 1);
        ObjectNode key = NODES.objectNode().put("id", id);
        key.put("name", body.path("name").asString(""))
                .put("hint", "chq_Zk" + keys.size() + "…9fA2")
                .put("user_id", "user_0");
        key.set(
                "scopes",
                body.has("scopes") ? body.path("scopes") : NODES.arrayNode().add("inference"));
        key.set("limits", body.has("limits") ? body.path("limits") : NODES.objectNode());
        key.put("status", "active").put("created_at", "2026-12-01T08:00:00.000Z");
        key.put(
                "expires_at",
                body.has("expires_in") ? "in " + body.path("expires_in").asLong() + " s" : null);
        key.putNull("revoked_at").putNull("last_used_at");
        key.putObject("usage").put("requests", 3).put("prompt_tokens", 40).put("completion_tokens", 2);
        keys.put(id, key);
        return key.deepCopy().put("key", "chq_of_" + id);
    }

    private JsonNode list(String query) {
        List<ObjectNode> shown = new ArrayList<>();
        for (ObjectNode key : keys.values()) {
            if (query.contains("revoked=true") || key.path("revoked_at").isNull()) {
                shown.add(0, key);
            }
        }
        return NODES.objectNode().set("keys", NODES.arrayNode().addAll(shown));
    }

    private JsonNode ofKey(String method, String path) {
        ObjectNode key = keys.get(path.replaceFirst("^/api/keys/", ""));
        if (key == null) {
            throw new Refused(404, "There is no such key.");
        }
        if (method.equals("DELETE")) {
            key.put("status", "revoked").put("revoked_at", "2026-12-02T08:00:00.000Z");
        }
        return key;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
