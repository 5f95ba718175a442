package dev.chasqui.node.engine;

/**
 * How an engine works.
 *
 * @param queueCapacity most requests that wait for a slot, 0 or more
 * @param promptCacheBytes most memory for beginnings that left the KV cache; 0: none is kept
 * @param lookahead whether an answer that runs alone may have likely next tokens computed ahead
 */
public record EngineOptions(int queueCapacity, long promptCacheBytes, boolean lookahead) {}
