package dev.chasqui.cli;

import java.net.URI;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** Accounts as people read them. */
final class AccountText {
    private AccountText() {}

    /** Its address, with the name that it has besides. */
    static String name(JsonNode account) {
        String email = Terminals.printable(account.path("email").asString(""));
        String name = Terminals.printable(account.path("name").asString(""));
        return name.isEmpty() || name.equals(email) ? email : email + " (" + name + ")";
    }

    /**
     * Who asks, a line each.
     *
     * @param me as {@code /api/auth/me} says it
     * @param width of a line; 0: no line is too long
     */
    static String details(URI server, JsonNode me, int width) {
        JsonNode account = me.path("account");
        return new LabelledText(width)
                .line("server", server.toString())
                .line("account", name(account))
                .line("role", account.path("role").asString(""))
                .line("signed in by", signedInBy(me))
                .line(
                        "may use",
                        me.path("scopes").valueStream().map(JsonNode::asString).collect(Collectors.joining(", ")))
                .toString();
    }

    private static String signedInBy(JsonNode me) {
        String by = me.path("signed_in_by").asString("");
        return switch (by) {
            case "session" -> "a session, " + KeyText.until(me.path("expires_at"));
            case "key" -> "the key " + KeyText.name(me.path("key"));
            case "operator_key" -> "the operator's key";
            case "nothing" -> "nothing, as the server asks nobody who he is";
            default -> by;
        };
    }
}
