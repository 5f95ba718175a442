package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.Routes;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Holds {@code /openapi.json} against the routes, the requests that are read and the answers that are given; an administrator
 * asks.
 */
class OpenApiTest extends PeopledGatewayTest {
    private static final String PASSWORD = "a long password";

    private JsonNode description;
    private Person ana;
    private int others;
    private String question = "";

    @Override
    GatewaySettings settings() {
        return peopled(
                new GatewaySettings.Accounts(true, "open", 0, 0, 0),
                List.of("operators-own-key"),
                GatewaySettings.Stored.defaults());
    }

    /** One thing that can be asked, as it is described. */
    private record Operation(String method, String path, JsonNode node) {
        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    @BeforeEach
    void read() throws Exception {
        description = json(get("/openapi.json").body());
        ana = register("ana@example.com");
    }

    @Test
    void itNamesEveryRouteAndNoOther() {
        Set<String> routes = new TreeSet<>();
        for (Dialect dialect : gateway.dialects()) {
            for (Routes.Route route : dialect.routes().all()) {
                routes.add(route.method() + " " + route.path());
            }
        }

        assertThat(operations()).extracting(Operation::toString).containsExactlyInAnyOrderElementsOf(routes);
    }

    @Test
    void aPageOfItIsThereToRead() throws Exception {
        HttpResponse<String> page = get("/api/docs");

        assertThat(page.headers().firstValue("content-type")).hasValue("text/html; charset=utf-8");
        for (Operation operation : operations()) {
            assertThat(page.body()).contains("<code>" + operation + "</code>");
        }
        assertThat(page.body()).contains("<dt><code>temperature</code></dt><dd>number, 0 or more, at most 2.");
        assertThat(page.body()).doesNotContain("<script", "<style", "style=");
    }

    @Test
    void nothingIsSaidTwice() throws Exception {
        JsonMapper strict = JsonMapper.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();

        try (InputStream in = getClass().getResourceAsStream("/dev/chasqui/gateway/openapi.json")) {
            assertThat(strict.readTree(in).isObject()).isTrue();
        }
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        assertThat(description.findValues("$ref"))
                .isNotEmpty()
                .allSatisfy(reference -> assertThat(description
                                .at(reference.asString().substring(1))
                                .isObject())
                        .as(reference.asString())
                        .isTrue());
    }

    @Test
    void everyExampleIsAnsweredAsDescribed() throws Exception {
        String stored = json(as(ana, "POST", "/v1/responses", "{\"input\":\"Hi\"}")
                        .body())
                .get("id")
                .asString();
        for (Operation operation : operations()) {
            if (operation.method().equals("DELETE")
                    || operation.path().startsWith("/api/stream/")
                    || isElsewhere(operation)) {
                continue;
            }
            HttpResponse<String> response = ask(operation, path(operation, stored), example(operation));

            assertThat(response.statusCode())
                    .as("%s: %s", operation, response.body())
                    .isEqualTo(200);
            JsonNode content = operation.node().at("/responses/200/content");
            String type =
                    response.headers().firstValue("content-type").orElseThrow().replaceAll(";.*", "");
            assertThat(content.has(type)).as("%s answers %s", operation, type).isTrue();
            if (type.equals("application/json")) {
                check(operation.toString(), content.at("/application~1json/schema"), json(response.body()));
            }
        }
        check("DELETE", description.at("/components/schemas/DeletedResponse"), deleted("/v1/responses/" + stored));
        check(
                "DELETE",
                description.at("/components/schemas/DeletedConversation"),
                deleted("/api/conversations/" + conversation()));
        check("DELETE", description.at("/components/schemas/OneKey"), deleted("/api/keys/" + storedKey()));
        check("DELETE", description.at("/components/schemas/DeletedAccount"), deleted("/api/accounts/" + account()));
    }

    private JsonNode deleted(String path) throws Exception {
        HttpResponse<String> answer = as(ana, "DELETE", path, "");
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        return json(answer.body());
    }

    private String path(Operation operation, String response) throws Exception {
        String path = operation.path();
        if (path.contains("/conversations/{id}")) {
            return path.replace("{id}", conversation());
        }
        if (path.startsWith("/api/keys/")) {
            return path.replace("{id}", storedKey());
        }
        if (path.startsWith("/api/accounts/")) {
            return path.replace("{id}", account());
        }
        return path.replaceAll("\\{.*}", path.contains("responses") ? response : ScriptedNode.MODEL);
    }

