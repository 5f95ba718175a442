package dev.chasqui.gateway;

import dev.chasqui.gateway.accounts.AccountSettings;
import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.nodes.NodeCredentials;
import dev.chasqui.gateway.nodes.NodeTarget;
import dev.chasqui.gateway.storage.DatabaseAddress;
import dev.chasqui.gateway.streams.Backpressure;
import dev.chasqui.gateway.streams.StreamSettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What can be set of the gateway; properties {@code chasqui.*}, in a file, the environment or as arguments.
 *
 * @param host {@code chasqui.host}: the address to listen on. Another than a loopback address needs an API key.
 * @param port {@code chasqui.port}: 1 to 65535, or 0 for any that is free
 * @param nodes {@code chasqui.nodes}: inference nodes, each {@code host:port}, or {@code dns:///name:port} for all addresses
 *     of a name
 * @param nodeToken {@code chasqui.node-token}: sent to the nodes as a bearer token; absent: none
 * @param nodeTls {@code chasqui.node-tls.*}: whom to trust as a node, and what to show it
 * @param apiKeys {@code chasqui.api-keys}: one of these must come with each request; none: no key is asked for
 * @param accounts {@code chasqui.accounts.*}: whether there are accounts, and what they and keys may take
 * @param allowedHosts {@code chasqui.allowed-hosts}: names that the server answers to besides the loopback ones and
 *     its own address, without port
 * @param corsOrigins {@code chasqui.cors-origins}: origins whose pages may call the server, such as
 *     {@code https://app.example.com}; none: CORS is off
 * @param localNode {@code chasqui.local-node.*}: a node to run as a child process
 * @param conversations {@code chasqui.conversations.*}: where chats are stored, and how
 * @param limits {@code chasqui.limits.*}: what a client may take
 */
public record GatewaySettings(
        @DefaultValue("127.0.0.1") String host,
        @DefaultValue("8080") int port,
        @DefaultValue("127.0.0.1:9090") List<String> nodes,
        @Nullable String nodeToken,
        @DefaultValue NodeTls nodeTls,
        @DefaultValue List<String> apiKeys,
        @DefaultValue Accounts accounts,
        @DefaultValue List<String> allowedHosts,
        @DefaultValue List<String> corsOrigins,
        @DefaultValue Local localNode,
        @DefaultValue Stored conversations,
        @DefaultValue Limits limits) {

    /**
     * Files in PEM for TLS between gateway and nodes, read anew when they change.
     *
     * @param ca {@code chasqui.node-tls.ca}: certificates that a node's one must be signed by; absent: no TLS
     * @param certificate {@code chasqui.node-tls.certificate}: the gateway's own, where nodes want one
     * @param key {@code chasqui.node-tls.key}: its private key
     */
    public record NodeTls(
            @Nullable Path ca,
            @Nullable Path certificate,
            @Nullable Path key) {
        /** No TLS. */
        public static final NodeTls NONE = new NodeTls(null, null, null);
    }

    /**
     * Who signs in, and what he may take; 0: no limit.
     *
     * @param enabled {@code chasqui.accounts.enabled}: whether there are accounts
     * @param registration {@code chasqui.accounts.registration}: {@code open}, or {@code closed} after the first account
     * @param requestsPerMinute {@code chasqui.accounts.requests-per-minute}: of an account, or of a key without limits of its
     *     own
     * @param tokensPerMinute {@code chasqui.accounts.tokens-per-minute}: of prompts and answers, likewise
     * @param parallelRequests {@code chasqui.accounts.parallel-requests}: at once, likewise
     */
    public record Accounts(
            @DefaultValue("false") boolean enabled,
            @DefaultValue("open") String registration,
            @DefaultValue("0") int requestsPerMinute,
            @DefaultValue("0") long tokensPerMinute,
            @DefaultValue("0") int parallelRequests) {
        /** Nobody signs in, and nothing is limited. */
        public static final Accounts NONE = new Accounts(false, "open", 0, 0, 0);

        public Accounts {
            if (!registration.equals("open") && !registration.equals("closed")) {
                throw new BadSettingsException(
                        "chasqui.accounts.registration: \"" + registration + "\" (expected: open or closed)");
            }
            range("accounts.requests-per-minute", requestsPerMinute, 0, 1_000_000);
            range("accounts.tokens-per-minute", tokensPerMinute, 0, 1_000_000_000_000L);
            range("accounts.parallel-requests", parallelRequests, 0, 100_000);
        }

        AccountSettings resolved(List<String> operatorKeys) {
            return new AccountSettings(
                    enabled,
                    registration.equals("open"),
                    operatorKeys,
                    new Quota(requestsPerMinute, tokensPerMinute, parallelRequests));
        }
    }

    /**
     * A node that the gateway runs itself.
     *
     * @param command {@code chasqui.local-node.command}: program and arguments; none: no child
     */
    public record Local(@DefaultValue List<String> command) {
        public Local {
            command = List.copyOf(command);
        }
    }

    /**
     * Stored conversations and their streams.
     *
     * @param database {@code chasqui.conversations.database}: {@code postgres://USER:PASSWORD@HOST/NAME},
     *     {@code file:PATH}, or {@code memory:} for as long as the gateway runs
     * @param maxHistoryMessages {@code chasqui.conversations.max-history-messages}: of a conversation that go to the
     *     model; 1 to 100000
     * @param titles {@code chasqui.conversations.titles}: whether the model writes titles
     * @param undo {@code chasqui.conversations.undo}: how long a deleted conversation can be brought back
     * @param retention {@code chasqui.conversations.retention}: how long events of streams are kept, 24 to 72 hours
     * @param mostEvents {@code chasqui.conversations.most-events}: that are kept for a user; 100 to a million
     * @param queue {@code chasqui.conversations.queue}: events that wait for a slow reader; 16 to 10000
     * @param backpressure {@code chasqui.conversations.backpressure}: {@code drop_tokens} or
     *     {@code drop_tokens_and_system}
     */
    public record Stored(
            @DefaultValue("memory:") String database,
            @DefaultValue("200") int maxHistoryMessages,
            @DefaultValue("true") boolean titles,
            @DefaultValue("1h") Duration undo,
            @DefaultValue("48h") Duration retention,
            @DefaultValue("10000") int mostEvents,
            @DefaultValue("256") int queue,
            @DefaultValue("drop_tokens") String backpressure) {
        private static final int MOST_STREAMS = 64;

        public Stored {
            try {
                DatabaseAddress.parse(database);
            } catch (IllegalArgumentException e) {
                throw new BadSettingsException("chasqui.conversations.database: " + e.getMessage());
            }
            range("conversations.max-history-messages", maxHistoryMessages, 1, 100_000);
            positive("conversations.undo", undo);
            if (retention.compareTo(Duration.ofHours(24)) < 0 || retention.compareTo(Duration.ofHours(72)) > 0) {
                throw new BadSettingsException("chasqui.conversations.retention: " + retention.toMinutes()
                        + " minutes (expected: 24 to 72 hours)");
            }
            range("conversations.most-events", mostEvents, 100, 1_000_000);
            range("conversations.queue", queue, 16, 10_000);
            if (Arrays.stream(Backpressure.values()).noneMatch(one -> word(one).equals(backpressure))) {
                throw new BadSettingsException("chasqui.conversations.backpressure: \"" + backpressure
                        + "\" (expected: drop_tokens or drop_tokens_and_system)");
            }
        }

        private static String word(Backpressure strategy) {
            return strategy.name().toLowerCase(Locale.ROOT);
        }

        /** As without any settings. */
        public static Stored defaults() {
            return new Stored(
                    "memory:",
                    200,
                    true,
                    Duration.ofHours(1),
                    Duration.ofHours(48),
                    10_000,
                    256,
                    word(Backpressure.DROP_TOKENS));
        }

        DatabaseAddress address() {
            return DatabaseAddress.parse(database);
        }

        StreamSettings streams() {
            return new StreamSettings(
                    retention,
                    mostEvents,
                    queue,
                    Backpressure.valueOf(backpressure.toUpperCase(Locale.ROOT)),
                    MOST_STREAMS);
        }

        /** The database's password stays out of logs. */
        @Override
        public String toString() {
            return "Stored[" + address() + "]";
        }
    }

    /**
     * What a client may take, of memory and of time.
     *
     * @param maxBodyBytes {@code chasqui.limits.max-body-bytes}: of one request; 1 KB to 1 GB
     * @param maxHeaderBytes {@code chasqui.limits.max-header-bytes}: of one request; 1 KB to 1 MB
     * @param requestTimeout {@code chasqui.limits.request-timeout}: for a request to arrive in full
     * @param idleTimeout {@code chasqui.limits.idle-timeout}: for a connection without a request
     * @param firstPing {@code chasqui.limits.first-ping}: how long a stream waits for its first byte before it sends a
     *     comment instead
     * @param pingInterval {@code chasqui.limits.ping-interval}: how long a stream is silent before it sends a comment
     * @param shutdownGrace {@code chasqui.limits.shutdown-grace}: for running requests when the gateway ends
     * @param nodeSilence {@code chasqui.limits.node-silence}: for a node that answers requests and says nothing more, until
     *     its answers count as broken off where another node can go on with them; 2 s or more
     * @param takeoverPatience {@code chasqui.limits.takeover-patience}: for an answer whose node is lost, until a node goes on
     *     with it, and for requests after the loss of the last node; 0: both fail at once
     */
    public record Limits(
            @DefaultValue("10485760") long maxBodyBytes,
            @DefaultValue("16384") int maxHeaderBytes,
            @DefaultValue("60s") Duration requestTimeout,
            @DefaultValue("75s") Duration idleTimeout,
            @DefaultValue("2s") Duration firstPing,
            @DefaultValue("10s") Duration pingInterval,
            @DefaultValue("30s") Duration shutdownGrace,
            @DefaultValue("10s") Duration nodeSilence,
            @DefaultValue("30s") Duration takeoverPatience) {
        public Limits {
            range("limits.max-body-bytes", maxBodyBytes, 1024, 1 << 30);
            range("limits.max-header-bytes", maxHeaderBytes, 1024, 1 << 20);
            positive("limits.request-timeout", requestTimeout);
            positive("limits.idle-timeout", idleTimeout);
            positive("limits.first-ping", firstPing);
            positive("limits.ping-interval", pingInterval);
            if (shutdownGrace.isNegative()) {
                throw new BadSettingsException("chasqui.limits.shutdown-grace: negative (expected: 0 or more)");
            }
            if (nodeSilence.compareTo(Duration.ofSeconds(2)) < 0 || nodeSilence.compareTo(Duration.ofHours(24)) > 0) {
                throw new BadSettingsException("chasqui.limits.node-silence: " + nodeSilence.toMillis()
                        + " ms (expected: 2 seconds to 24 hours)");
            }
            if (takeoverPatience.isNegative()) {
                throw new BadSettingsException("chasqui.limits.takeover-patience: negative (expected: 0 or more)");
            }
        }

        /** As without any settings. */
        public static Limits defaults() {
            return new Limits(
                    10 << 20,
                    16 << 10,
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(75),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30));
        }

        /** The same, but for how long running requests, silent nodes and lost ones may take. */
        public Limits with(Duration grace, Duration silence, Duration patience) {
            return new Limits(
                    maxBodyBytes,
                    maxHeaderBytes,
                    requestTimeout,
                    idleTimeout,
                    firstPing,
                    pingInterval,
                    grace,
                    silence,
                    patience);
        }
    }

    public GatewaySettings {
        range("port", port, 0, 65535);
        nodes = List.copyOf(nodes);
        apiKeys = List.copyOf(apiKeys);
        allowedHosts = List.copyOf(allowedHosts);
        corsOrigins = List.copyOf(corsOrigins);
        requireAddresses(nodes);
        requireKeys(apiKeys);
        for (String origin : corsOrigins) {
            if (!origin.matches("https?://[^/@\\s]+")) {
                throw new BadSettingsException("chasqui.cors-origins: \"" + origin
                        + "\" (expected: an origin without a path, such as https://app.example.com)");
            }
        }
        if (nodeToken != null && nodeToken.isBlank()) {
            nodeToken = null;
        }
        credentials(nodeToken, nodeTls);
        if (apiKeys.isEmpty() && !accounts.enabled() && !address(host).isLoopbackAddress()) {
            throw new BadSettingsException(
                    "chasqui.host: " + host
                            + " can be reached from other machines, and nobody is asked who he is"
                            + " (expected: a loopback address such as 127.0.0.1, chasqui.api-keys, or chasqui.accounts.enabled)");
        }
    }

    /** As without any settings, but for the port and the nodes. */
    public static GatewaySettings local(int port, List<String> nodes) {
        return new GatewaySettings(
                "127.0.0.1",
                port,
                nodes,
                null,
                NodeTls.NONE,
                List.of(),
                Accounts.NONE,
                List.of(),
                List.of(),
                new Local(List.of()),
                Stored.defaults(),
                Limits.defaults());
    }

    /** The address to listen on. */
    InetAddress address() {
        return address(host);
    }

    /** Where the nodes are. */
    List<NodeTarget> nodeTargets() {
        return nodes.stream().map(NodeTarget::parse).toList();
    }

    /** What the nodes are shown, and what is asked of them. */
    NodeCredentials nodeCredentials() {
        return credentials(nodeToken, nodeTls);
    }

    private static NodeCredentials credentials(@Nullable String token, NodeTls tls) {
        try {
            return new NodeCredentials(token, tls.ca(), tls.certificate(), tls.key());
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            throw new BadSettingsException(
                    (message.startsWith("token") ? "chasqui.node-" : "chasqui.node-tls.") + message);
        }
    }

    /** Keys and tokens stay out of logs. */
    @Override
    public String toString() {
        return "GatewaySettings[" + host + ":" + port + ", nodes " + nodes + ", " + apiKeys.size() + " API keys]";
    }

    private static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new BadSettingsException("chasqui.host: \"" + host + "\" (expected: an address of this machine)");
        }
    }

    private static void requireAddresses(List<String> nodes) {
        if (nodes.isEmpty()) {
            throw new BadSettingsException("chasqui.nodes: none (expected: at least one host:port)");
        }
        for (String node : nodes) {
            try {
                NodeTarget.parse(node);
            } catch (IllegalArgumentException e) {
                throw new BadSettingsException("chasqui.nodes: " + e.getMessage());
            }
        }
    }

    private static void requireKeys(List<String> keys) {
        for (String key : keys) {
            if (key.length() < 8 || !key.chars().allMatch(c -> c > ' ' && c < 127)) {
                throw new BadSettingsException("chasqui.api-keys: a key of " + key.length()
                        + " characters (expected: 8 or more visible ASCII characters)");
            }
        }
    }

    private static void range(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new BadSettingsException(
                    "chasqui." + name + ": " + value + " (expected: " + least + " to " + most + ")");
        }
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero() || value.compareTo(Duration.ofHours(24)) > 0) {
            throw new BadSettingsException(
                    "chasqui." + name + ": " + value.toMillis() + " ms (expected: 1 ms to 24 hours)");
        }
    }
}
