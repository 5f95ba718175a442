/**
 * Continuous batching: many requests, one model, one thread.
 *
 * <p>{@link dev.chasqui.node.engine.Engine}'s own thread owns every sequence, the {@code Scheduler}, the samplers and the
 * {@link dev.chasqui.node.engine.ModelRunner}; all other threads hand it commands and never touch that state. The package
 * needs the JDK only: time, model and sinks come in through ports.
 */
@NullMarked
package dev.chasqui.node.engine;

import org.jspecify.annotations.NullMarked;
