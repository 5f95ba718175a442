/**
 * The database: its address, its migrations, transactions, and whether it can be reached. The only package that sees
 * its drivers.
 *
 * <p>PostgreSQL is spoken to on the event loop. The embedded database computes in its callers' threads, so it has two
 * of its own, which end when there is nothing to do. Results always come on the event loop.
 */
@NullMarked
package dev.chasqui.gateway.storage;

import org.jspecify.annotations.NullMarked;
