package dev.chasqui.node.store;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Reads catalogue files, lays one over the other, and checks every field. */
final class CatalogueReader {
    /** A file's content and what messages call it. */
    record Source(String name, String json) {}

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final Set<String> TOP_FIELDS = Set.of("models", "default_models");
    private static final Set<String> ENTRY_FIELDS = Set.of(
            "id",
            "name",
            "file_name",
            "sources",
            "sha256",
            "size",
            "ctx_window",
            "template",
            "stop_sequences",
            "defaults",
            "gpu_layers",
            "keep_alive",
            "licence");
    private static final Set<String> DEFAULT_FIELDS = Set.of(
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "typical_p",
            "repeat_penalty",
            "frequency_penalty",
            "presence_penalty",
            "penalty_last_n",
            "max_tokens");
    private static final int MAX_STOPS = 16;

    private CatalogueReader() {}

    static Catalogue read(List<Source> files) {
        Map<String, ObjectNode> merged = new LinkedHashMap<>();
        Map<String, CatalogueEntry> entries = new LinkedHashMap<>();
        List<String> defaults = List.of();
        for (Source file : files) {
            Fields top = new Fields(file.name(), parse(file), TOP_FIELDS);
            mergeEntries(file, top, merged)
                    .forEach((id, node) ->
                            entries.put(id, entry(new Fields(file.name() + ": " + id, node, ENTRY_FIELDS))));
            if (top.has("default_models")) {
                defaults = defaults(top, entries.keySet());
            }
            refuseSharedFiles(file, entries);
        }
        return new Catalogue(entries, defaults);
    }

    private static ObjectNode parse(Source file) {
        try {
            if (JSON.readTree(file.json()) instanceof ObjectNode object) {
                return object;
            }
            throw new BadCatalogue(file.name() + ": (expected: a JSON object with \"models\")");
        } catch (JacksonException e) {
            TokenStreamLocation at = e.getLocation();
            String where = at == null ? "" : ": line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw new BadCatalogue(file.name() + where + ": " + message(e) + " (expected: JSON)");
        }
    }

    /** Without what Jackson says of where an object began that does not end. */
    private static String message(JacksonException e) {
        return String.valueOf(e.getOriginalMessage()).replaceAll(" \\(start marker at .*", "");
    }

    /** Returns the entries that this file names, laid over those of earlier files. */
    private static Map<String, ObjectNode> mergeEntries(Source file, Fields top, Map<String, ObjectNode> merged) {
        Map<String, ObjectNode> named = new LinkedHashMap<>();
        int index = 0;
        for (JsonNode node : top.array("models")) {
            String where = file.name() + ": models[" + index++ + "]";
            if (!(node instanceof ObjectNode object)) {
                throw new BadCatalogue(where + ": " + Fields.shown(node) + " (expected: an object)");
            }
            String id = new Fields(where, object, ENTRY_FIELDS).name("id");
            ObjectNode base = merged.get(id);
            ObjectNode entry = base == null ? object : laidOver(base, object);
            if (named.put(id, entry) != null) {
                throw new BadCatalogue(where + ": id: " + id + " (expected: an id that no other entry has)");
            }
        }
        merged.putAll(named);
        return named;
    }

    private static ObjectNode laidOver(ObjectNode base, ObjectNode over) {
        ObjectNode result = base.deepCopy();
        if (over.has("sources") || over.has("file_name")) {
            // What was known of the old file says nothing about the new one.
            result.remove(List.of("sha256", "size"));
        }
        result.setAll(over);
        return result;
    }

    private static CatalogueEntry entry(Fields fields) {
        String fileName = fields.text("file_name", 255);
        if (!FileNames.isGgufName(fileName)) {
            throw fields.bad("file_name", "a plain file name ending in .gguf");
        }
        String sha256 = fields.optionalText("sha256", 64);
        if (sha256 != null && !sha256.matches("[0-9a-f]{64}")) {
            throw fields.bad("sha256", "64 lower-case hexadecimal digits");
        }
        return new CatalogueEntry(
                fields.name("id"),
                fields.text("name", 200),
                fileName,
                sources(fields),
                sha256,
                fields.optionalWhole("size", 1, Long.MAX_VALUE),
                (int) fields.whole("ctx_window", 0, Integer.MAX_VALUE, 0),
                fields.optionalText("template", 200_000),
                stopSequences(fields),
                defaults(fields),
                (int) fields.whole("gpu_layers", -1, 100_000, -1),
                fields.optionalNumber("keep_alive", -1, 1_000_000_000),
                fields.text("licence", 200));
    }

    private static List<ModelSource> sources(Fields fields) {
        List<ModelSource> sources = new ArrayList<>();
        for (JsonNode node : fields.array("sources")) {
            try {
                sources.add(ModelSource.parse(node.isString() ? node.stringValue() : node.toString()));
            } catch (IllegalArgumentException e) {
                throw new BadCatalogue(fields.where() + ": sources[" + sources.size() + "]: " + e.getMessage());
            }
        }
        if (sources.isEmpty()) {
            throw fields.bad("sources", "at least one of " + ModelSource.EXPECTED);
        }
        return sources;
    }

    private static List<String> stopSequences(Fields fields) {
        if (!fields.has("stop_sequences")) {
            return List.of();
        }
        List<String> stops = new ArrayList<>();
        for (JsonNode node : fields.array("stop_sequences")) {
            if (!node.isString()
                    || node.stringValue().isEmpty()
                    || node.stringValue().length() > 1024
                    || stops.size() == MAX_STOPS) {
                throw fields.bad("stop_sequences", "at most " + MAX_STOPS + " texts of 1 to 1024 characters");
            }
            stops.add(node.stringValue());
        }
        return stops;
    }

