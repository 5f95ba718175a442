package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What a configuration file may say: every option of the commands that run a server, and a few settings without a flag. */
final class ConfigKeys {
    /** Commands in the order in which their options are told. */
    static final List<String> COMMANDS = List.of("serve", "node", "gateway");

    /** Without a flag: what Spring reads for the gateway. */
    static final Map<String, String> OTHERS = orderedOthers();

    private static final Set<String> NOT_FOR_FILES = Set.of("help", "version", "config", "supervised");

    private final Map<String, OptionSpec> options = new LinkedHashMap<>();

    ConfigKeys(CommandLine program) {
        for (String name : COMMANDS) {
            CommandSpec command =
                    requireNonNull(program.getSubcommands().get(name)).getCommandSpec();
            for (OptionSpec option : command.options()) {
                String key = option.longestName().substring(2);
                if (!NOT_FOR_FILES.contains(key)) {
                    options.putIfAbsent(key, option);
                }
            }
        }
    }

    private static Map<String, String> orderedOthers() {
        Map<String, String> others = new LinkedHashMap<>();
        others.put("aliases", "More names of models, PATTERN=MODEL each, such as my-*=phi-2.");
        others.put(
                "reasoning-field", "Where OpenAI's dialect puts a model's thoughts: reasoning_content or reasoning.");
        return others;
    }

    /** By key, in the order of the commands' help. */
    Map<String, OptionSpec> options() {
        return options;
    }

    boolean knows(String key) {
        return options.containsKey(key) || OTHERS.containsKey(key);
    }

    /** The known key that is spelled most like it; empty where none is near. */
    String nearest(String key) {
        String best = "";
        int least = Math.max(2, key.length() / 3) + 1;
        for (String known : options.keySet()) {
            int distance = distance(key.replace('_', '-').toLowerCase(Locale.ROOT), known);
            if (distance < least) {
                least = distance;
                best = known;
            }
        }
        return best;
    }

    /** How many letters have to be put in, taken out or changed. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = corner + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                corner = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
