package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
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
            "What servers are told can stand in a file as well: chasqui config writes one.",
            "Everything is kept in CHASQUI_HOME (default ~/.chasqui)."
        })
public final class Main implements Runnable {
    private static final List<Class<?>> COMMANDS = List.of(
            ServeCommand.class,
            ChatCommand.class,
            ModelCommand.class,
            SessionCommand.class,
            KeyCommand.class,
            NodeCommand.class,
            GatewayCommand.class,
            CertificatesCommand.class,
            DoctorCommand.class,
            BackendCommand.class,
            BenchCommand.class,
            ConfigCommand.class,
            ValidateCommand.class,
            SpecCommand.class,
            CompletionCommand.class,
            HelpCommand.class,
            ManCommand.class,
            RehearseCommand.class);

    @Spec
    private CommandSpec spec;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(
                List.of(arguments),
                System.getenv(),
                new PrintWriter(System.out, true, UTF_8),
                new PrintWriter(System.err, true, UTF_8)));
    }

    /** Does what the arguments say, and returns the exit code. */
    static int run(List<String> arguments, Map<String, String> environment, PrintWriter out, PrintWriter err) {
        Configuration file = new Configuration(environment, arguments, () -> commandLine(Map.of(), Map::of));
        String wanted = arguments.stream()
                .filter(argument -> !argument.startsWith("-"))
                .findFirst()
                .orElse("");
        try {
            return settled(program(wanted), environment, file)
                    .setOut(out)
                    .setErr(err)
                    .execute(arguments.toArray(String[]::new));
        } catch (Failure failure) {
            err.println("chasqui: " + failure.getMessage());
            return failure.exitCode();
        } catch (OutOfMemoryError refused) {
            return say(refused, err);
        }
    }

    /**
     * The program with all of its commands.
     *
     * @param file what the configuration file says, by key
     */
    static CommandLine commandLine(Map<String, String> environment, Supplier<Map<String, String>> file) {
        CommandLine program = new CommandLine(new Main());
        COMMANDS.forEach(program::addSubcommand);
        return settled(program, environment, file);
    }

    /** Going through all options of all commands is most of a start; so only the command that is asked for has any. */
    private static CommandLine program(String wanted) {
        CommandLine program = new CommandLine(new Main());
        for (Class<?> type : COMMANDS) {
            Command command = type.getAnnotation(Command.class);
            if (command.name().equals(wanted) || List.of(command.aliases()).contains(wanted)) {
                program.addSubcommand(type);
            } else {
                CommandSpec named = CommandSpec.create().name(command.name()).aliases(command.aliases());
                named.usageMessage().description(command.description()).hidden(command.hidden());
                program.addSubcommand(command.name(), named);
            }
        }
        return program;
    }

    /** No shell has looked at what stands in a file or, mostly, in a variable. */
    static Path path(String text) {
        boolean home = text.equals("~") || text.startsWith("~/");
        return Path.of(home ? System.getProperty("user.home") + text.substring(1) : text);
    }

    private static CommandLine settled(
            CommandLine program, Map<String, String> environment, Supplier<Map<String, String>> file) {
        return program.registerConverter(Path.class, Main::path)
                .setDefaultValueProvider(new EnvironmentDefaults(environment, file))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setExecutionStrategy(parsed -> {
                    UsageProblem.refuseUnknownCommand(parsed);
                    return new CommandLine.RunLast().execute(parsed);
                })
                .setParameterExceptionHandler((problem, given) -> say(problem))
                .setExecutionExceptionHandler((problem, command, given) -> say(problem, command));
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Say what to do: chasqui serve, chat, model or another; --help lists all.");
    }

    private static int say(ParameterException problem) {
        CommandLine command = problem.getCommandLine();
        PrintWriter err = command.getErr();
        if (problem.getCause() instanceof Failure failure) {
            err.println("chasqui: " + failure.getMessage());
            return failure.exitCode();
        }
        err.println("chasqui: " + UsageProblem.sentence(problem));
        err.println("See " + command.getCommandSpec().qualifiedName() + " --help.");
        return CommandLine.ExitCode.USAGE;
    }

    private static int say(Exception problem, CommandLine command) throws Exception {
        if (problem instanceof Failure failure) {
            command.getErr().println("chasqui: " + failure.getMessage());
            return failure.exitCode();
        }
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError refused) {
                return say(refused, command.getErr());
            }
        }
        throw problem;
    }

    private static int say(OutOfMemoryError refused, PrintWriter err) {
        err.println("chasqui: the system gives no more memory or threads (" + refused.getMessage()
                + "); ulimit -a shows this shell's limits");
        return 1;
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
