package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What an inference node is told, and told on to a child. */
final class NodeOptionsTest {
    @Test
    void handsEverythingOn() {
        NodeOptions options = parse("--parallel", "8", "--kv-tokens", "4096", "--lookahead", "off");

        assertThat(options.settings().kvTokens()).isEqualTo(4096);
        assertThat(options.settings().lookahead()).isFalse();
        assertThat(options.arguments()).containsExactly("--parallel", "8", "--kv-tokens", "4096", "--lookahead", "off");
        assertThat(parse(options.arguments().toArray(String[]::new)).settings()).isEqualTo(options.settings());
    }

    @Test
    void keysAndValuesAreKeptAsTold() {
        NodeOptions options = parse("--kv-type", "q8_0", "--flash-attention", "on");

        assertThat(options.settings().kvType()).isEqualTo(KvType.Q8_0);
        assertThat(options.settings().flashAttention()).isEqualTo(FlashAttention.ON);
        assertThat(options.arguments()).containsExactly("--kv-type", "q8_0", "--flash-attention", "on");
        assertThat(parse().settings().kvType()).isEqualTo(KvType.F16);
        assertThat(parse().settings().flashAttention()).isEqualTo(FlashAttention.AUTO);
    }

    @Test
    void aTypeThatThereIsNotIsRefused() {
        assertThatThrownBy(parse("--kv-type", "q9")::settings)
                .hasMessage("kv-type: q9 (expected: one of f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl)");
        assertThatThrownBy(parse("--flash-attention", "yes")::settings)
                .hasMessage("flash-attention: yes (expected: one of auto, on, off)");
    }

    @Test
    void looksAheadUnlessTold() {
        assertThat(parse().settings().lookahead()).isTrue();
        assertThat(parse("--lookahead", "on").settings().lookahead()).isTrue();
        assertThat(parse().arguments()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"yes", "true", ""})
    void lookaheadIsOnOrOff(String value) {
        NodeOptions options = parse("--lookahead", value);

        assertThatThrownBy(options::settings).hasMessage("lookahead: " + value + " (expected: on or off)");
    }

    @Test
    void aTinyCacheIsRefused() {
        NodeOptions options = parse("--kv-tokens", "10");

        assertThatThrownBy(options::settings)
                .hasMessage("kv-tokens: 10 (expected: 64 or more, or 0 for what all contexts need)");
    }

    private static NodeOptions parse(String... arguments) {
        NodeOptions options = new NodeOptions();
        new CommandLine(new Host(options)).parseArgs(arguments);
        return options;
    }

    /** A command that has them. */
    @CommandLine.Command
    private static final class Host {
        @CommandLine.Mixin
        private final NodeOptions options;

        Host(NodeOptions options) {
            this.options = options;
        }
    }
}
