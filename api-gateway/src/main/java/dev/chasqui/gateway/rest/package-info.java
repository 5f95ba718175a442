/**
 * The product's own HTTP interface: health, models, version and metrics.
 *
 * <p>It keeps no state.
 */
@NullMarked
package dev.chasqui.gateway.rest;

import org.jspecify.annotations.NullMarked;
