package dev.chasqui.llama;

/**
 * What a chat template can do. A template that cannot take tools drops them silently, so look here first.
 *
 * @param source whose template it is
 * @param tools it renders tools and their calls
 * @param parallelTools one answer may hold several calls
 * @param systemRole it renders system messages
 * @param reasoning it renders earlier reasoning or asks for it
 * @param reasoningSwitch reasoning can be switched on and off ({@code enable_thinking})
 */
public record TemplateInfo(
        Source source,
        boolean tools,
        boolean parallelTools,
        boolean systemRole,
        boolean reasoning,
        boolean reasoningSwitch) {

    /** Whose template it is. */
    public enum Source {
        /** The one given when the model was loaded. */
        GIVEN,
        /** The model's own. */
        MODEL,
        /** ChatML, as the model has none. */
        CHATML
    }
}
