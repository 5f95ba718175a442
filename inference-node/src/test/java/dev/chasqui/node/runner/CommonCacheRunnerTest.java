package dev.chasqui.node.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.node.engine.ModelRunner;
import org.junit.jupiter.api.Test;

/** The same with one KV cache for all slots. */
final class CommonCacheRunnerTest extends LlamaRunnerTest {
    @Override
    boolean unified() {
        return true;
    }

    @Test
    void letsNoSequenceHaveTheWholeCache() {
        try (ModelRunner runner = open(4, 128, 32)) {
            assertThat(runner.contextTokens()).isEqualTo(128);
            assertThat(runner.kvTokens()).isBetween(4L * 128, 4L * 128 + 256);
        }
    }
}
