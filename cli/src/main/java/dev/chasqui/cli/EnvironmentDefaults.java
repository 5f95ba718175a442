package dev.chasqui.cli;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Takes what no flag says from the environment, and what that does not say from the configuration file: {@code --models-path}
 * is also {@code CHASQUI_MODELS_PATH} and {@code models-path:}, and a few variables have a second name that other servers use. An
 * empty variable counts as absent.
 */
final class EnvironmentDefaults implements IDefaultValueProvider {

    private static final Map<String, List<String>> OTHER_NAMES = Map.ofEntries(
            // The page is answered where the API is.
            Map.entry("--port", List.of("API_PORT", "FRONTEND_PORT")),
            Map.entry("--api-keys", List.of("CHASQUI_API_KEY")),
            Map.entry("--cors-origins", List.of("CORS_ORIGINS")),
            Map.entry("--ctx", List.of("N_CTX")),
            Map.entry("--threads", List.of("NUM_THREADS")),
            Map.entry("--max-tokens", List.of("MAX_NEW_TOKENS")),
            Map.entry("--temperature", List.of("TEMPERATURE")),
            Map.entry("--top-p", List.of("TOP_P")),
            Map.entry("--repeat-penalty", List.of("REPETITION_PENALTY")),
            Map.entry("--generation-timeout", List.of("GENERATION_TIMEOUT_S")),
            Map.entry("--database-url", List.of("DATABASE_URL")),
            Map.entry("--max-history-messages", List.of("MAX_HISTORY_MESSAGES")),
            Map.entry("--github-client-id", List.of("GITHUB_CLIENT_ID")),
            Map.entry("--github-client-secret", List.of("GITHUB_CLIENT_SECRET")),
            Map.entry("--github-redirect-uri", List.of("GITHUB_REDIRECT_URI")),
            Map.entry("--github-auth-url", List.of("GITHUB_AUTH_URL")),
            Map.entry("--github-token-url", List.of("GITHUB_TOKEN_URL")),
            Map.entry("--github-api-url", List.of("GITHUB_API_URL")),
            Map.entry("--apple-client-id", List.of("APPLE_CLIENT_ID")),
            Map.entry("--apple-team-id", List.of("APPLE_TEAM_ID")),
            Map.entry("--apple-key-id", List.of("APPLE_KEY_ID")),
            Map.entry("--apple-private-key", List.of("APPLE_PRIVATE_KEY")),
            Map.entry("--apple-client-secret", List.of("APPLE_CLIENT_SECRET")),
            Map.entry("--apple-redirect-uri", List.of("APPLE_REDIRECT_URI")),
            Map.entry("--apple-auth-url", List.of("APPLE_AUTH_URL")),
            Map.entry("--apple-token-url", List.of("APPLE_TOKEN_URL")),
            Map.entry("--apple-keys-url", List.of("APPLE_KEYS_URL")),
            Map.entry("--log-level", List.of("LOG_LEVEL")));

    /** Commands that run a server; others neither want what is written for one, nor stumble over a file that is wrong. */
    private static final Set<String> SERVERS = Set.of("serve", "node", "gateway");

    /** Variables of these names tell what a server grants, and not what a key is to have. */
    private static final Set<String> NOT_OF_KEYS = Set.of("--parallel", "--requests-per-minute", "--tokens-per-minute");

    /** What Kubernetes tells every container of a service called chasqui: {@code CHASQUI_PORT=tcp://10.0.0.1:8080}. */
    private static final Pattern SERVICE_LINK = Pattern.compile("(tcp|udp|sctp)://.*");

    private final Map<String, String> environment;
    private final Supplier<Map<String, String>> file;
    private final Map<OptionSpec, String> sources = new IdentityHashMap<>();
    private final Set<String> passedOver = new TreeSet<>();

    /** @param file the configuration file's values by key, asked for when the first is needed */
    EnvironmentDefaults(Map<String, String> environment, Supplier<Map<String, String>> file) {
        this.environment = environment;
        this.file = file;
    }

    /** The folder that this run of a command keeps things in. */
    static ChasquiHome home(CommandSpec command) {
        return ChasquiHome.of(of(command));
    }

    /** The variables of this run of a command. */
    static Map<String, String> of(CommandSpec command) {
        return command.defaultValueProvider() instanceof EnvironmentDefaults defaults ? defaults.environment : Map.of();
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option) || isOfKey(option)) {
            return null;
        }
        String key = option.longestName().substring(2);
        String variable = "CHASQUI_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
        String own = value(variable);
        String command = option.command().name();
        boolean server = SERVERS.contains(command);
        // What is said of a server's answers is not said of a chat. The doctor says what a server would do.
        if (own != null
                || !(server || command.equals("doctor") || option.longestName().equals("--api-key"))) {
            sources.put(option, variable);
            return own;
        }
        for (String name : OTHER_NAMES.getOrDefault(option.longestName(), List.of())) {
            String other = value(name);
            if (other != null) {
                sources.put(option, name);
                return other;
            }
        }
        sources.put(option, key);
        String model = key.equals("model") ? model() : null;
        return model != null || !server ? model : file.get().get(key);
    }

    private static boolean isOfKey(OptionSpec option) {
        return option.command().userObject() instanceof KeyCreateCommand && NOT_OF_KEYS.contains(option.longestName());
    }

    /** Where its value comes from: a variable, an entry of the file, or else the flag itself. */
    String source(OptionSpec option) {
        return sources.getOrDefault(option, option.longestName());
    }

    /** {@code MODEL_FILENAME} of the hub's {@code MODEL_REPO}; alone, of the models folder. */
    private @Nullable String model() {
        String file = value("MODEL_FILENAME");
        String repository = value("MODEL_REPO");
        return file == null || repository == null ? file : "hf:" + repository + "/" + file;
    }

    private @Nullable String value(String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            return null;
        }
        if (name.endsWith("_PORT") && SERVICE_LINK.matcher(value.strip()).matches()) {
            passedOver.add(name);
            return null;
        }
        return value.strip();
    }

    /** Variables that were asked for and count as none, as they tell of a service and name no port to take. */
    Set<String> passedOver() {
        return Set.copyOf(passedOver);
    }
}
