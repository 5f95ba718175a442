package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Identities;
import dev.chasqui.gateway.accounts.Keys;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.conversations.Conversations;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeState;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.gateway.oauth.OAuth;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.Routes;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseStatus;
import dev.chasqui.gateway.streams.UserEvents;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The product's own interface below {@code /api/}, and what operators ask: liveness, readiness, version, metrics. */
public final class RestRoutes implements Dialect {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final NodeRouter nodes;
    private final @Nullable LocalNode localNode;
    private final String version;
    private final Clock clock;
    private final Database database;
    private final Accounts accounts;
    private final OAuth oauth;
    private final JsonMapper mapper = JsonMapper.shared();
    private final Routes routes = new Routes();

    /**
     * @param localNode the supervised node, if there is one
     * @param version of the product
     * @param metrics all metrics, as Prometheus reads them
     * @param history the last minutes in numbers
     */
    public RestRoutes(
            NodeRouter nodes,
            RequestBody bodies,
            Answers answers,
            ModelNames names,
            @Nullable LocalNode localNode,
            String version,
            Supplier<String> metrics,
            Clock clock,
            Database database,
            Conversations conversations,
            UserEvents events,
            Accounts accounts,
            Keys keys,
            Metering metering,
            Authentication authentication,
            Identities identities,
            OAuth oauth,
            History history) {
        this.nodes = nodes;
        this.localNode = localNode;
        this.version = version;
        this.clock = clock;
        this.database = database;
        this.accounts = accounts;
        this.oauth = oauth;
        ModelsController models = new ModelsController(nodes, bodies, answers);
        DialogueController dialogues =
                new DialogueController(conversations.dialogue(), bodies, answers, new ConversationFields(names));
        ChatController chats = new ChatController(nodes, bodies, answers, names, dialogues);
        get("/api/health", response -> json(response, health()));
        get("/health", response -> json(response, object("status", "healthy").put("timestamp", timestamp())));
        get("/healthz", response -> json(response, object("status", "alive")));
        get("/readyz", this::ready);
        get("/version", response -> json(response, object("name", "chasqui").put("version", version)));
        get(
                "/openapi.json",
                response -> answers.beside(Description::whole).flatMap(body -> Answers.json(response, body)));
        get(
                "/api/docs",
                response -> answers.beside(() -> DescriptionPage.of(Description.written()))
                        .flatMap(page -> Answers.bytes(response, "text/html; charset=utf-8", page)));
        get("/metrics", response -> text(response, metrics.get()));
        routes.add(HttpMethod.GET, "/models", (exchange, name) -> models.list(exchange))
                .add(HttpMethod.GET, "/api/models", (exchange, name) -> models.list(exchange))
                .add(HttpMethod.POST, "/api/models/{name}/load", models::load)
                .add(HttpMethod.POST, "/api/models/{name}/unload", models::unload)
                .add(HttpMethod.POST, "/api/models/{name}/cancel", models::cancel)
                .add(HttpMethod.GET, "/api/models/{name}", models::show)
                .add(HttpMethod.POST, "/api/models/{name}", models::pull)
                .add(HttpMethod.DELETE, "/api/models/{name}", models::delete)
                .add(HttpMethod.POST, "/api/chat", (exchange, name) -> chats.chat(exchange))
                .add(HttpMethod.POST, "/api/chat/stream", (exchange, name) -> chats.stream(exchange));
        conversations(new ConversationsController(conversations, bodies, clock), dialogues);
        StreamsController streams = new StreamsController(events, conversations, answers, authentication);
        routes.add(HttpMethod.GET, "/api/stream/{user_id}", streams::open);
        accounts(
                new AuthController(accounts, identities, oauth, metering, bodies, clock),
                new AccountsController(accounts, bodies));
        keys(new KeysController(keys, metering, bodies, clock));
        ServerController server = new ServerController(
                answers, nodes, this::readiness, history, database, accounts, keys, metering, version, clock);
        routes.add(HttpMethod.GET, "/api/server", (exchange, name) -> server.show(exchange))
                .add(HttpMethod.GET, "/api/usage", (exchange, name) -> server.usage(exchange));
        oauth(new OAuthController(oauth, accounts, identities, authentication, bodies, clock));
    }

