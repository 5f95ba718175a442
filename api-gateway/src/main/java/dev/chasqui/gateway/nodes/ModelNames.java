package dev.chasqui.gateway.nodes;

import java.util.List;

/** The one place where the name in a request becomes the name of a model. */
public final class ModelNames {
    private static final List<String> DEFAULT_PREFIXES = List.of("gpt-", "claude-");

    private ModelNames() {}

    /** The node's name for it; empty for the default model, which also answers to names of well-known services. */
    public static String resolve(String requested) {
        boolean isDefault =
                requested.equals("default") || DEFAULT_PREFIXES.stream().anyMatch(requested::startsWith);
        return isDefault ? "" : requested;
    }
}
