/**
 * The command line: flags and environment to configuration, signals, and what a terminal shows. Nothing here is used by
 * another module. Its state belongs to the main thread; signal handlers only hand work over.
 */
@NullMarked
package dev.chasqui.cli;

import org.jspecify.annotations.NullMarked;
