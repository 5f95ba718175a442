package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.conversations.Conversation;
import dev.chasqui.gateway.conversations.ConversationArchive;
import dev.chasqui.gateway.conversations.ConversationJson;
import dev.chasqui.gateway.conversations.ConversationQuery;
import dev.chasqui.gateway.conversations.Conversations;
import dev.chasqui.gateway.conversations.MarkdownChat;
import dev.chasqui.gateway.conversations.Message;
import dev.chasqui.gateway.conversations.MessageTree;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.Query;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Stored conversations: the list, each of them, and their way out and in. */
final class ConversationsController {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int USUAL_PAGE = 50;
    private static final int LARGEST_PAGE = 200;
    private static final int LONGEST_QUERY = 200;
    private static final Set<String> FORMATS = Text.ordered("json", "markdown");

    private final Conversations conversations;
    private final RequestBody bodies;
    private final Clock clock;

    ConversationsController(Conversations conversations, RequestBody bodies, Clock clock) {
        this.conversations = conversations;
        this.bodies = bodies;
        this.clock = clock;
    }

    Mono<Void> list(ServerWebExchange exchange) {
        ConversationQuery query = query(exchange);
        return conversations.list(query).flatMap(found -> {
            ObjectNode data = JSON.objectNode();
            ArrayNode list = data.putArray("conversations");
            for (Conversations.Found one : found.subList(0, Math.min(found.size(), query.most()))) {
                ObjectNode json = ConversationJson.of(one.conversation()).put("running", one.isRunning());
                list.add(json.put("snippet", one.snippet()));
            }
            data.put(
                    "next",
                    found.size() > query.most()
                            ? cursor(found.get(query.most() - 1).conversation())
                            : null);
            return Success.write(exchange, data);
        });
    }

    private static String user(ServerWebExchange exchange) {
        return Principal.of(exchange).userId();
    }

    private static String cursor(Conversation last) {
        return last.updatedAt() + "." + last.id();
    }

    private static ConversationQuery query(ServerWebExchange exchange) {
        ServerHttpRequest request = exchange.getRequest();
        String words = parameter(request, "query");
        if (words.length() > LONGEST_QUERY) {
            throw RequestError.badValue(
                    "query", words.length() + " characters (expected: at most " + LONGEST_QUERY + ")");
        }
        String limit = parameter(request, "limit");
        if (!limit.isEmpty() && !(limit.matches("[1-9]\\d{0,2}") && Integer.parseInt(limit) <= LARGEST_PAGE)) {
            throw RequestError.badValue("limit", "no such number (expected: 1 to " + LARGEST_PAGE + ")");
        }
        String after = parameter(request, "after");
        if (!after.isEmpty() && !after.matches("\\d{1,18}\\.conv_\\w{1,40}")) {
            throw RequestError.badValue("after", "none that was given (expected: next of the page before)");
        }
        int dot = after.indexOf('.');
        return new ConversationQuery(
                user(exchange),
                Text.storable(words),
                Query.of(request).isTrue("deleted"),
                limit.isEmpty() ? USUAL_PAGE : Integer.parseInt(limit),
                after.isEmpty() ? Long.MAX_VALUE : Long.parseLong(after.substring(0, dot)),
                after.isEmpty() ? "" : after.substring(dot + 1));
    }

    private static String parameter(ServerHttpRequest request, String name) {
        String value = request.getQueryParams().getFirst(name);
        return value == null ? "" : value.strip();
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.readIfAny(
                exchange.getRequest(),
                body -> conversations
                        .create(
                                user(exchange),
                                ConversationFields.draft(Fields.of(body, ""), ConversationFields.blank()))
                        .flatMap(made -> Success.write(exchange, ConversationJson.of(made))));
    }

    Mono<Void> show(ServerWebExchange exchange, String id) {
        return conversations
                .read(user(exchange), id)
                .flatMap(tree -> Success.write(exchange, ConversationArchive.write(tree)));
    }

    Mono<Void> messages(ServerWebExchange exchange, String id) {
        boolean path = Query.of(exchange.getRequest()).oneOf("path", Set.of("current")) != null;
        return conversations.read(user(exchange), id).flatMap(tree -> {
            ObjectNode data = JSON.objectNode().put("conversation_id", id);
            String leaf = tree.conversation().currentMessage();
            data.put("current_message_id", leaf.isEmpty() ? null : leaf);
            ArrayNode messages = data.putArray("messages");
            for (Message message : path ? tree.currentPath() : tree.messages()) {
                messages.add(ConversationJson.of(message));
            }
            return Success.write(exchange, data);
        });
    }

