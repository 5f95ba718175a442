/**
 * Who asks: accounts and their sessions, API keys, and what each of them may do.
 *
 * <p>The event loop owns what is remembered of the database, and the counts of wrong passwords. Passwords are hashed on a
 * thread of their own.
 */
@NullMarked
package dev.chasqui.gateway.accounts;

import org.jspecify.annotations.NullMarked;
