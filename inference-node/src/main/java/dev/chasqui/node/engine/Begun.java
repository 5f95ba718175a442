package dev.chasqui.node.engine;

/**
 * What another engine had made of an answer.
 *
 * @param tokens that it had chosen; not to be changed
 * @param ageNanos since the answer was first asked for; it counts as waited for
 */
public record Begun(int[] tokens, long ageNanos) {
    /** A new answer. */
    public static final Begun NOTHING = new Begun(new int[0], 0);
}
