package dev.chasqui.llama;

/**
 * What the head of a model's file says, as far as it is known already: it saves {@link Llama#estimate} from reading the whole
 * vocabulary, which is most of its time.
 *
 * @param architecture such as {@code llama}; empty: not known
 * @param tokens in its vocabulary; 0: not known
 */
public record ModelHead(String architecture, long tokens) {
    public static final ModelHead UNKNOWN = new ModelHead("", 0);
}