    /** Whatever lets somebody in, who asks is told in the same form. */
    @Test
    void whoAsksIsToldAsDescribed() throws Exception {
        JsonNode schema = description.at("/components/schemas/SignedIn");
        String key = key(ana, "{\"limits\":{\"parallel\":3},\"expires_in\":60}");

        for (String offered : List.of(ana.token(), key, "operators-own-key")) {
            HttpResponse<String> me = withKey(offered, "GET", "/api/auth/me", "");
            assertThat(me.statusCode()).isEqualTo(200);
            check("me", schema, json(me.body()));
        }
        check(
                "keys",
                description.at("/components/schemas/KeyList"),
                json(as(ana, "GET", "/api/keys?all=true&revoked=true", "").body()));
    }

    @Test
    void aPageCanTellHowToSignIn() throws Exception {
        JsonNode schemes = description.at("/components/securitySchemes");
        Person ben = register("ben@example.com");

        assertThat(ben.cookie()).startsWith(schemes.at("/session/name").asString() + "=");
        HttpRequest.Builder request = HttpRequest.newBuilder(uri("/api/auth/logout"))
                .header("cookie", ben.cookie())
                .header(schemes.at("/csrf/name").asString(), ben.csrf());
        assertThat(send(request.POST(HttpRequest.BodyPublishers.noBody())).statusCode())
                .isEqualTo(200);
    }

    @Test
    void whatIsOpenIsSaidToBe() throws Exception {
        for (Operation operation : operations()) {
            String path = operation.path().replaceAll("\\{.*}", ScriptedNode.MODEL);
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(uri(path)).method(operation.method(), HttpRequest.BodyPublishers.noBody());

            assertThat(send(request).statusCode() != 401)
                    .as(operation.toString())
                    .isEqualTo(isOpen(operation));
        }
    }

    private static boolean isOpen(Operation operation) {
        JsonNode security = operation.node().path("security");
        return security.isArray() && security.isEmpty();
    }

    private String storedKey() throws Exception {
        return json(as(ana, "POST", "/api/keys", "{}").body()).at("/data/id").asString();
    }

    private String account() throws Exception {
        String email = "other-" + others++ + "@example.com";
        HttpResponse<String> made = as(ana, "POST", "/api/accounts", credentials(email, PASSWORD));
        return json(made.body()).at("/data/id").asString();
    }

    /** What ends or changes sessions is asked by somebody else, so that this one can go on. */
    private Person asking(Operation operation) throws Exception {
        if (!operation.path().matches("/api/auth/(logout|password)")) {
            return ana;
        }
        account();
        String email = "other-" + (others - 1) + "@example.com";
        return signedIn(post("/api/auth/login", credentials(email, PASSWORD)));
    }

    /** A stored conversation with a question and its answer, which the examples' question stands for. */
    private String conversation() throws Exception {
        JsonNode begun = json(as(ana, "POST", "/api/chat", "{\"message\":\"Hi\",\"stream\":false}")
                        .body())
                .get("data");
        question = begun.get("question_id").asString();
        return begun.get("conversation_id").asString();
    }

    @Test
    void whatMayBeLeftOutMayBeNull() throws Exception {
        JsonNode chat = description.at("/components/schemas/ChatCompletionRequest/allOf/2/properties");

        assertThat(chat.at("/stream/type").toString()).isEqualTo("[\"boolean\",\"null\"]");
        assertThat(chat.at("/reasoning_effort/enum").toString()).endsWith(",null]");
        assertThat(chat.at("/messages/type").asString()).isEqualTo("array");
        for (Operation operation : operations()) {
            JsonNode schema = operation.node().at("/requestBody/content/application~1json/schema");
            ObjectNode body = example(operation).isObject()
                    ? (ObjectNode) example(operation).deepCopy()
                    : JsonNodeFactory.instance.objectNode();
            properties(schema).forEach((field, value) -> {
                if (value.path("type").toString().contains("null") && !body.has(field)) {
                    body.putNull(field);
                }
            });
            if (!schema.isMissingNode() && !operation.path().contains("{id}") && !isElsewhere(operation)) {
                HttpResponse<String> response =
                        ask(operation, operation.path().replaceAll("\\{.*}", ScriptedNode.MODEL), body);
                assertThat(response.statusCode())
                        .as("%s: %s", operation, response.body())
                        .isEqualTo(200);
            }
        }
    }

    /** A field that is read is refused by its name where it is something odd. */
    @Test
    void everyFieldOfARequestIsRead() throws Exception {
        for (Operation operation : operations()) {
            JsonNode schema = operation.node().at("/requestBody/content/application~1json/schema");
            if (schema.isMissingNode() || isElsewhere(operation)) {
                continue;
            }
            for (Map.Entry<String, JsonNode> property : properties(schema).entrySet()) {
                String field = property.getKey();
                ObjectNode body = (ObjectNode) example(operation).deepCopy();
                prepare(body, field);
                body.set(field, odd(field, property.getValue()));
                String name = operation.path().contains("/conversations/{id}") ? conversation() : ScriptedNode.MODEL;
                HttpResponse<String> response = ask(operation, operation.path().replaceAll("\\{.*}", name), body);
                assertThat(response.statusCode())
                        .as("%s with an odd %s: %s", operation, field, response.body())
                        .isEqualTo(400);
                assertThat(response.body()).as("%s: %s", operation, field).contains("\"" + field);
            }
        }
    }

