/**
 * What keys and accounts may take, and what they have taken. Requests are let in or refused by what this gateway knows;
 * the database, through which gateways share what they know and keep it, is spoken to now and then and apart from them.
 *
 * <p>The event loop owns all counts and buckets.
 */
@NullMarked
package dev.chasqui.gateway.limits;

import org.jspecify.annotations.NullMarked;
