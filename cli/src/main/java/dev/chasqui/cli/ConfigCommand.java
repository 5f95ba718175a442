package dev.chasqui.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;

/** Prints a configuration file in which everything is commented out. */
@Command(
        name = "config",
        description = "Prints a configuration file with every setting, its meaning and its default, all commented out.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ConfigCommand implements Callable<Integer> {
    private static final int WIDTH = 100;
    private static final String HEAD = """
            # Chasqui's configuration. Kept as application.yaml in CHASQUI_HOME (default ~/.chasqui), or named with --config.
            # A flag is stronger than its environment variable, that is stronger than this file, and this is stronger than the
            # default. A setting is called like its flag; models-path is --models-path and CHASQUI_MODELS_PATH.
            # chasqui validate finds what is wrong in it.
            """;

    @Override
    public Integer call() {
        System.out.print(text());
        return 0;
    }

    static String text() {
        StringBuilder text = new StringBuilder(HEAD);
        ConfigKeys keys = new ConfigKeys(Main.commandLine(Map.of(), Map::of));
        keys.options().forEach((key, option) -> describe(text, key, description(option), example(option)));
        ConfigKeys.OTHERS.forEach((key, description) -> describe(text, key, description, ""));
        return text.toString();
    }

    private static void describe(StringBuilder text, String key, String description, String example) {
        text.append('\n');
        StringBuilder line = new StringBuilder("#");
        for (String word : description.split(" ")) {
            if (line.length() + word.length() >= WIDTH) {
                text.append(line).append('\n');
                line = new StringBuilder("#");
            }
            line.append(' ').append(word);
        }
        text.append(line).append('\n');
        text.append(("#" + key + ": " + example).stripTrailing()).append('\n');
    }

    private static String description(OptionSpec option) {
        String usual = option.defaultValue() == null ? "" : option.defaultValue();
        return String.join(" ", option.description()).replace("${DEFAULT-VALUE}", usual);
    }

    /** The default where it is a value; else what kind of value it is. */
    private static String example(OptionSpec option) {
        return option.defaultValue() == null ? "" : option.defaultValue();
    }
}
