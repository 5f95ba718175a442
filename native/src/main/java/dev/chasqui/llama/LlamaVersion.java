package dev.chasqui.llama;

/**
 * The loaded llama.cpp.
 *
 * @param release its release, such as {@code v0.5.0}
 * @param commit the commit that the libraries were built from
 * @param build its build number
 */
public record LlamaVersion(String release, String commit, int build) {}
