package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one place where the name in a request becomes the name of a model.
 *
 * <p>Names of well-known services are the default model, so that their clients need nothing but a new address. The
 * settings' own aliases come first; of several that fit, the first counts.
 */
public final class ModelNames {
    private static final String DEFAULT = "default";
    private static final String AS_IT_IS = "*";
    private static final List<Alias> BUILT_IN = List.of(
            // A model of that name can be run here.
            new Alias("gpt-oss*", AS_IT_IS),
            new Alias("gpt-*", DEFAULT),
            new Alias("claude-*", DEFAULT),
            new Alias("text-embedding-*", DEFAULT));

    /**
     * Another name for a model.
     *
     * @param pattern a name in which {@code *} stands for anything
     * @param model its name; {@code default} for the default model, {@code *} for the name as it is
     */
    public record Alias(String pattern, String model) {
        public Alias {
            if (pattern.isBlank() || model.isBlank()) {
                throw new IllegalArgumentException(
                        "\"" + pattern + "=" + model + "\" (expected: PATTERN=MODEL, such as gpt-*=default)");
            }
        }

        /**
         * Reads {@code PATTERN=MODEL}.
         *
         * @throws IllegalArgumentException where it is not
         */
        public static Alias parse(String text) {
            int equals = text.indexOf('=');
            String pattern = equals < 0 ? "" : text.substring(0, equals).strip();
            if (pattern.isEmpty() || text.substring(equals + 1).isBlank()) {
                throw new IllegalArgumentException("\"" + text + "\" (expected: PATTERN=MODEL, such as gpt-*=default)");
            }
            return new Alias(pattern, text.substring(equals + 1).strip());
        }

        boolean fits(String name) {
            String[] parts = pattern.split("\\*", -1);
            if (parts.length == 1) {
                return name.equals(pattern);
            }
            String last = parts[parts.length - 1];
            if (!name.startsWith(parts[0]) || !name.endsWith(last)) {
                return false;
            }
            int at = parts[0].length();
            for (int i = 1; i < parts.length - 1; i++) {
                int found = name.indexOf(parts[i], at);
                if (found < 0) {
                    return false;
                }
                at = found + parts[i].length();
            }
            return at <= name.length() - last.length();
        }
    }

    private final List<Alias> aliases;

    /** @param own aliases that come before the built-in ones */
    public ModelNames(List<Alias> own) {
        aliases = new ArrayList<>(own);
        aliases.addAll(BUILT_IN);
    }

    /**
     * The node's name for it; empty for the default model.
     *
     * @param requested null or empty where the request names none
     */
    public String resolve(@Nullable String requested) {
        if (requested == null || requested.isEmpty() || requested.equals(DEFAULT)) {
            return "";
        }
        for (Alias alias : aliases) {
            if (alias.fits(requested)) {
                return alias.model().equals(DEFAULT) ? "" : alias.model().equals(AS_IT_IS) ? requested : alias.model();
            }
        }
        return requested;
    }

    /** Whether a model is on disk somewhere, or on its way there; one that could not be fetched is neither. */
    public static boolean isHere(Model model) {
        boolean absent = model.getState() == ModelState.MODEL_STATE_ABSENT;
        boolean neverCame = model.getState() == ModelState.MODEL_STATE_FAILED && model.getModifiedEpochS() == 0;
        return !absent && !neverCame;
    }
}
