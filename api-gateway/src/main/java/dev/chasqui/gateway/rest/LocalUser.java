package dev.chasqui.gateway.rest;

/** Who owns everything where there are no accounts. */
final class LocalUser {
    static final String ID = "local";

    private LocalUser() {}
}
