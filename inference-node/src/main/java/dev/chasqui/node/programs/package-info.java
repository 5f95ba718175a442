/**
 * Programs of this machine that bring what others packaged, {@code pip} and {@code npm}: so with whatever mirror the machine is
 * set up for. Each run belongs to the thread that waits for it.
 */
@NullMarked
package dev.chasqui.node.programs;

import org.jspecify.annotations.NullMarked;
