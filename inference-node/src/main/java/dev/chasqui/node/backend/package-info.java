/**
 * What computes: which GPUs and drivers this machine has, which of the pinned release's libraries fits them, and that library,
 * fetched when it is first needed. {@link dev.chasqui.node.backend.Backends} is the way in; the thread that loads models uses it.
 */
@NullMarked
package dev.chasqui.node.backend;

import org.jspecify.annotations.NullMarked;
