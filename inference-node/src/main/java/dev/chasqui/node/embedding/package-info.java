/**
 * Vectors of texts and scores of pairs, beside the engine. An {@link dev.chasqui.node.embedding.Embedder}'s native context
 * belongs to its own thread; its lock guards which call that thread computes.
 */
@NullMarked
package dev.chasqui.node.embedding;

import org.jspecify.annotations.NullMarked;
