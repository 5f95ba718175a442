package dev.chasqui.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Models as people read them. */
final class ModelText {
    private static final List<String> HEADINGS = List.of("NAME", "SIZE", "TYPE", "STATE", "MODIFIED");

    private ModelText() {}

    /** A table, one line for each model; what is on disk first. */
    static String table(JsonNode models) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        models.valueStream()
                .filter(model -> !isAbsent(model))
                .map(ModelText::row)
                .forEach(rows::add);
        models.valueStream().filter(ModelText::isAbsent).map(ModelText::row).forEach(rows::add);
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String cell = row.get(i);
                String space = " ".repeat(widths[i] - cell.length());
                line.append(i == 1 ? space + cell : cell + space).append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private static boolean isAbsent(JsonNode model) {
        return model.path("state").asString("").equals("absent");
    }

    private static List<String> row(JsonNode model) {
        String modified = model.path("last_modified").asString("");
        return List.of(
                model.path("name").asString("") + (model.path("is_default").asBoolean(false) ? " *" : ""),
                size(model.path("size_bytes").asLong(0)),
                model.path("quantization").asString(""),
                state(model),
                modified.length() >= 10 ? modified.substring(0, 10) : "");
    }

    private static String state(JsonNode model) {
        return switch (model.path("state").asString("")) {
            case "absent" -> "to be pulled";
            case "on_disk" -> model.path("heat").asString("").equals("warm") ? "on disk, warm" : "on disk";
            case "ready" -> "in memory";
            case "downloading", "loading" ->
                String.format(
                        Locale.ROOT,
                        "%s %.0f %%",
                        model.path("state").asString(""),
                        100 * model.path("progress").asDouble(0));
            default -> model.path("state").asString("");
        };
    }

    /** What is known of one, a line each. */
    static String details(JsonNode model) {
        StringBuilder text = new StringBuilder();
        line(text, "name", model.path("name").asString(""));
        line(text, "state", state(model));
        line(text, "reason", model.path("reason").asString(""));
        line(text, "file", model.path("file_name").asString(""));
        line(text, "size", size(model.path("size_bytes").asLong(0)));
        line(text, "type", model.path("quantization").asString(""));
        line(text, "architecture", model.path("architecture").asString(""));
        line(text, "parameters", millions(model.path("parameters").asLong(0)));
        line(text, "context", tokens(model));
        line(text, "memory", size(model.path("memory_bytes").asLong(0)));
        line(text, "licence", model.path("licence").asString(""));
        line(text, "sha256", model.path("sha256").asString(""));
        return text.toString();
    }

    private static String tokens(JsonNode model) {
        long here = model.path("context_tokens").asLong(0);
        long trained = model.path("trained_context_tokens").asLong(0);
        if (here == 0) {
            return trained == 0 ? "" : trained + " tokens";
        }
        return here + " tokens for a sequence here, trained for " + trained;
    }

    private static void line(StringBuilder text, String name, String value) {
        if (!value.isEmpty()) {
            text.append(String.format(Locale.ROOT, "%-13s %s%n", name, value));
        }
    }

    /** Bytes for people; empty for 0. */
    static String size(long bytes) {
        if (bytes == 0) {
            return "";
        }
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }

    private static String millions(long parameters) {
        if (parameters == 0) {
            return "";
        }
        return parameters < 1_000_000_000
                ? String.format(Locale.ROOT, "%.0f million", parameters / 1e6)
                : String.format(Locale.ROOT, "%.1f billion", parameters / 1e9);
    }
}
