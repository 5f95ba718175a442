package dev.chasqui.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** Keys as people read them. */
final class KeyText {
    private static final int DATE = "2026-12-01".length();
    private static final int MINUTE = "2026-12-01T08:00".length();

    private KeyText() {}

    /**
     * A table, one line for each key.
     *
     * @param owners whether it says whose they are
     * @param width of a line; 0: no line is too long
     */
    static String table(JsonNode keys, boolean owners, int width) {
        List<Table.Column> columns = new ArrayList<>(List.of(
                new Table.Column("ID"),
                new Table.Column("NAME").cut(),
                new Table.Column("HINT").leftOut(5),
                new Table.Column("SCOPES").leftOut(3),
                new Table.Column("LIMITS").leftOut(1),
                new Table.Column("TOKENS").right().leftOut(4),
                new Table.Column("LAST USED").leftOut(2),
                new Table.Column("STATUS").leftOut(7)));
        if (owners) {
            columns.add(2, new Table.Column("OWNER").leftOut(6));
        }
        Table table = new Table(columns);
        keys.valueStream().forEach(key -> table.row(row(key, owners)));
        return table.text(width);
    }

    private static List<String> row(JsonNode key, boolean owner) {
        List<String> row = new ArrayList<>(List.of(
                text(key, "id"),
                text(key, "name"),
                text(key, "hint"),
                scopes(key),
                limits(key),
                String.valueOf(tokens(key)),
                day(key.path("last_used_at"), "never"),
                status(key)));
        if (owner) {
            row.add(2, text(key, "user_id"));
        }
        return row;
    }

    private static long tokens(JsonNode key) {
        JsonNode usage = key.path("usage");
        return usage.path("prompt_tokens").asLong(0)
                + usage.path("completion_tokens").asLong(0);
    }

    private static String status(JsonNode key) {
        String status = text(key, "status");
        return switch (status) {
            case "active" -> day(key.path("expires_at"), "").isEmpty() ? status : until(key.path("expires_at"));
            case "expired" -> "expired " + day(key.path("expires_at"), "");
            case "revoked" -> "revoked " + day(key.path("revoked_at"), "");
            default -> status;
        };
    }

    /**
     * What is known of one, a line each.
     *
     * @param width of a line; 0: no line is too long
     */
    static String details(JsonNode key, int width) {
        JsonNode usage = key.path("usage");
        return new LabelledText(width)
                .line("id", text(key, "id"))
                .line("name", text(key, "name"))
                .line("hint", text(key, "hint"))
                .line("owner", text(key, "user_id"))
                .line("scopes", scopes(key))
                .line("limits", limits(key))
                .line("status", status(key))
                .line("made", minute(key.path("created_at"), ""))
                .line("last used", minute(key.path("last_used_at"), "never"))
                .line("requests", usage.path("requests").asString("0"))
                .line(
                        "tokens",
                        usage.path("prompt_tokens").asString("0") + " of prompts ("
                                + usage.path("cached_tokens").asString("0") + " of them from the cache), "
                                + usage.path("completion_tokens").asString("0") + " of answers")
                .toString();
    }

    /** Its id, with the name that it has besides. */
    static String name(JsonNode key) {
        String name = text(key, "name");
        return text(key, "id") + (name.isEmpty() ? "" : " (" + name + ")");
    }

    static String scopes(JsonNode key) {
        return key.path("scopes").valueStream().map(JsonNode::asString).collect(Collectors.joining(", "));
    }

    /** Empty where it has none of its own. */
    static String limits(JsonNode key) {
        JsonNode limits = key.path("limits");
        List<String> all = new ArrayList<>();
        add(all, limits.path("requests_per_minute"), " requests/min");
        add(all, limits.path("tokens_per_minute"), " tokens/min");
        add(all, limits.path("parallel"), " at once");
        return String.join(", ", all);
    }

    private static void add(List<String> all, JsonNode most, String unit) {
        if (most.isNumber()) {
            all.add(most.asString() + unit);
        }
    }

    static String until(JsonNode time) {
        return time.asString("").isEmpty() ? "never expires" : "until " + day(time, "");
    }

    private static String day(JsonNode time, String never) {
        String written = time.asString("");
        return written.length() < DATE ? never : written.substring(0, DATE);
    }

    private static String minute(JsonNode time, String never) {
        String written = time.asString("");
        return written.length() < MINUTE ? never : written.substring(0, MINUTE).replace('T', ' ') + " UTC";
    }

    private static String text(JsonNode key, String field) {
        return Terminals.printable(key.path(field).asString(""));
    }
}
