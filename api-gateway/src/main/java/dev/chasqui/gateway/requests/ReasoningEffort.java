package dev.chasqui.gateway.requests;

import java.util.Set;

/** How hard a model shall think, in the words of the dialects. */
public final class ReasoningEffort {
    /** OpenAI's words. */
    public static final Set<String> OPENAI = Text.ordered("none", "minimal", "low", "medium", "high", "xhigh", "max");

    /** Anthropic's words. */
    public static final Set<String> ANTHROPIC = Text.ordered("low", "medium", "high", "xhigh", "max");

    private ReasoningEffort() {}

    /** As templates know it, which know nothing above high. */
    public static String known(String effort) {
        return effort.equals("xhigh") || effort.equals("max") ? "high" : effort;
    }
}
