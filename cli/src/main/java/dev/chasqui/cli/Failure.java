package dev.chasqui.cli;

/** Why the program ends now: one sentence for the terminal, without a stack trace. */
class Failure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /** @param exitCode 2 where something else must be asked for, 1 where it could have worked */
    Failure(String sentence, int exitCode) {
        super(sentence, null, false, false);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
