/**
 * What models there are and where their files come from: the catalogue, sources, downloads, the GGUF check, and the
 * models folder. {@link dev.chasqui.node.store.ModelStore} is the way in; it is safe for use by any thread, and each
 * download owns its files and its counters on a thread of its own.
 */
@NullMarked
package dev.chasqui.node.store;

import org.jspecify.annotations.NullMarked;
