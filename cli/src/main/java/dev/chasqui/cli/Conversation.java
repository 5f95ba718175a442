package dev.chasqui.cli;

import dev.chasqui.gateway.conversations.MarkdownChat;
import dev.chasqui.node.store.FileFaults;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What was said so far, and how the next answer is asked for. Owned by one thread; any other may {@link #interrupt}. */
final class Conversation {
    /** Hears an answer as it comes. */
    interface Listener {
        /** The model has to be loaded first: 0 to 1. */
        void loading(String model, double progress);

        void reasoning(String text);

        void text(String text);
    }

    /**
     * How an answer ended.
     *
     * @param tokens that were generated
     * @param milliseconds that generating them took, the first one excepted; 0 where it was cut short
     * @param interrupted it was cut short
     */
    record End(long tokens, double milliseconds, boolean interrupted) {
        /** 0 where it cannot be said. */
        double tokensPerSecond() {
            return milliseconds > 0 && tokens > 1 ? (tokens - 1) * 1000 / milliseconds : 0;
        }
    }

    private record Message(String role, String content) {}

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ServerClient server;
    private final @Nullable Double temperature;
    private final @Nullable Integer maxTokens;
    private final List<Message> messages = new ArrayList<>();
    private String model;
    private String system;
    private ServerClient.@Nullable Events running;
    private @Nullable Thread asking;
    private boolean stopped;

    /** @param model empty: the server's default one */
    Conversation(
            ServerClient server,
            String model,
            String system,
            @Nullable Double temperature,
            @Nullable Integer maxTokens) {
        this.server = server;
        this.model = model;
        this.system = system;
        this.temperature = temperature;
        this.maxTokens = maxTokens;
    }

    String model() {
        return model;
    }

    void model(String name) {
        model = name;
    }

    String system() {
        return system;
    }

    void system(String text) {
        system = text;
    }

    void clear() {
        messages.clear();
    }

    /** From now on an interrupt is for the next answer. */
    synchronized void expectAnswer() {
        stopped = false;
    }

    /**
     * Asks, and tells the answer as it comes. What was said so far of an answer that was cut short is kept; where that is
     * nothing, the question is forgotten.
     *
     * @throws Failure with what the server says; the question is forgotten
     */
    End ask(String question, Listener listener) {
        messages.add(new Message("user", question));
        StringBuilder answer = new StringBuilder();
        long[] counts = new long[1];
        try (ServerClient.Events events = begin()) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                switch (event.path("type").asString("")) {
                    case "loading" ->
                        listener.loading(
                                event.path("model").asString(""),
                                event.path("progress").asDouble(0));
                    case "reasoning" -> listener.reasoning(event.path("content").asString(""));
                    case "token" -> {
                        counts[0]++;
                        String text = event.path("content").asString("");
                        answer.append(text);
                        listener.text(text);
                    }
                    case "done" -> {
                        messages.add(new Message("assistant", answer.toString()));
                        JsonNode usage = event.path("usage");
                        return new End(
                                usage.path("completion_tokens").asLong(counts[0]),
                                usage.path("completion_ms").asDouble(0),
                                false);
                    }
                    default -> {}
                }
            }
        } catch (Failure failure) {
            if (!hasStopped()) {
                messages.remove(messages.size() - 1);
                throw failure;
            }
        } finally {
            over();
        }
        if (answer.isEmpty()) {
            messages.remove(messages.size() - 1);
        } else {
            messages.add(new Message("assistant", answer.toString()));
        }
        return new End(counts[0], 0, true);
    }

    private ServerClient.Events begin() {
        synchronized (this) {
            if (stopped) {
                throw new Failure("stopped", 1);
            }
            asking = Thread.currentThread();
        }
        ServerClient.Events events = server.events("/api/chat/stream", request());
        synchronized (this) {
            running = events;
            if (stopped) {
                events.close();
            }
        }
        return events;
    }

    private synchronized void over() {
        running = null;
        asking = null;
        // An interrupt is for a request that waits, and this one waits no more.
        if (stopped) {
            Thread.interrupted();
        }
    }

    private synchronized boolean hasStopped() {
        return stopped;
    }

    /** Cuts the answer that comes now short. */
    synchronized void interrupt() {
        stopped = true;
        if (running != null) {
            running.close();
        } else if (asking != null) {
            asking.interrupt();
        }
    }

    private ObjectNode request() {
        ObjectNode request = JSON.objectNode();
        if (!model.isEmpty()) {
            request.put("model", model);
        }
        ArrayNode list = request.putArray("messages");
        if (!system.isEmpty()) {
            list.addObject().put("role", "system").put("content", system);
        }
        for (Message message : messages) {
            list.addObject().put("role", message.role()).put("content", message.content());
        }
        if (temperature != null) {
            request.put("temperature", temperature);
        }
        if (maxTokens != null) {
            request.put("max_tokens", maxTokens);
        }
        return request;
    }

    /**
     * Writes it to a new file.
     *
     * @return the file's full path
     * @throws Failure where it cannot be written
     */
    Path save(Path file) {
        Path path = file.toAbsolutePath().normalize();
        try {
            return Files.writeString(path, asMarkdown(), StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException there) {
            throw new Failure(path + " is there already (expected: a new file)", 1);
        } catch (IOException problem) {
            throw new Failure(path + " cannot be written: " + FileFaults.reason(problem), 1);
        }
    }

    /** As Markdown, for people to read; what a server's chats are imported from, too. */
    String asMarkdown() {
        StringBuilder text = new StringBuilder();
        if (!system.isEmpty()) {
            MarkdownChat.section(text, "system", system);
        }
        for (Message message : messages) {
            MarkdownChat.section(text, message.role(), message.content().strip());
        }
        return text.toString().stripLeading();
    }
}
