package dev.chasqui.llama;

import dev.chasqui.llama.LlamaException.Reason;

/** Range checks with the house's form of message. */
final class Check {
    private Check() {}

    static void range(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw invalid(name, value, min + " to " + max);
        }
    }

    static void range(String name, float value, float min, float max) {
        if (!(value >= min && value <= max)) {
            throw invalid(name, value, number(min) + " to " + number(max));
        }
    }

    static LlamaException invalid(String name, Object value, String expected) {
        return new LlamaException(Reason.INVALID_REQUEST, name + ": " + value + " (expected: " + expected + ")");
    }

    private static String number(float value) {
        return value == (long) value ? Long.toString((long) value) : Float.toString(value);
    }
}
