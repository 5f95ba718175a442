package dev.chasqui.cli;

import java.net.URI;
import java.util.Map;
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

/** Signs in, and keeps the session for the commands that come. */
@Command(
        name = "login",
        description = {
            "Signs in with e-mail and password; from then on all commands ask this server as this account.",
            "The password is asked for at a terminal, else it is the first line of standard input, or CHASQUI_PASSWORD.",
            "The session is kept in CHASQUI_HOME, in a file that only its owner can read."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SessionLoginCommand implements Callable<Integer> {
    @Option(names = "--email", paramLabel = "EMAIL", description = "Of the account. Default: asked for at a terminal.")
    @Nullable
    private String email;

    @Option(names = "--register", description = "Make the account first.")
    private boolean register;

    @Option(names = "--name", paramLabel = "NAME", description = "How the account that is made calls its owner.")
    @Nullable
    private String name;

    @Mixin
    private AddressOption server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        Map<String, String> environment = EnvironmentDefaults.of(spec);
        URI address = server.address();
        if (name != null && !register) {
            throw new Failure("--name: " + name + " (expected: together with --register)", 2);
        }
        Sessions sessions = EnvironmentDefaults.home(spec).sessions();
        // Tells of a damaged file before a session begins that could not be kept.
        sessions.at(address);
        ServerClient.SignedIn signedIn = new ServerClient(address).signIn(path(), request(environment));
        JsonNode account = signedIn.data().path("account");
        String expiresAt = signedIn.data().path("expires_at").asString("");
        Sessions.Session session = new Sessions.Session(
                signedIn.token(), account.path("email").asString(""), expiresAt.isEmpty() ? null : expiresAt);
        sessions.put(address, session);
        spec.commandLine().getOut().println("signed in at " + address + " as " + AccountText.name(account));
        tellOfKey(environment);
        return 0;
    }

    private String path() {
        return register ? "/api/auth/register" : "/api/auth/login";
    }

    private ObjectNode request(Map<String, String> environment) {
        ObjectNode request = JsonNodeFactory.instance.objectNode();
        try (SignInQuestions questions = new SignInQuestions(environment)) {
            request.put("email", email == null ? questions.email() : email);
            request.put("password", register ? questions.newPassword() : questions.password());
        }
        return name == null ? request : request.put("name", name);
    }

    /** It goes before every session, which somebody who just signed in may not expect. */
    private void tellOfKey(Map<String, String> environment) {
        if (!environment.getOrDefault("CHASQUI_API_KEY", "").isBlank()) {
            spec.commandLine()
                    .getErr()
                    .println("CHASQUI_API_KEY is set, and commands bring that key in place of the session");
        }
    }
}