    Mono<Void> change(ServerWebExchange exchange, String id) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            Boolean deleted = fields.bool("deleted");
            String message = fields.string("current_message_id");
            // Before anything is changed.
            ConversationFields.draft(fields, ConversationFields.blank());
            if (Boolean.TRUE.equals(deleted)) {
                throw fields.bad("deleted", fields.any("deleted"), "false; DELETE deletes");
            }
            Mono<Conversation> changed = deleted == null ? Mono.empty() : conversations.restore(user(exchange), id);
            changed = changed.then(
                    conversations.change(user(exchange), id, now -> ConversationFields.draft(fields, now)));
            return changed.flatMap(
                            last -> message == null ? Mono.just(last) : conversations.show(user(exchange), id, message))
                    .flatMap(last -> Success.write(exchange, ConversationJson.of(last)));
        });
    }

    Mono<Void> delete(ServerWebExchange exchange, String id) {
        boolean atOnce = Query.of(exchange.getRequest()).isTrue("purge");
        return conversations
                .delete(user(exchange), id, atOnce)
                .then(Mono.defer(() -> Success.write(
                        exchange,
                        JSON.objectNode().put("id", id).put("deleted", true).put("can_be_restored", !atOnce))));
    }

    Mono<Void> export(ServerWebExchange exchange, String id) {
        String format = parameter(exchange.getRequest(), "format");
        if (!format.isEmpty() && !FORMATS.contains(format)) {
            throw RequestError.badValue("format", "unknown (expected: " + String.join(", ", FORMATS) + ")");
        }
        return conversations.read(user(exchange), id).flatMap(tree -> {
            boolean markdown = format.equals("markdown");
            attachment(exchange.getResponse(), id, markdown ? "md" : "json");
            return markdown
                    ? Answers.bytes(
                            exchange.getResponse(),
                            "text/markdown; charset=utf-8",
                            MarkdownChat.write(tree).getBytes(StandardCharsets.UTF_8))
                    : Answers.json(
                            exchange.getResponse(),
                            (head() + ConversationArchive.write(tree) + "]}").getBytes(StandardCharsets.UTF_8));
        });
    }

    /** One after the other, so that no more than one is in memory. */
    Mono<Void> exportAll(ServerWebExchange exchange) {
        ServerHttpResponse response = exchange.getResponse();
        return conversations.ids(user(exchange)).flatMap(ids -> {
            attachment(response, "chasqui-conversations", "json");
            response.getHeaders().set("content-type", "application/json");
            Flux<String> each = Flux.fromIterable(ids)
                    .concatMap(
                            id -> conversations
                                    .read(user(exchange), id)
                                    .map(tree -> ConversationArchive.write(tree).toString())
                                    // It was deleted just now.
                                    .onErrorResume(
                                            RequestError.class,
                                            gone -> gone.status() == 404 ? Mono.empty() : Mono.error(gone)),
                            1)
                    .index((number, text) -> number == 0 ? text : "," + text);
            Flux<DataBuffer> whole = Flux.concat(Mono.just(head()), each, Mono.just("]}"))
                    .map(text -> response.bufferFactory().wrap(text.getBytes(StandardCharsets.UTF_8)));
            return response.writeWith(whole);
        });
    }

    private String head() {
        return "{\"format\":\"" + ConversationArchive.FORMAT + "\",\"version\":1,\"exported_at\":\"" + clock.instant()
                + "\",\"conversations\":[";
    }

    private static void attachment(ServerHttpResponse response, String name, String ending) {
        response.getHeaders().set("content-disposition", "attachment; filename=\"" + name + "." + ending + "\"");
        response.getHeaders().set("cache-control", "no-store");
    }

    Mono<Void> bringIn(ServerWebExchange exchange) {
        return bodies.read(
                exchange.getRequest(),
                body -> Flux.fromIterable(imported(user(exchange), Fields.of(body, "")))
                        .concatMap(conversations::add)
                        .collectList()
                        .flatMap(added -> {
                            ObjectNode data = JSON.objectNode();
                            ArrayNode list = data.putArray("conversations");
                            added.forEach(one -> list.add(ConversationJson.of(one)));
                            return Success.write(exchange, data);
                        }));
    }

    private List<MessageTree> imported(String userId, Fields fields) {
        long now = clock.millis();
        @Nullable JsonNode markdown = fields.any("markdown");
        if (markdown != null) {
            return List.of(MarkdownChat.read(userId, ConversationFields.content(fields, "markdown"), now));
        }
        List<MessageTree> trees = new ArrayList<>();
        List<JsonNode> list = fields.array("conversations", ConversationArchive.MOST_CONVERSATIONS);
        if (list.isEmpty()) {
            throw fields.bad("conversations", fields.any("conversations"), "an array of at least one, or markdown");
        }
        for (JsonNode one : list) {
            Fields conversation = Fields.of(one, "conversations[" + trees.size() + "]");
            trees.add(ConversationArchive.read(userId, conversation, ConversationFields::settings, now));
        }
        return trees;
    }
}