    private void oauth(OAuthController oauth) {
        routes.add(HttpMethod.GET, "/api/oauth/{provider}/callback", oauth::callback)
                .add(HttpMethod.POST, "/api/oauth/{provider}/callback", oauth::callback)
                .add(HttpMethod.POST, "/api/oauth/{provider}/manual", oauth::manual)
                .add(HttpMethod.GET, "/api/oauth/{provider}", oauth::begin);
    }

    private void accounts(AuthController auth, AccountsController accounts) {
        routes.add(HttpMethod.POST, "/api/auth/register", (exchange, name) -> auth.register(exchange))
                .add(HttpMethod.POST, "/api/auth/login", (exchange, name) -> auth.login(exchange))
                .add(HttpMethod.POST, "/api/auth/logout", (exchange, name) -> auth.logout(exchange))
                .add(HttpMethod.GET, "/api/auth/me", (exchange, name) -> auth.me(exchange))
                .add(HttpMethod.POST, "/api/auth/password", (exchange, name) -> auth.password(exchange))
                .add(HttpMethod.GET, "/api/auth/identities", (exchange, name) -> auth.identities(exchange))
                .add(HttpMethod.DELETE, "/api/auth/identities/{provider}", auth::unlink)
                .add(HttpMethod.GET, "/api/accounts", (exchange, name) -> accounts.list(exchange))
                .add(HttpMethod.POST, "/api/accounts", (exchange, name) -> accounts.create(exchange))
                .add(HttpMethod.PATCH, "/api/accounts/{id}", accounts::change)
                .add(HttpMethod.DELETE, "/api/accounts/{id}", accounts::remove);
    }

    private void keys(KeysController keys) {
        routes.add(HttpMethod.GET, "/api/keys", (exchange, name) -> keys.list(exchange))
                .add(HttpMethod.POST, "/api/keys", (exchange, name) -> keys.create(exchange))
                .add(HttpMethod.GET, "/api/keys/{id}", keys::show)
                .add(HttpMethod.DELETE, "/api/keys/{id}", keys::revoke);
    }

    /** The last of them stand for all that is below them. */
    private void conversations(ConversationsController stored, DialogueController dialogues) {
        String all = "/api/conversations";
        String one = all + "/{id}";
        routes.add(HttpMethod.GET, all, (exchange, name) -> stored.list(exchange))
                .add(HttpMethod.POST, all, (exchange, name) -> stored.create(exchange))
                .add(HttpMethod.GET, all + "/export", (exchange, name) -> stored.exportAll(exchange))
                .add(HttpMethod.POST, all + "/import", (exchange, name) -> stored.bringIn(exchange))
                .add(HttpMethod.GET, one + "/messages", stored::messages)
                .add(HttpMethod.POST, one + "/messages", dialogues::ask)
                .add(HttpMethod.POST, one + "/edit", dialogues::edit)
                .add(HttpMethod.POST, one + "/regenerate", dialogues::regenerate)
                .add(HttpMethod.POST, one + "/continue", dialogues::goOn)
                .add(HttpMethod.POST, one + "/stop", dialogues::stop)
                .add(HttpMethod.GET, one + "/export", stored::export)
                .add(HttpMethod.GET, one, stored::show)
                .add(HttpMethod.PATCH, one, stored::change)
                .add(HttpMethod.DELETE, one, stored::delete);
    }

    /** The description of all dialects in OpenAPI's words, which a test holds against the routes. */
    public static byte[] description() {
        return Description.whole();
    }

    private void get(String path, Function<ServerHttpResponse, Mono<Void>> answer) {
        routes.add(HttpMethod.GET, path, (exchange, name) -> {
            exchange.getResponse().getHeaders().set("cache-control", "no-store");
            return answer.apply(exchange.getResponse());
        });
    }

    @Override
    public Routes routes() {
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/api/") || routes.name(path) != null;
    }

