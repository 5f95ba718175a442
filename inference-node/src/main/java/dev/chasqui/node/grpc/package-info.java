/**
 * The wire: calls in, engine requests out, and answers back.
 *
 * <p>Calls come in on the server's handler threads. The engine's thread drops text into an {@code AnswerStream} and goes on;
 * the relay thread parses it and writes it out. {@code Failures} is the one place where our errors become gRPC statuses.
 */
@NullMarked
package dev.chasqui.node.grpc;

import org.jspecify.annotations.NullMarked;
