package dev.chasqui.gateway.rest;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.springframework.web.util.HtmlUtils;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The description of all dialects as a page to read: one section for each dialect, and every operation to unfold. Plain
 * HTML without script or style, so that the strictest content policy lets it be.
 */
final class DescriptionPage {
    private final JsonNode description;
    private final StringBuilder html = new StringBuilder(64 * 1024);

    private DescriptionPage(JsonNode description) {
        this.description = description;
    }

    /** @param openApi the description in JSON */
    static byte[] of(byte[] openApi) {
        return new DescriptionPage(JsonMapper.shared().readTree(openApi))
                .write()
                .getBytes(StandardCharsets.UTF_8);
    }

    private String write() {
        html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
                .append("<meta name=\"color-scheme\" content=\"light dark\"><title>Chasqui: the interface</title>")
                .append("</head><body><main><h1>The interface</h1>");
        element("p", description.at("/info/description").asString());
        html.append("<p>For programs: <a href=\"/openapi.json\">openapi.json</a></p>");
        for (JsonNode tag : description.get("tags")) {
            String name = tag.get("name").asString();
            element("h2", name);
            element("p", tag.get("description").asString());
            for (Map.Entry<String, JsonNode> path : description.get("paths").properties()) {
                for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
                    if (method.getValue().at("/tags/0").asString().equals(name)) {
                        operation(method.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey(), method.getValue());
                    }
                }
            }
        }
        return html.append("</main></body></html>").toString();
    }

    private void operation(String title, JsonNode operation) {
        html.append("<details><summary><code>")
                .append(escaped(title))
                .append("</code> ")
                .append(escaped(operation.get("summary").asString()))
                .append("</summary>");
        JsonNode body = operation.at("/requestBody/content/application~1json");
        if (body.isObject()) {
            element("h3", "Request");
            fields(body.get("schema"));
            element("pre", body.get("example").toPrettyString());
        }
        element("h3", "Answer");
        for (Map.Entry<String, JsonNode> content :
                operation.at("/responses/200/content").properties()) {
            element("p", content.getKey());
            fields(content.getValue().get("schema"));
            if (content.getValue().has("example")) {
                element("pre", content.getValue().get("example").asString());
            }
        }
        html.append("</details>");
    }

    /** The fields of an object, with those of objects in it unfolded by their names. */
    private void fields(JsonNode schema) {
        html.append("<dl>");
        fields("", schema);
        html.append("</dl>");
    }

    private void fields(String prefix, JsonNode reference) {
        JsonNode schema = reference.has("$ref")
                ? description.at(reference.get("$ref").asString().substring(1))
                : reference;
        schema.path("allOf").forEach(part -> fields(prefix, part));
        for (Map.Entry<String, JsonNode> field : schema.path("properties").properties()) {
            String name = prefix + field.getKey();
            html.append("<dt><code>").append(escaped(name)).append("</code></dt>");
            element("dd", words(field.getValue()));
            JsonNode inner = field.getValue().path("items");
            fields(inner.isObject() ? name + "[]." : name + ".", inner.isObject() ? inner : field.getValue());
        }
    }

    /** What a field takes, in a line. */
    private static String words(JsonNode schema) {
        StringBuilder words = new StringBuilder(schema.path("type").asString(""));
        if (schema.has("enum")) {
            words.append(": ");
            schema.get("enum").forEach(word -> words.append(word.asString()).append(", "));
            words.setLength(words.length() - 2);
        }
        if (schema.has("minimum")) {
            words.append(", ").append(schema.get("minimum")).append(" or more");
        }
        if (schema.has("maximum")) {
            words.append(", at most ").append(schema.get("maximum"));
        }
        if (schema.has("description")) {
            words.append(words.isEmpty() ? "" : ". ")
                    .append(schema.get("description").asString());
        }
        return words.toString();
    }

    private void element(String name, String text) {
        html.append('<').append(name).append('>').append(escaped(text));
        html.append("</").append(name).append('>');
    }

    private static String escaped(String text) {
        return HtmlUtils.htmlEscape(text, "UTF-8");
    }
}
