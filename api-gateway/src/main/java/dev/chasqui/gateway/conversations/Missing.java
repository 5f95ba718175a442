package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.requests.RequestError;

/** What is said of things that are not there. */
final class Missing {
    private Missing() {}

    static RequestError conversation() {
        return RequestError.http(404, "There is no such conversation.", "conversation_not_found", null);
    }

    static RequestError message() {
        return RequestError.http(404, "There is no such message in this conversation.", "message_not_found", null);
    }
}
