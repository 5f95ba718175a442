/**
 * The gateway as a process: its settings, its wiring, the page, and its end.
 *
 * <p>Requests run on the one event loop; starting and stopping run on the caller's thread.
 */
@NullMarked
package dev.chasqui.gateway;

import org.jspecify.annotations.NullMarked;
