package dev.chasqui.cli;

import dev.chasqui.gateway.accounts.Scope;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Makes a key. It alone goes to standard output, so that {@code KEY=$(chasqui key create)} has it. */
@Command(
        name = "create",
        description = {
            "Makes an API key at a running server, and shows it this once.",
            "The key alone goes to standard output, so that KEY=$(chasqui key create) has it."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class KeyCreateCommand implements Callable<Integer> {
    @Option(names = "--name", paramLabel = "NAME", description = "What it is for, for people to know it by.")
    @Nullable
    private String name;

    @Option(
            names = "--scopes",
            paramLabel = "SCOPE",
            split = ",",
            description =
                    "What it may be used for: inference, conversations, keys, models, metrics or admin; several with commas"
                            + " between. Default: inference.")
    private List<Scope> scopes = List.of();

    @Option(
            names = "--expires",
            paramLabel = "TIME",
            description = "When it ends: after 30d, 12h, or a number of seconds; or never. Default: never.",
            converter = Expiry.Converter.class)
    private Expiry expires = new Expiry(0);

    @Option(names = "--requests-per-minute", paramLabel = "N", description = "Default: as the server says for all.")
    @Nullable
    private Integer requestsPerMinute;

    @Option(
            names = "--tokens-per-minute",
            paramLabel = "N",
            description = "Of prompts and answers together. Default: as the server says for all.")
    @Nullable
    private Long tokensPerMinute;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Requests that run at once. Default: as the server says for all.")
    @Nullable
    private Integer parallel;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Mixin
    private ServerOptions server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        check();
        JsonNode made = new RemoteKeys(server.required()).create(request());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(made.toPrettyString());
        } else {
            spec.commandLine().getErr().println(told(made));
            out.println(made.path("key").asString(""));
        }
        return 0;
    }

    private void check() {
        Require.atLeast(1, "--requests-per-minute", requestsPerMinute, "requests");
        Require.atLeast(1, "--tokens-per-minute", tokensPerMinute, "tokens");
        Require.atLeast(1, "--parallel", parallel, "requests");
    }

    /** What was not said is the server's to choose. */
    private ObjectNode request() {
        ObjectNode request = JsonNodeFactory.instance.objectNode();
        if (name != null) {
            request.put("name", name);
        }
        if (!scopes.isEmpty()) {
            scopes.forEach(scope -> request.withArray("scopes").add(scope.toString()));
        }
        if (expires.seconds() > 0) {
            request.put("expires_in", expires.seconds());
        }
        limit(request, "requests_per_minute", requestsPerMinute);
        limit(request, "tokens_per_minute", tokensPerMinute);
        limit(request, "parallel", parallel);
        return request;
    }

    private static void limit(ObjectNode request, String name, @Nullable Number most) {
        if (most != null) {
            request.withObject("limits").put(name, most.longValue());
        }
    }

    private static String told(JsonNode made) {
        String limits = KeyText.limits(made);
        return "made " + KeyText.name(made) + " for " + KeyText.scopes(made) + "; "
                + KeyText.until(made.path("expires_at")) + (limits.isEmpty() ? "" : "; " + limits)
                + "; this is the only time that it is shown:";
    }
}