    private static SamplingDefaults defaults(Fields entry) {
        if (!entry.has("defaults")) {
            return SamplingDefaults.NONE;
        }
        Fields fields = entry.object("defaults", DEFAULT_FIELDS);
        Double repeatPenalty = fields.optionalNumber("repeat_penalty", 0, 10);
        if (repeatPenalty != null && repeatPenalty == 0) {
            throw fields.bad("repeat_penalty", "above 0 to 10");
        }
        return new SamplingDefaults(
                fields.optionalNumber("temperature", 0, 100),
                fields.optionalInt("top_k", 0),
                fields.optionalNumber("top_p", 0, 1),
                fields.optionalNumber("min_p", 0, 1),
                fields.optionalNumber("typical_p", 0, 1),
                repeatPenalty,
                fields.optionalNumber("frequency_penalty", -2, 2),
                fields.optionalNumber("presence_penalty", -2, 2),
                fields.optionalInt("penalty_last_n", -1),
                fields.optionalInt("max_tokens", 1));
    }

    private static List<String> defaults(Fields top, Set<String> ids) {
        List<String> defaults = new ArrayList<>();
        for (JsonNode node : top.array("default_models")) {
            if (!node.isString() || !ids.contains(node.stringValue())) {
                throw new BadCatalogue(top.where() + ": default_models[" + defaults.size() + "]: " + Fields.shown(node)
                        + " (expected: the id of an entry)");
            }
            defaults.add(node.stringValue());
        }
        return defaults;
    }

    /** Two entries with one file would overwrite each other's downloads. */
    private static void refuseSharedFiles(Source file, Map<String, CatalogueEntry> entries) {
        Map<String, String> owners = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (CatalogueEntry entry : entries.values()) {
            String owner = owners.putIfAbsent(entry.fileName(), entry.id());
            if (owner != null) {
                throw new BadCatalogue(file.name() + ": " + entry.id() + ": file_name: " + entry.fileName()
                        + " (expected: another than that of " + owner + ")");
            }
        }
    }

    /** The fields of one JSON object, each read with its rule; {@code where} begins every message. */
    private record Fields(String where, ObjectNode node) {
        Fields(String where, ObjectNode node, Set<String> known) {
            this(where, node);
            for (String field : node.propertyNames()) {
                if (!known.contains(field)) {
                    throw new BadCatalogue(where + ": " + FileNames.shown(field) + " (expected: one of "
                            + known.stream().sorted().toList() + ")");
                }
            }
        }

        boolean has(String field) {
            return node.hasNonNull(field);
        }

        static String shown(@Nullable JsonNode value) {
            return value == null ? "missing" : FileNames.shown(value.toString());
        }

        BadCatalogue bad(String field, String expected) {
            return new BadCatalogue(
                    where + ": " + field + ": " + shown(node.get(field)) + " (expected: " + expected + ")");
        }

        String name(String field) {
            String value = text(field, 100);
            if (!value.matches("[A-Za-z0-9][A-Za-z0-9._-]*") || !FileNames.isModelName(value)) {
                throw bad(field, "letters, digits, '.', '_' and '-'");
            }
            return value;
        }

        String text(String field, int maxLength) {
            String value = optionalText(field, maxLength);
            if (value == null || value.isBlank()) {
                throw bad(field, "text");
            }
            return value;
        }

        @Nullable
        String optionalText(String field, int maxLength) {
            if (!has(field)) {
                return null;
            }
            JsonNode value = node.get(field);
            if (!value.isString() || value.stringValue().length() > maxLength) {
                throw bad(field, "text of at most " + maxLength + " characters");
            }
            return value.stringValue();
        }

        long whole(String field, long min, long max, long absent) {
            Long value = optionalWhole(field, min, max);
            return value == null ? absent : value;
        }

        @Nullable
        Integer optionalInt(String field, int min) {
            Long value = optionalWhole(field, min, Integer.MAX_VALUE);
            return value == null ? null : value.intValue();
        }

        @Nullable
        Long optionalWhole(String field, long min, long max) {
            if (!has(field)) {
                return null;
            }
            JsonNode value = node.get(field);
            if (!value.isIntegralNumber()
                    || !value.canConvertToLong()
                    || value.longValue() < min
                    || value.longValue() > max) {
                throw bad(field, "a whole number from " + min + (max == Long.MAX_VALUE ? "" : " to " + max));
            }
            return value.longValue();
        }

        @Nullable
        Double optionalNumber(String field, double min, double max) {
            if (!has(field)) {
                return null;
            }
            JsonNode value = node.get(field);
            if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
                throw bad(field, "%s to %s".formatted(plain(min), plain(max)));
            }
            return value.doubleValue();
        }

        private static String plain(double bound) {
            return Long.toString((long) bound);
        }

        Iterable<JsonNode> array(String field) {
            JsonNode value = node.get(field);
            if (value == null && field.equals("models")) {
                // A user's file may change nothing but the list of defaults.
                return List.of();
            }
            if (value == null || !value.isArray()) {
                throw bad(field, "a list");
            }
            return value;
        }

        Fields object(String field, Set<String> known) {
            if (!(node.get(field) instanceof ObjectNode object)) {
                throw bad(field, "an object");
            }
            return new Fields(where + ": " + field, object, known);
        }
    }
}
