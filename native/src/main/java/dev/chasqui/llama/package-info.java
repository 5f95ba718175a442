/**
 * llama.cpp for Java: owned handles over one pinned release, reached through a small C library of our own ("the shim"), so
 * that no structure of llama.cpp is known to Java. The only package that knows JNA.
 *
 * <p>A {@link dev.chasqui.llama.LlamaModel} may be read by any thread; a {@link dev.chasqui.llama.LlamaContext}, its batch,
 * and each sampler and parser belong to one thread at a time. Wrong use (closed twice, used by two threads, closed while
 * something still needs it) is an exception, never a crash. Rendering templates, parsing answers and sampling under a grammar
 * recurse: do it on threads with a stack of at least {@link dev.chasqui.llama.Llama#STACK_BYTES}.
 */
@NullMarked
package dev.chasqui.llama;

import org.jspecify.annotations.NullMarked;
