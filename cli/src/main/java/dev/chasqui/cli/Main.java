package dev.chasqui.cli;

import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program. Exit codes: 0 done, 1 failed, 2 asked for something that cannot be. */
@Command(
        name = "chasqui",
        description = "Private LLM serving: models on your own machine, answered over HTTP and gRPC.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Each option is also an environment variable: --models-path is CHASQUI_MODELS_PATH.",
            "Everything is kept in CHASQUI_HOME (default ~/.chasqui)."
        },
        subcommands = {
            ServeCommand.class,
            NodeCommand.class,
            GatewayCommand.class,
            CertificatesCommand.class,
            SpecCommand.class,
            RehearseCommand.class
        })
public final class Main implements Runnable {

    @Spec
    private CommandSpec spec;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(commandLine(System.getenv()).execute(arguments));
    }

    static CommandLine commandLine(Map<String, String> environment) {
        return new CommandLine(new Main())
                .setDefaultValueProvider(new EnvironmentDefaults(environment))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((problem, given) -> say(problem))
                .setExecutionExceptionHandler((problem, command, given) -> say(problem, command));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: chasqui serve, node, gateway or spec.");
    }

    private static int say(ParameterException problem) {
        CommandLine command = problem.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("chasqui: " + problem.getMessage());
        err.println("See " + command.getCommandSpec().qualifiedName() + " --help.");
        return CommandLine.ExitCode.USAGE;
    }

    private static int say(Exception problem, CommandLine command) throws Exception {
        if (!(problem instanceof Failure failure)) {
            throw problem;
        }
        command.getErr().println("chasqui: " + failure.getMessage());
        return failure.exitCode();
    }

    /** The version that the jar's manifest names. */
    static final class Version implements IVersionProvider {

        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"chasqui " + (version == null ? "(not packaged)" : version)};
        }
    }
}
