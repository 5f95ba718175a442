package dev.chasqui.cli;

/** A command that runs a server, whose settings can be checked without running it. */
interface ServerCommand {
    /** @throws Failure or IllegalArgumentException where a setting makes no sense */
    void check();
}