    /** Signing in elsewhere takes an elsewhere, which a test of its own has. */
    private static boolean isElsewhere(Operation operation) {
        return operation.path().startsWith("/api/oauth/");
    }

    /** Fields that exclude each other. */
    private static void prepare(ObjectNode body, String field) {
        if (field.equals("function_call")) {
            body.putArray("functions");
        } else if (field.equals("message") || field.equals("conversation_id") || field.equals("store")) {
            body.remove("messages");
            body.put("message", "Hi");
        } else if (field.equals("messages")) {
            body.remove("message");
        } else if (field.equals("add_special_tokens") || field.equals("prompt") && body.has("content")) {
            body.remove("content");
            body.put("prompt", "a");
        }
    }

    /** A value that the field does not take. */
    private static JsonNode odd(String field, JsonNode schema) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        JsonNode type = schema.path("type");
        boolean takesObjects =
                (type.isArray() ? type.get(0) : type).asString("").equals("object") || field.equals("logit_bias");
        return takesObjects ? json.booleanNode(true) : json.objectNode().set("odd", json.arrayNode());
    }

    private static JsonNode example(Operation operation) {
        return operation.node().at("/requestBody/content/application~1json/example");
    }

    private HttpResponse<String> ask(Operation operation, String path, JsonNode body) throws Exception {
        Person person = asking(operation);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .header("cookie", person.cookie())
                .header("x-csrf-token", person.csrf());
        return send(request.method(
                operation.method(),
                body.isMissingNode()
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body.toString().replace("msg_1", question))));
    }

    private List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        description
                .get("paths")
                .forEachEntry((path, methods) -> methods.forEachEntry(
                        (method, node) -> operations.add(new Operation(method.toUpperCase(Locale.ROOT), path, node))));
        return operations;
    }

    private Map<String, JsonNode> properties(JsonNode schema) {
        Map<String, JsonNode> properties = new LinkedHashMap<>();
        JsonNode resolved = resolved(schema);
        resolved.path("allOf").forEach(part -> properties.putAll(properties(part)));
        resolved.path("properties").forEachEntry(properties::put);
        return properties;
    }

    private JsonNode resolved(JsonNode schema) {
        return schema.has("$ref") ? description.at(schema.get("$ref").asString().substring(1)) : schema;
    }

    private void check(String where, JsonNode reference, JsonNode value) {
        String problem = problem(where, reference, value);
        assertThat(problem).isNull();
    }

    /** What is in the value and not in the schema, or the other way round; null where all is well. */
    private @Nullable String problem(String where, JsonNode reference, JsonNode value) {
        JsonNode schema = resolved(reference);
        if (schema.has("anyOf")) {
            for (JsonNode one : schema.get("anyOf")) {
                if (problem(where, one, value) == null) {
                    return null;
                }
            }
            return where + ": " + value + " is none of " + schema;
        }
        if (schema.has("enum") && !schema.get("enum").valueStream().anyMatch(value::equals)) {
            return where + ": " + value + " is not in " + schema.get("enum");
        }
        return switch (schema.path("type").asString("")) {
            case "object" -> object(where, schema, value);
            case "array" -> array(where, schema, value);
            case "string" -> value.isString() ? null : where + ": no string";
            case "integer" -> value.isIntegralNumber() ? null : where + ": no whole number";
            case "number" -> value.isNumber() ? null : where + ": no number";
            case "boolean" -> value.isBoolean() ? null : where + ": no boolean";
            case "null" -> value.isNull() ? null : where + ": not null";
            default -> null;
        };
    }

    private @Nullable String object(String where, JsonNode schema, JsonNode value) {
        if (!value.isObject()) {
            return where + ": no object";
        }
        for (JsonNode name : schema.path("required")) {
            if (!value.has(name.asString())) {
                return where + "." + name.asString() + ": absent";
            }
        }
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            JsonNode known = schema.path("properties").get(entry.getKey());
            if (known == null && !schema.has("additionalProperties")) {
                return where + "." + entry.getKey() + ": not described";
            }
            String problem = known == null ? null : problem(where + "." + entry.getKey(), known, entry.getValue());
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }

    private @Nullable String array(String where, JsonNode schema, JsonNode value) {
        if (!value.isArray()) {
            return where + ": no array";
        }
        for (JsonNode element : value) {
            String problem = problem(where + "[]", schema.get("items"), element);
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }
}
