/**
 * Signing in by way of others: what GitHub and Apple are asked, and what to believe of their answers.
 *
 * <p>The event loop owns Apple's keys, which are remembered; everything else is immutable. Codes, tokens and secrets reach no log and no
 * error message.
 */
@NullMarked
package dev.chasqui.gateway.oauth;

import org.jspecify.annotations.NullMarked;
