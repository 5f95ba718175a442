/**
 * The models of this node: which there are, which are in memory, and who uses them.
 *
 * <p>Any thread may call {@link dev.chasqui.node.model.Models}; loads run one after the other on a thread of its own, so that
 * memory is promised to one model at a time.
 */
@NullMarked
package dev.chasqui.node.model;

import org.jspecify.annotations.NullMarked;
