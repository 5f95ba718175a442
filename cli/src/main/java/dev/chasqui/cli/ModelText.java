package dev.chasqui.cli;

import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Models as people read them. */
final class ModelText {
    private ModelText() {}

    /**
     * A table, one line for each model; what is on disk first, and at its end why some failed. Columns that say least are left out where lines are short.
     *
     * @param width of a line; 0: no line is too long
     */
    static String table(JsonNode models, int width) {
        Table table = new Table(List.of(
                new Table.Column("NAME"),
                new Table.Column("SIZE").right(),
                new Table.Column("TYPE").leftOut(2),
                new Table.Column("STATE"),
                new Table.Column("MODIFIED").leftOut(1)));
        models.valueStream()
                .filter(model -> !isAbsent(model))
                .map(ModelText::row)
                .forEach(table::row);
        models.valueStream().filter(ModelText::isAbsent).map(ModelText::row).forEach(table::row);
        StringBuilder text = new StringBuilder(table.text(width));
        models.valueStream()
                .filter(model -> !model.path("reason").asString("").isEmpty())
                .forEach(model -> text.append(why(model)));
        return text.toString();
    }

    private static String why(JsonNode model) {
        return "\n" + model.path("name").asString("") + " "
                + model.path("state").asString("") + ": "
                + model.path("reason").asString("") + "\n";
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
            case "absent" -> {
                String here = size(model.path("bytes_done").asLong(0));
                yield here.isEmpty() ? "to be pulled" : "to be pulled, " + here + " are here";
            }
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

    /**
     * What is known of one, a line each.
     *
     * @param width of a line; 0: no line is too long
     */
    static String details(JsonNode model, int width) {
        LabelledText text = new LabelledText(width);
        text.line("name", model.path("name").asString(""));
        text.line("state", state(model));
        text.line("reason", model.path("reason").asString(""));
        text.line("file", model.path("file_name").asString(""));
        text.line("size", size(model.path("size_bytes").asLong(0)));
        text.line("type", model.path("quantization").asString(""));
        text.line("architecture", model.path("architecture").asString(""));
        text.line("parameters", millions(model.path("parameters").asLong(0)));
        text.line("context", tokens(model));
        text.line("memory", size(model.path("memory_bytes").asLong(0)));
        if (model.path("slow_with_many").asBoolean(false)) {
            text.line(
                    "speed",
                    slow(
                            model.path("quantization").asString(""),
                            model.path("name").asString("")));
        }
        text.line("licence", model.path("licence").asString(""));
        text.line("sha256", model.path("sha256").asString(""));
        return text.toString();
    }

    /** Of a type that is slow with many. */
    static String slow(String type, String name) {
        return "this processor has no kernel for " + type
                + " that computes many sequences at once; chasqui model optimize " + name
                + " makes a file that is quicker for several";
    }

    private static String tokens(JsonNode model) {
        long here = model.path("context_tokens").asLong(0);
        long trained = model.path("trained_context_tokens").asLong(0);
        if (here == 0) {
            return trained == 0 ? "" : trained + " tokens";
        }
        return here + " tokens for a sequence here, trained for " + trained;
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
