/** The inference node as a process: its configuration, and how its parts are put together and taken down again. */
@NullMarked
package dev.chasqui.node;

import org.jspecify.annotations.NullMarked;
