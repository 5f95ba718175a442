package dev.chasqui.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** The configuration file of this run: the one that was named, else {@code application.yaml} in CHASQUI_HOME if it is there. */
final class Configuration implements Supplier<Map<String, String>> {
    static final String FILE = "application.yaml";

    private final Map<String, String> environment;
    private final List<String> arguments;
    private final Supplier<CommandLine> program;
    private @Nullable Map<String, String> values;

    /**
     * @param arguments of the program, which may name the file: it is read before they are understood
     * @param program for the names that a file may use
     */
    Configuration(Map<String, String> environment, List<String> arguments, Supplier<CommandLine> program) {
        this.environment = environment;
        this.arguments = arguments;
        this.program = program;
    }

    /** @throws Failure where the file that was named is not there, or says something that it cannot */
    @Override
    public Map<String, String> get() {
        if (values == null) {
            values = read();
            for (String key : ConfigKeys.OTHERS.keySet()) {
                String value = values.get(key);
                String variable = "CHASQUI_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
                if (value != null && environment.getOrDefault(variable, "").isBlank()) {
                    System.setProperty("chasqui." + key, value);
                }
            }
        }
        return values;
    }

    private Map<String, String> read() {
        Path named = named();
        Path path = named == null ? ChasquiHome.of(environment).folder().resolve(FILE) : named;
        if (named == null && !Files.exists(path)) {
            return new LinkedHashMap<>();
        }
        ConfigFile file = ConfigFile.read(path);
        List<ConfigFile.Problem> problems = ConfigCheck.names(file, new ConfigKeys(program.get()));
        if (!problems.isEmpty()) {
            throw new Failure(ConfigCheck.text(path, problems), 2);
        }
        return file.values();
    }

    private @Nullable Path named() {
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.startsWith("--config=")) {
                return Path.of(argument.substring("--config=".length()));
            }
            if (argument.equals("--config") && i + 1 < arguments.size()) {
                return Path.of(arguments.get(i + 1));
            }
        }
        String variable = environment.getOrDefault("CHASQUI_CONFIG", "");
        return variable.isBlank() ? null : Path.of(variable.strip());
    }
}
