package dev.chasqui.llama;

import java.util.Locale;

/** The type in which keys or values are kept. Quantised values need flash attention. */
public enum KvType {
    F32,
    F16,
    BF16,
    Q8_0,
    Q5_1,
    Q5_0,
    Q4_1,
    Q4_0,
    IQ4_NL;

    /** As people write it, such as {@code q8_0}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public boolean isQuantised() {
        return compareTo(BF16) > 0;
    }
}
