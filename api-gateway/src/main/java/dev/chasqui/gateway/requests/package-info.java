/**
 * What the dialects share in reading: routes, bodies, fields, and what a request may say of a generation, whatever the
 * dialect. Each request is read once, here, and what is wrong with it is a {@link RequestError}.
 *
 * <p>Everything here is immutable, but for the count of bytes that bodies take.
 */
@NullMarked
package dev.chasqui.gateway.requests;

import org.jspecify.annotations.NullMarked;
