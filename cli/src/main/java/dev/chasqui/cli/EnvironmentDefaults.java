package dev.chasqui.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Takes what no flag says from the environment: {@code --models-path} is also {@code CHASQUI_MODELS_PATH}, and a few have
 * a second name that other servers use. An empty variable counts as absent.
 */
final class EnvironmentDefaults implements IDefaultValueProvider {

    private static final Map<String, List<String>> OTHER_NAMES = Map.of(
            "--port", List.of("API_PORT"),
            "--api-keys", List.of("CHASQUI_API_KEY"),
            "--cors-origins", List.of("CORS_ORIGINS"),
            "--ctx", List.of("N_CTX"),
            "--threads", List.of("NUM_THREADS"),
            "--log-level", List.of("LOG_LEVEL"),
            "--database-url", List.of("DATABASE_URL"),
            "--max-history-messages", List.of("MAX_HISTORY_MESSAGES"));

    private final Map<String, String> environment;

    EnvironmentDefaults(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option)) {
            return null;
        }
        String own = value(
                "CHASQUI_" + option.longestName().substring(2).replace('-', '_').toUpperCase(Locale.ROOT));
        if (own != null) {
            return own;
        }
        return OTHER_NAMES.getOrDefault(option.longestName(), List.of()).stream()
                .map(this::value)
                .filter(value -> value != null)
                .findFirst()
                .orElse(null);
    }

    private @Nullable String value(String name) {
        String value = environment.get(name);
        return value == null || value.isBlank() ? null : value.strip();
    }
}
