package dev.chasqui.llama;

import org.jspecify.annotations.Nullable;

/**
 * A piece of an answer. What is absent is null.
 *
 * @param content text for the reader
 * @param reasoning text of the model's thinking
 * @param toolIndex which tool call of this answer the {@code tool...} parts belong to, from 0; -1: none
 * @param toolId the call's id, in its first delta only
 * @param toolName the function's name, in the call's first delta only
 * @param toolArguments the next piece of the arguments' JSON text
 */
public record ChatDelta(
        @Nullable String content,
        @Nullable String reasoning,
        int toolIndex,
        @Nullable String toolId,
        @Nullable String toolName,
        @Nullable String toolArguments) {}
