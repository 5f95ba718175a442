package dev.chasqui.gateway;

import dev.chasqui.gateway.nodes.ModelNames;
import java.util.List;
import java.util.Set;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the gateway speaks to clients; properties {@code chasqui.*}, in a file, the environment or as arguments.
 *
 * @param aliases {@code chasqui.aliases}: other names for models, each {@code PATTERN=MODEL}; {@code *} in a pattern
 *     stands for anything, the model {@code default} for the default one, the model {@code *} for the name as it is.
 *     They come before the built-in {@code gpt-*}, {@code claude-*} and {@code text-embedding-*}.
 * @param reasoningField {@code chasqui.reasoning-field}: where OpenAI's chat tells what a model thought:
 *     {@code reasoning_content} or {@code reasoning}
 */
public record DialectSettings(
        @DefaultValue List<String> aliases,
        @DefaultValue("reasoning_content") String reasoningField) {
    private static final Set<String> REASONING_FIELDS = Set.of("reasoning_content", "reasoning");

    public DialectSettings {
        aliases = List.copyOf(aliases);
        for (String alias : aliases) {
            try {
                ModelNames.Alias.parse(alias);
            } catch (IllegalArgumentException e) {
                throw new BadSettingsException("chasqui.aliases: " + e.getMessage());
            }
        }
        if (!REASONING_FIELDS.contains(reasoningField)) {
            throw new BadSettingsException(
                    "chasqui.reasoning-field: \"" + reasoningField + "\" (expected: reasoning_content or reasoning)");
        }
    }

    /** As without any settings. */
    public static DialectSettings defaults() {
        return new DialectSettings(List.of(), "reasoning_content");
    }

    /** The names that models go by. */
    ModelNames modelNames() {
        return new ModelNames(aliases.stream().map(ModelNames.Alias::parse).toList());
    }
}
