/**
 * Inference nodes as the gateway sees them: one gRPC channel each, what each last said of itself, which one answers a
 * request, which one goes on with an answer where another is lost, and the child process that serves as a local node.
 *
 * <p>Calls and watches live on the gateway's one event loop, which owns all their mutable state; what others may read
 * is published as immutable snapshots. The supervisor of a local node has a thread of its own,
 * and so has each name whose addresses are nodes.
 */
@NullMarked
package dev.chasqui.gateway.nodes;

import org.jspecify.annotations.NullMarked;
