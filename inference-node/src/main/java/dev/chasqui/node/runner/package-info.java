/**
 * The engine's ports over llama.cpp. A {@link dev.chasqui.node.runner.LlamaRunner} belongs to its engine's thread, but for
 * {@code interrupt}.
 */
@NullMarked
package dev.chasqui.node.runner;

import org.jspecify.annotations.NullMarked;
