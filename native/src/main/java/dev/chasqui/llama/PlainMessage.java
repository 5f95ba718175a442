package dev.chasqui.llama;

/**
 * A message of nothing but text.
 *
 * @param role 1 to 32 letters, digits, _ or -
 */
public record PlainMessage(String role, String text) {}
