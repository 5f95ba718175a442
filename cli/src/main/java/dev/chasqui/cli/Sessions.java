package dev.chasqui.cli;

import dev.chasqui.node.store.FileFaults;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The sessions that this user has, by the address of the server that gave them, in a file that only he can read. */
final class Sessions {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Path file;

    Sessions(Path file) {
        this.file = file;
    }

    /**
     * One of them.
     *
     * @param expiresAt as the server said it; null: it said nothing
     */
    record Session(String token, String email, @Nullable String expiresAt) {
        /** No tokens in messages. */
        @Override
        public String toString() {
            return "Session[" + email + "]";
        }
    }

    /** @throws Failure where the file cannot be understood */
    Optional<Session> at(URI server) {
        JsonNode kept = read().path(server.toString());
        return kept.isMissingNode() ? Optional.empty() : Optional.of(session(kept));
    }

    /** In place of the one that was there. */
    void put(URI server, Session session) {
        ObjectNode all = read();
        all.putObject(server.toString())
                .put("token", session.token())
                .put("email", session.email())
                .put("expires_at", session.expiresAt());
        write(all);
    }

    void remove(URI server) {
        ObjectNode all = read();
        if (all.remove(server.toString()) != null) {
            write(all);
        }
    }

    private Session session(JsonNode kept) {
        String token = kept.path("token").asString("");
        if (token.isEmpty()) {
            throw damaged();
        }
        String expiresAt = kept.path("expires_at").asString("");
        return new Session(token, kept.path("email").asString(""), expiresAt.isEmpty() ? null : expiresAt);
    }

    private ObjectNode read() {
        try {
            if (JSON.readTree(Files.readString(file)) instanceof ObjectNode all) {
                return all;
            }
            throw damaged();
        } catch (NoSuchFileException none) {
            return JsonNodeFactory.instance.objectNode();
        } catch (JacksonException | CharacterCodingException odd) {
            throw damaged();
        } catch (IOException problem) {
            throw new Failure(file + " cannot be read: " + FileFaults.reason(problem), 1);
        }
    }

    /** What cannot be understood may hold sessions that somebody wants to save, so it is left as it is. */
    private Failure damaged() {
        return new Failure(
                file + ": is damaged (expected: JSON as chasqui session login writes it;"
                        + " remove the file and sign in again)",
                1);
    }

    private void write(ObjectNode all) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            SecretFile.replace(file, all.toPrettyString() + "\n", SecretFile.PRIVATE);
        } catch (IOException problem) {
            throw new Failure(file + " cannot be written: " + FileFaults.reason(problem), 1);
        }
    }
}
