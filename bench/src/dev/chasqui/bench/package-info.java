/**
 * Measures Chasqui as its clients see it: whole processes over HTTP, and beside them the node's own word over gRPC. Each
 * measurement is a command of {@link dev.chasqui.bench.Bench}. All state belongs to the thread that runs the command, where
 * nothing else is said.
 */
@NullMarked
package dev.chasqui.bench;

import org.jspecify.annotations.NullMarked;