    @Override
    public Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure) {
        RestError error = RestError.of(failure);
        Answers.failed(exchange.getResponse(), error.status(), error.retryAfter());
        return Answers.json(exchange.getResponse(), error.body());
    }

    /** Ready where the database, a node and the model are; chats that are not stored need no database. */
    private Mono<Void> ready(ServerHttpResponse response) {
        return database.check().flatMap(stored -> {
            Readiness readiness = readiness();
            boolean modelReady = readiness.state() == Readiness.State.READY;
            boolean ready = modelReady && stored.state() == DatabaseStatus.State.READY;
            if (!ready) {
                response.setRawStatusCode(503);
            }
            String status =
                    modelReady ? stored.state().word() : readiness.state().word();
            ObjectNode body = object("status", status)
                    .put("message", modelReady && !ready ? stored.message() : readiness.message());
            body.put("database", stored.state().word());
            boolean reachable = nodes.views().stream().anyMatch(NodeView::reachable);
            body.put("node", reachable ? "ready" : "unavailable");
            body.set("nodes", states());
            return json(response, body.put("model", readiness.state().word()));
        });
    }

    private ObjectNode health() {
        Readiness readiness = readiness();
        ObjectNode body = JSON.objectNode().put("success", true).put("data", "OK");
        body.put("status", readiness.state().word());
        body.put("model", readiness.model());
        body.put("progress", readiness.progress());
        body.put("message", readiness.message());
        if (readiness.bytesTotal() > 0) {
            body.put("bytes_done", readiness.bytesDone()).put("bytes_total", readiness.bytesTotal());
        }
        body.set("node", node());
        body.set("nodes", states());
        DatabaseStatus stored = database.status();
        body.putObject("database").put("status", stored.state().word()).put("message", stored.message());
        body.put("accounts", accounts.isEnabled());
        if (accounts.isEnabled()) {
            body.put("registration", accounts.registration().word());
            ArrayNode ways = body.putArray("sign_in").add("password");
            oauth.names().forEach(ways::add);
        }
        body.put("version", version);
        return body.put("timestamp", timestamp());
    }

    /** As the nodes say; a local node that was just started and says nothing yet is on its way, not away. */
    private Readiness readiness() {
        Readiness readiness = nodes.readiness();
        LocalNode.Status local = localNode == null ? null : localNode.status();
        if (local == null || readiness.state() != Readiness.State.UNAVAILABLE || nodes.isDraining()) {
            return readiness;
        }
        return switch (local.state()) {
            case STARTING -> new Readiness(Readiness.State.LOADING, "", 0, "The inference node is starting.", 0, 0);
            case RESTARTING ->
                new Readiness(
                        Readiness.State.UNAVAILABLE, "", 0, "The inference node ended and is started again.", 0, 0);
            case STOPPED -> readiness;
        };
    }

    private ObjectNode node() {
        List<NodeView> views = nodes.views();
        boolean reachable = views.stream().anyMatch(NodeView::reachable);
        ObjectNode node = JSON.objectNode();
        if (localNode == null) {
            node.put("state", reachable ? "running" : "unreachable").put("restarts", 0);
        } else {
            LocalNode.Status status = localNode.status();
            boolean runs = status.state() == LocalNode.State.STARTING && reachable;
            node.put("state", runs ? "running" : status.state().word());
            node.put("restarts", status.restarts());
            Integer exitCode = status.lastExitCode();
            if (exitCode != null) {
                node.put("last_exit_code", exitCode);
            }
        }
        ArrayNode notices = node.putArray("notices");
        views.forEach(view -> view.status().getNoticesList().forEach(notices::add));
        return node;
    }

    /** How many nodes there are of each kind. */
    private ObjectNode states() {
        ObjectNode states = JSON.objectNode();
        NodeState.count(nodes.views()).forEach((state, count) -> states.put(state.word(), count));
        return states;
    }

    private String timestamp() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private static ObjectNode object(String name, String value) {
        return JSON.objectNode().put(name, value);
    }

    private Mono<Void> json(ServerHttpResponse response, ObjectNode body) {
        return Answers.json(response, mapper.writeValueAsBytes(body));
    }

    private static Mono<Void> text(ServerHttpResponse response, String body) {
        return Answers.bytes(
                response, "text/plain; version=0.0.4; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }
}
