package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.requests.RequestError;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Responses in memory, for those who ask for them again: bounded, the oldest out first. The event loop owns it.
 *
 * <p>Whoever knows a response's name may read it, so the names cannot be guessed.
 */
final class ResponseStore {
    private static final int ID_BYTES = 24;

    private final int most;
    private final long mostBytes;
    private final Map<String, Response> responses = new LinkedHashMap<>();
    private final SecureRandom random = new SecureRandom();

    /**
     * @param most responses at once
     * @param mostBytes of all of them, about
     */
    ResponseStore(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
    }

    String newId() {
        byte[] id = new byte[ID_BYTES];
        random.nextBytes(id);
        return "resp_" + HexFormat.of().formatHex(id);
    }

    void put(Response response) {
        responses.put(response.id(), response);
        trim();
    }

    /** Null where there is none of that name. */
    @Nullable
    Response find(String id) {
        return responses.get(id);
    }

    /** @throws RequestError where there is none of that name */
    Response get(String id) {
        Response found = find(id);
        if (found == null) {
            throw unknown("There is no response of that name; it may have been forgotten.");
        }
        return found;
    }

    /** An item of the output of one of them; null where there is none of that name. */
    @Nullable
    ResponseItem item(String id) {
        for (Response response : responses.values()) {
            for (ResponseItem item : response.items()) {
                if (item.id.equals(id)) {
                    return item;
                }
            }
        }
        return null;
    }

    /** @throws RequestError where there is none of that name */
    void remove(String id) {
        get(id).cancel();
        responses.remove(id);
    }

    /** One has grown, or is new: forgets the oldest that are too many. */
    void trim() {
        long bytes = responses.values().stream().mapToLong(Response::bytes).sum();
        Iterator<Response> oldest = responses.values().iterator();
        while (responses.size() > 1 && (responses.size() > most || bytes > mostBytes)) {
            Response response = oldest.next();
            bytes -= response.bytes();
            oldest.remove();
        }
    }

    static RequestError unknown(String message) {
        return RequestError.http(404, message, "response_not_found", null);
    }
}
