package dev.chasqui.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what is wrong in a configuration file, with lines. */
@Command(
        name = "validate",
        description =
                "Looks through a configuration file for wrong names, types and ranges. Exit code 1 where there are any.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ValidateCommand implements Callable<Integer> {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The file. Default: application.yaml in CHASQUI_HOME.")
    @Nullable
    private Path config;

    @Override
    public Integer call() {
        Path path = config == null ? ChasquiHome.of(System.getenv()).folder().resolve(Configuration.FILE) : config;
        ConfigFile file = ConfigFile.read(path);
        List<ConfigFile.Problem> problems = ConfigCheck.all(file);
        if (!problems.isEmpty()) {
            throw new Failure(ConfigCheck.text(path, problems), 1);
        }
        int count = file.entries().size();
        System.out.println(path + ": " + count + (count == 1 ? " setting" : " settings") + ", nothing wrong");
        return 0;
    }
}
