package dev.chasqui.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files by which Chasqui is deployed, read as the tools read them that they are for. */
final class DeploymentFiles {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)(?:(:[-?])([^}]*))?}");

    private DeploymentFiles() {}

    /** The documents of a YAML file, with keys that must not come twice. */
    static List<JsonNode> yaml(String path) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        List<JsonNode> documents = new ArrayList<>();
        for (Object document : new Yaml(new SafeConstructor(options)).loadAll(text(path))) {
            documents.add(JsonMapper.shared().valueToTree(document));
        }
        return documents;
    }

    /** A Compose file with its variables filled in. */
    static JsonNode compose(String path, Map<String, String> variables) {
        return filledIn(yaml(path).get(0), variables);
    }

    /** The variables that {@code .env.example} names, with the values that are there. */
    static Map<String, String> environmentExample() {
        Map<String, String> variables = new HashMap<>();
        for (String line : text(".env.example").split("\n")) {
            if (!line.isBlank() && !line.startsWith("#")) {
                int equals = line.indexOf('=');
                variables.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return variables;
    }

    /** Every variable that a file's text refers to. */
    static List<String> variablesOf(String path) {
        return VARIABLE.matcher(text(path))
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
    }

    static String text(String path) {
        try {
            return Files.readString(Launched.ROOT.resolve(path));
        } catch (IOException absent) {
            throw new UncheckedIOException(absent);
        }
    }

    static Path path(String path) {
        return Launched.ROOT.resolve(path);
    }

    private static JsonNode filledIn(JsonNode node, Map<String, String> variables) {
        String text = node.toString();
        Matcher matcher = VARIABLE.matcher(text);
        return JsonMapper.shared().readTree(matcher.replaceAll(found -> {
            String value = variables.getOrDefault(found.group(1), "");
            if (value.isEmpty() && ":?".equals(found.group(2))) {
                throw new IllegalStateException(found.group(1) + " is not set");
            }
            String filled = value.isEmpty() && found.group(3) != null ? found.group(3) : value;
            return Matcher.quoteReplacement(filled);
        }));
    }
}
