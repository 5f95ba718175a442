package dev.chasqui.node.runner;

import dev.chasqui.llama.Llama;
import java.nio.file.Path;

/** The real llama.cpp for tests, extracted once below this module's build folder. */
public final class TestLlama {
    private TestLlama() {}

    public static Llama load() {
        return Llama.load(Path.of("target", "llama"));
    }
}
