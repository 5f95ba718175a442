package dev.chasqui.gateway.storage;

import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.client.SSLMode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL database, as {@code libpq} reads its address.
 *
 * @param password null where none is given
 * @param options of the address, by name: {@code sslmode}, {@code sslrootcert}, {@code sslcert}, {@code sslkey},
 *     {@code connect_timeout}, {@code application_name}
 */
record PostgresAddress(
        String host,
        int port,
        String database,
        String user,
        @Nullable String password,
        Map<String, String> options) implements DatabaseAddress {
    private static final String EXPECTED =
            "(expected: postgres://USER:PASSWORD@HOST:PORT/DATABASE, file:PATH or memory:)";
    private static final Pattern ADDRESS = Pattern.compile("(?:jdbc:|r2dbc:)?postgres(?:ql)?://"
            + "(?:(?<user>[^:@/?]*)(?::(?<password>[^@/?]*))?@)?"
            + "(?<host>\\[[0-9A-Fa-f:.%]+]|[^:/?@\\[\\],]+)(?::(?<port>\\d{1,5}))?"
            + "(?:/(?<database>[^/?]*))?(?:\\?(?<query>.*))?");
    private static final Set<String> KNOWN =
            Set.of("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name");
    /** What asks for no more than there is. */
    private static final Map<String, Set<String>> HARMLESS = Map.of(
            "channel_binding", Set.of("disable", "prefer"),
            "gssencmode", Set.of("disable", "prefer"),
            "target_session_attrs", Set.of("any"));

    private static final int USUAL_PORT = 5432;
    private static final int CONNECT_SECONDS = 5;

    static PostgresAddress parse(String text) {
        Matcher parts = ADDRESS.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("no address of a database " + EXPECTED);
        }
        String named = parts.group("user");
        String user = named == null || named.isEmpty() ? System.getProperty("user.name", "postgres") : decoded(named);
        String port = parts.group("port");
        int number = port == null ? USUAL_PORT : Integer.parseInt(port);
        if (number < 1 || number > 65535) {
            throw new IllegalArgumentException("port " + number + " (expected: 1 to 65535)");
        }
        String database = parts.group("database");
        String password = parts.group("password");
        return new PostgresAddress(
                parts.group("host").replaceAll("[\\[\\]]", ""),
                number,
                database == null || database.isEmpty() ? user : decoded(database),
                user,
                password == null ? null : decoded(password),
                options(parts.group("query")));
    }

    private static Map<String, String> options(@Nullable String query) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String option : query == null ? new String[0] : query.split("&")) {
            int equals = option.indexOf('=');
            String name = equals < 0 ? option : option.substring(0, equals);
            String value = equals < 0 ? "" : decoded(option.substring(equals + 1));
            if (KNOWN.contains(name)) {
                options.put(name, value);
            } else if (!option.isEmpty()
                    && !HARMLESS.getOrDefault(name, Set.of()).contains(value)) {
                throw new IllegalArgumentException("option " + name + " (expected: "
                        + String.join(", ", KNOWN.stream().sorted().toList()) + ")");
            }
        }
        requireMode(options.getOrDefault("sslmode", "prefer"));
        seconds(options);
        return options;
    }

    private static void requireMode(String mode) {
        boolean known = Arrays.stream(SSLMode.values())
                .anyMatch(one -> one != SSLMode.TUNNEL && one.toString().equals(mode));
        if (!known) {
            throw new IllegalArgumentException(
                    "sslmode " + mode + " (expected: disable, allow, prefer, require, verify-ca or verify-full)");
        }
    }

    private static int seconds(Map<String, String> options) {
        String value = options.getOrDefault("connect_timeout", "");
        if (value.isEmpty()) {
            return CONNECT_SECONDS;
        }
        if (!value.matches("[1-9]\\d{0,2}")) {
            throw new IllegalArgumentException("connect_timeout " + value + " (expected: 1 to 999 seconds)");
        }
        return Integer.parseInt(value);
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("an escape that is none " + EXPECTED);
        }
    }

    /** For the driver that answers queries. */
    PostgresqlConnectionConfiguration.Builder driver() {
        PostgresqlConnectionConfiguration.Builder driver = PostgresqlConnectionConfiguration.builder()
                .host(host)
                .port(port)
                .database(database)
                .username(user)
                .password(password == null ? "" : password)
                .applicationName(options.getOrDefault("application_name", "chasqui"))
                .connectTimeout(Duration.ofSeconds(seconds(options)))
                .tcpKeepAlive(true)
                .sslMode(SSLMode.fromValue(options.getOrDefault("sslmode", "prefer")));
        if (options.containsKey("sslrootcert")) {
            driver.sslRootCert(options.get("sslrootcert"));
        }
        if (options.containsKey("sslcert")) {
            driver.sslCert(options.get("sslcert"));
        }
        if (options.containsKey("sslkey")) {
            driver.sslKey(options.get("sslkey"));
        }
        return driver;
    }

    /** For the driver that migrates. */
    PGSimpleDataSource migrations() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {host});
        source.setPortNumbers(new int[] {port});
        source.setDatabaseName(database);
        source.setUser(user);
        source.setPassword(password == null ? "" : password);
        source.setApplicationName(options.getOrDefault("application_name", "chasqui"));
        source.setConnectTimeout(seconds(options));
        source.setLoginTimeout(seconds(options));
        source.setSslMode(options.getOrDefault("sslmode", "prefer"));
        if (options.containsKey("sslrootcert")) {
            source.setSslRootCert(options.get("sslrootcert"));
        }
        if (options.containsKey("sslcert")) {
            source.setSslCert(options.get("sslcert"));
        }
        if (options.containsKey("sslkey")) {
            source.setSslKey(options.get("sslkey"));
        }
        return source;
    }

    /** Without user and password. */
    @Override
    public String toString() {
        return "postgres://" + host + ":" + port + "/" + database;
    }
}
