package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.Keys;
import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What is asked of accounts and keys, read from JSON. No message quotes a password. */
final class AccountFields {
    private static final Pattern EMAIL = Pattern.compile("[^\\s@\\p{Cntrl}]{1,64}@[^\\s@\\p{Cntrl}]{1,189}");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(s|m|h|d)?");
    private static final int LONGEST_EMAIL = 254;
    private static final int SHORTEST_PASSWORD = 8;
    private static final int LONGEST_PASSWORD = 200;
    private static final int LONGEST_NAME = 100;
    private static final long LONGEST_LIFE_DAYS = 3650;
    private static final Set<String> ROLES = Text.ordered("admin", "user");
    private static final int MOST_SCOPES = 20;

    private AccountFields() {}

    static Accounts.Draft draft(Fields fields) {
        String email = email(fields);
        String name = name(fields);
        return new Accounts.Draft(email, newPassword(fields, "password"), name == null ? "" : name);
    }

    /** Some letters are longer when they are small, which is how the database knows them. */
    static String email(Fields fields) {
        String email = fields.requiredString("email").strip();
        boolean fits =
                EMAIL.matcher(email).matches() && email.toLowerCase(Locale.ROOT).length() <= LONGEST_EMAIL;
        if (!fits) {
            throw fields.bad("email", fields.any("email"), "an e-mail address, such as ana@example.com");
        }
        return email;
    }

    static Accounts.Change change(Fields fields) {
        String password = fields.any("password") == null ? null : newPassword(fields, "password");
        return new Accounts.Change(name(fields), role(fields), fields.bool("disabled"), password);
    }

    static Account.@Nullable Role role(Fields fields) {
        String word = fields.oneOf("role", ROLES);
        if (word == null) {
            return null;
        }
        return word.equals("admin") ? Account.Role.ADMIN : Account.Role.USER;
    }

    static String newPassword(Fields fields, String field) {
        String password = given(fields, field);
        if (password.length() < SHORTEST_PASSWORD || password.length() > LONGEST_PASSWORD) {
            throw RequestError.badValue(
                    fields.path(field),
                    "a string of " + password.length() + " characters (expected: " + SHORTEST_PASSWORD + " to "
                            + LONGEST_PASSWORD + ")");
        }
        return password;
    }

    /** One that is compared only; too long a one is as wrong as another. */
    static String password(Fields fields, String field) {
        String password = given(fields, field);
        return password.length() > LONGEST_PASSWORD ? "" : password;
    }

    private static String given(Fields fields, String field) {
        JsonNode given = fields.any(field);
        if (given != null && !given.isString()) {
            throw RequestError.badValue(fields.path(field), Fields.kind(given) + " (expected: a string)");
        }
        return fields.requiredString(field);
    }

    static Keys.Draft key(Fields fields) {
        String name = name(fields);
        return new Keys.Draft(name == null ? "" : name, scopes(fields), quota(fields), life(fields));
    }

    private static @Nullable String name(Fields fields) {
        String name = fields.string("name");
        if (name == null) {
            return null;
        }
        String stripped = name.strip();
        if (stripped.length() > LONGEST_NAME || stripped.chars().anyMatch(Character::isISOControl)) {
            throw fields.bad("name", fields.any("name"), "at most " + LONGEST_NAME + " characters in one line");
        }
        return stripped;
    }

    private static Set<Scope> scopes(Fields fields) {
        if (fields.any("scopes") == null) {
            return Set.of(Scope.INFERENCE);
        }
        List<JsonNode> words = fields.array("scopes", MOST_SCOPES);
        EnumSet<Scope> scopes = EnumSet.noneOf(Scope.class);
        for (int i = 0; i < words.size(); i++) {
            scopes.add(scope(words.get(i), fields.path("scopes") + "[" + i + "]"));
        }
        if (scopes.isEmpty()) {
            throw fields.bad("scopes", fields.any("scopes"), "at least one scope");
        }
        return Set.copyOf(scopes);
    }

    private static Scope scope(JsonNode word, String path) {
        try {
            return Scope.of(word.isString() ? word.stringValue() : "");
        } catch (IllegalArgumentException none) {
            throw RequestError.badValue(
                    path, Fields.shown(word) + " (expected: inference, conversations, keys, models, metrics or admin)");
        }
    }

    private static Quota quota(Fields fields) {
        Fields limits = fields.object("limits");
        if (limits == null) {
            return Quota.NONE;
        }
        Long requests = limits.integer("requests_per_minute", 1, 1_000_000);
        Long tokens = limits.integer("tokens_per_minute", 1, 1_000_000_000_000L);
        Long parallel = limits.integer("parallel", 1, 100_000);
        return new Quota(
                requests == null ? 0 : requests.intValue(),
                tokens == null ? 0 : tokens,
                parallel == null ? 0 : parallel.intValue());
    }

    /** In milliseconds; 0: for ever. */
    private static long life(Fields fields) {
        JsonNode given = fields.any("expires_in");
        if (given == null || given.asString("").equals("never")) {
            return 0;
        }
        Matcher read = DURATION.matcher(given.isString() || given.isIntegralNumber() ? given.asString() : "");
        Duration life = read.matches() ? duration(Long.parseLong(read.group(1)), read.group(2)) : Duration.ZERO;
        if (life.isZero() || life.compareTo(Duration.ofDays(LONGEST_LIFE_DAYS)) > 0) {
            throw fields.bad(
                    "expires_in",
                    given,
                    "a duration such as 30d or 12h, seconds, or never; at most " + LONGEST_LIFE_DAYS + "d");
        }
        return life.toMillis();
    }

    private static Duration duration(long count, @Nullable String unit) {
        return switch (unit == null ? "s" : unit) {
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            case "d" -> Duration.ofDays(count);
            default -> Duration.ofSeconds(count);
        };
    }
}
