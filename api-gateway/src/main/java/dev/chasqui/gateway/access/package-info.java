/**
 * How requests may come: the hosts and origins that are let in.
 *
 * <p>Everything here is immutable.
 */
@NullMarked
package dev.chasqui.gateway.access;

import org.jspecify.annotations.NullMarked;
