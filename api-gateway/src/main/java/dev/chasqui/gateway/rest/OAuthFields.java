package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import java.net.URI;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What comes with a sign-in elsewhere. No message quotes a code. */
final class OAuthFields {
    private static final int LONGEST = 2000;
    private static final int LONGEST_PATH = 500;

    /** Browsers take {@code //} and {@code /\} for the begin of another server's address, and leave out what cannot be seen. */
    private static final Pattern LOCAL = Pattern.compile("/(?!/)[\\x21-\\x7e&&[^\\\\]]*");

    private OAuthFields() {}

    static String returnTo(@Nullable String path) {
        if (path == null || path.isEmpty()) {
            return "/";
        }
        if (path.length() > LONGEST_PATH || !LOCAL.matcher(path).matches() || !isAddress(path)) {
            throw RequestError.badValue(
                    "return_to",
                    "a string of " + path.length() + " characters (expected: a path of this server, such as /)");
        }
        return path;
    }

    private static boolean isAddress(String path) {
        try {
            return URI.create(path).getHost() == null;
        } catch (IllegalArgumentException none) {
            return false;
        }
    }

    static String code(@Nullable String code) {
        if (code == null || code.isEmpty() || code.length() > LONGEST) {
            throw RequestError.badValue(
                    "code",
                    (code == null || code.isEmpty() ? "absent" : "a string of " + code.length() + " characters")
                            + " (expected: what the provider gave, at most " + LONGEST + " characters)");
        }
        return code;
    }

    /** Empty where it is absent. */
    static String text(Fields fields, String field) {
        String text = fields.string(field);
        if (text != null && text.length() > LONGEST) {
            throw fields.bad(field, fields.any(field), "at most " + LONGEST + " characters");
        }
        return text == null ? "" : text;
    }

    /** What Apple tells of somebody beside the code, the first time only; empty where it tells nothing. It is not signed: good for a name only. */
    static String name(@Nullable String user) {
        if (user == null || user.length() > LONGEST) {
            return "";
        }
        try {
            JsonNode name = JsonMapper.shared().readTree(user).path("name");
            return (name.path("firstName").asString("") + " "
                            + name.path("lastName").asString(""))
                    .strip();
        } catch (JacksonException nonsense) {
            return "";
        }
    }
}
