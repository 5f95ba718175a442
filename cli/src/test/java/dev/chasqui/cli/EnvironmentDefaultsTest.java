package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class EnvironmentDefaultsTest {

    @Command(name = "node")
    static final class Some {
        @Mixin
        NodeOptions node;
    }

    @Test
    void aVariableStandsForAnOption() {
        assertThat(parse(Map.of("CHASQUI_PARALLEL", "7", "CHASQUI_MODELS_PATH", "/models"))
                        .arguments())
                .containsExactly("--models-path", "/models", "--parallel", "7");
    }

    @Test
    void aFlagIsStrongerThanAVariable() {
        assertThat(parse(Map.of("CHASQUI_PARALLEL", "7"), "--parallel", "3").parallel)
                .isEqualTo(3);
    }

    @Test
    void otherServersNamesWorkAsWell() {
        assertThat(parse(Map.of("N_CTX", "2048", "NUM_THREADS", "0")).arguments())
                .containsExactly("--ctx", "2048", "--threads", "0");
    }

    @Test
    void ownNamesAreStrongerThanOtherServers() {
        assertThat(parse(Map.of("N_CTX", "2048", "CHASQUI_CTX", "512")).context).isEqualTo(512);
    }

    @Test
    void anEmptyVariableIsNone() {
        assertThat(parse(Map.of("CHASQUI_MODEL", " ")).model).isNull();
    }

    private static NodeOptions parse(Map<String, String> environment, String... arguments) {
        Some some = new Some();
        new CommandLine(some)
                .setDefaultValueProvider(new EnvironmentDefaults(environment, Map::of))
                .parseArgs(arguments);
        return some.node;
    }
}
