/** Tests with the real libraries, on a tiny model written by {@link dev.chasqui.llama.TinyGguf}. */
@NullMarked
package dev.chasqui.llama;

import org.jspecify.annotations.NullMarked;
