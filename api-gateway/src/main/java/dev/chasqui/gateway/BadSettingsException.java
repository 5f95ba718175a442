package dev.chasqui.gateway;

/** A setting that is not as it must be; the message names it, its value and what is expected. */
public final class BadSettingsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BadSettingsException(String message) {
        super(message);
    }
}
