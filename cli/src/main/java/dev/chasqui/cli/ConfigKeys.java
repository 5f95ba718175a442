package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;

import dev.chasqui.node.store.Spelling;
import java.util.LinkedHashMap;
import java.util.List;
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

    boolean takesSeveral(String key) {
        OptionSpec option = options.get(key);
        return option == null ? key.equals("aliases") : option.isMultiValue();
    }

    /** The known key that is spelled most like it; empty where none is near. */
    String nearest(String key) {
        return Spelling.nearest(key, options.keySet());
    }
}
