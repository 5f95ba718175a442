package dev.chasqui.cli;

import dev.chasqui.gateway.BadSettingsException;
import dev.chasqui.gateway.GatewaySettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a gateway can be told, by {@code chasqui gateway} and {@code chasqui serve}. */
final class GatewayOptions {
    private static final int MOST_SECONDS = 86_400;
    private static final Pattern SIGN_IN = Pattern.compile("chasqui\\.accounts\\.(github|apple)\\.([a-z-]+)");

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "Where to answer HTTP; 0 takes any free port. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description =
                    "Address to listen on. Beyond loopback only with an API key or accounts. Default: ${DEFAULT-VALUE}.")
    private String host;

    @Option(
            names = {"--api-key", "--api-keys"},
            paramLabel = "KEY",
            split = ",",
            description =
                    "Every request must bring this key, or one of several. Better given as CHASQUI_API_KEYS, which other"
                            + " users of the machine cannot read.")
    private List<String> apiKeys = List.of();

    enum Accounts {
        ON,
        OFF;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    enum Registration {
        OPEN,
        CLOSED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--accounts",
            paramLabel = "on|off",
            defaultValue = "off",
            description =
                    "Whether people sign in, each with chats and keys of his own; the first who registers is the administrator."
                            + " Default: ${DEFAULT-VALUE}.")
    private Accounts accounts;

    @Option(
            names = "--registration",
            paramLabel = "open|closed",
            defaultValue = "open",
            description = "Whether anybody can make an account, or administrators only, after the first one. Default:"
                    + " ${DEFAULT-VALUE}.")
    private Registration registration;

    @Option(
            names = "--requests-per-minute",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Requests that an account, or a key without limits of its own, may make; 0: any number. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int requestsPerMinute;

    @Option(
            names = "--tokens-per-minute",
            paramLabel = "N",
            defaultValue = "0",
            description = "Tokens of prompts and answers, likewise. Default: ${DEFAULT-VALUE}.")
    private long tokensPerMinute;

    @Option(
            names = "--parallel-requests",
            paramLabel = "N",
            defaultValue = "0",
            description = "Requests at once, likewise. Default: ${DEFAULT-VALUE}.")
    private int parallelRequests;

    @Mixin
    private SignInOptions signIn;

    @Option(
            names = "--allowed-hosts",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Names that this server goes by, besides localhost and --host. Requests to others are refused.")
    private List<String> allowedHosts = List.of();

    @Option(
            names = "--cors-origins",
            paramLabel = "ORIGIN",
            split = ",",
            description = "Pages elsewhere that may call, such as https://chat.example.org. Default: none.")
    private List<String> corsOrigins = List.of();

    @Option(
            names = "--database-url",
            paramLabel = "ADDRESS",
            description =
                    "Where chats are stored: postgres://USER:PASSWORD@HOST/NAME, file:PATH, or memory: to forget them at the"
                            + " end. Better given as DATABASE_URL, which other users of the machine cannot read."
                            + " Default: a file below CHASQUI_HOME.")
    @Nullable
    private String databaseUrl;

    @Option(
            names = "--max-history-messages",
            paramLabel = "N",
            defaultValue = "200",
            description =
                    "Messages of a stored chat that go to the model, if its context holds them. Default: ${DEFAULT-VALUE}.")
    private int maxHistoryMessages;

    @Option(
            names = "--chat-titles",
            paramLabel = "true|false",
            arity = "1",
            defaultValue = "true",
            description = "Whether the model gives stored chats their titles. Default: ${DEFAULT-VALUE}.")
    private boolean chatTitles;

    @Option(
            names = "--stream-retention",
            paramLabel = "HOURS",
            defaultValue = "48",
            description = "How long the events of durable streams are kept, 24 to 72. Default: ${DEFAULT-VALUE}.")
    private int streamRetention;

    @Option(
            names = "--stream-backpressure",
            paramLabel = "STRATEGY",
            defaultValue = "drop_tokens",
            description =
                    "What slow readers of durable streams miss for a while: drop_tokens or drop_tokens_and_system."
                            + " Default: ${DEFAULT-VALUE}.")
    private String streamBackpressure;

    @Option(
            names = "--node-silence",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description =
                    "After so many seconds without a word a node's running answers count as broken off, where another node can"
                            + " go on with them; new requests go elsewhere after less than two. serve kills its node after three times"
                            + " as many. Default: ${DEFAULT-VALUE}.")
    private int nodeSilence;

    @Option(
            names = "--takeover-patience",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description =
                    "How long an answer whose node is lost waits for one that goes on with it, and requests for a node after the"
                            + " last one was lost; 0: both fail at once. Default: ${DEFAULT-VALUE}.")
    private int takeoverPatience;

    @Option(
            names = "--shutdown-timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = ShutdownTimeout.DESCRIPTION,
            converter = ShutdownTimeout.class)
    private Duration shutdownTimeout;

    /**
     * As the gateway takes it.
     *
     * @param localNode the command of a node to run as a child; empty: none
     * @throws Failure where a value makes no sense, or the port is another program's
     */
    GatewaySettings settings(
            List<String> nodes, @Nullable String token, GatewaySettings.NodeTls tls, List<String> localNode) {
        GatewaySettings settings = build(nodes, token, tls, localNode);
        Ports.requireFree(address(), port, "--port");
        return settings;
    }

    /** The same without a look at this machine's ports. */
    GatewaySettings build(
            List<String> nodes, @Nullable String token, GatewaySettings.NodeTls tls, List<String> localNode) {
        Require.range(24, 72, "--stream-retention", streamRetention, "hours");
        Require.range(2, MOST_SECONDS, "--node-silence", nodeSilence, "seconds");
        Require.atLeast(0, "--takeover-patience", takeoverPatience, "seconds");
        try {
            return new GatewaySettings(
                    host,
                    port,
                    nodes,
                    token,
                    tls,
                    apiKeys,
                    new GatewaySettings.Accounts(
                            accounts == Accounts.ON,
                            registration.toString(),
                            requestsPerMinute,
                            tokensPerMinute,
                            parallelRequests,
                            signIn.github(),
                            signIn.apple()),
                    allowedHosts,
                    corsOrigins,
                    new GatewaySettings.Local(localNode),
                    conversations(),
                    GatewaySettings.Limits.defaults()
                            .with(
                                    shutdownTimeout,
                                    Duration.ofSeconds(nodeSilence),
                                    Duration.ofSeconds(takeoverPatience)));
        } catch (BadSettingsException unusable) {
            throw failure(unusable);
        }
    }

    /** It names properties, which are called like the options; those for signing in elsewhere like the variables. */
    static Failure failure(BadSettingsException unusable) {
        String message = SIGN_IN.matcher(String.valueOf(unusable.getMessage()))
                .replaceAll(name ->
                        (name.group(1) + "_" + name.group(2)).replace('-', '_').toUpperCase(Locale.ROOT))
                .replace("chasqui.conversations.database", "--database-url")
                .replace("chasqui.conversations.max-history", "--max-history")
                .replace("chasqui.conversations.", "--stream-")
                .replace("chasqui.node-tls.", "--tls-")
                .replace("chasqui.limits.", "--")
                .replace("chasqui.accounts.enabled", "--accounts on")
                .replace("chasqui.accounts.", "--")
                .replace("chasqui.node-token", "--token")
                // There is no such option: pairs belong into a file or a variable.
                .replace("chasqui.aliases", "aliases (CHASQUI_ALIASES)")
                .replace("chasqui.", "--");
        return new Failure(message, 2);
    }

    private GatewaySettings.Stored conversations() {
        GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
        String file = ChasquiHome.of(System.getenv()).data().resolve("chasqui").toString();
        return new GatewaySettings.Stored(
                databaseUrl == null ? "file:" + file : databaseUrl,
                maxHistoryMessages,
                chatTitles,
                usual.undo(),
                Duration.ofHours(streamRetention),
                usual.mostEvents(),
                usual.queue(),
                streamBackpressure);
    }

    /** The address for people, with the port that was really taken. */
    String url(int actualPort) {
        String name = address().isAnyLocalAddress() ? "localhost" : host;
        return "http://" + (name.contains(":") ? "[" + name + "]" : name) + ":" + actualPort;
    }

    private InetAddress address() {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException unknown) {
            throw new Failure("--host: " + host + " (expected: an address of this machine)", 2);
        }
    }
}
