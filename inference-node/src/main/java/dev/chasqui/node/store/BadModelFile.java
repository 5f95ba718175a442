package dev.chasqui.node.store;

/** A file that is no usable GGUF model; the message says in one sentence what is wrong with it. */
public final class BadModelFile extends StoreException {
    private static final long serialVersionUID = 1L;

    public BadModelFile(String message) {
        super(Reason.BAD_FILE, message);
    }
}
