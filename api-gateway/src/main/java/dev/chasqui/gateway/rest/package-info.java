/**
 * The product's own HTTP interface: chat, models, health, version and metrics.
 *
 * <p>It keeps no state but the encoders, one for each answer; the event loop owns them while the answer streams.
 */
@NullMarked
package dev.chasqui.gateway.rest;

import org.jspecify.annotations.NullMarked;
