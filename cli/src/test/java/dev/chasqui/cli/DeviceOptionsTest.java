package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.GpuSplit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What a node is told of its devices, by whoever starts it. */
class DeviceOptionsTest {
    @Test
    void everyChoiceCanBeOverriddenAndIsHandedOn() {
        NodeOptions options = parse(
                Map.of("CHASQUI_BACKEND", "Vulkan"),
                "--split-mode=none",
                "--main-gpu=1",
                "--tensor-split=3,1",
                "--gpu-layers=7");

        assertThat(options.backend()).isEqualTo(Backend.VULKAN);
        assertThat(options.settings().gpuLayers()).isEqualTo(7);
        assertThat(options.settings().split()).isEqualTo(new GpuSplit(GpuSplit.Mode.NONE, 1, List.of(3f, 1f)));
        NodeOptions child = parse(Map.of(), options.arguments().toArray(String[]::new));
        assertThat(child.settings()).isEqualTo(options.settings());
        assertThat(child.backend()).isEqualTo(Backend.VULKAN);
    }

    @Test
    void nothingSaidIsTheBestThatTheMachineHas() {
        assertThat(parse(Map.of()).backend()).isNull();
        assertThat(parse(Map.of(), "--backend", "auto").backend()).isNull();
        assertThat(parse(Map.of()).settings().split()).isEqualTo(GpuSplit.AUTO);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--main-gpu=99              | main-gpu: 99 (expected: 0 to 15)",
                "--tensor-split=0,0         | tensor-split: [0.0, 0.0] (expected: at most 16 numbers of 0 or more, one of"
                        + " them above 0)",
            })
    void whatMakesNoSenseIsRefused(String arguments, String message) {
        NodeOptions options = parse(Map.of(), arguments.split(" "));

        assertThatThrownBy(options::settings)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    private static NodeOptions parse(Map<String, String> environment, String... arguments) {
        CommandLine program = Main.commandLine(environment, Map::of);
        String[] all = new String[arguments.length + 1];
        all[0] = "node";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        CommandLine.ParseResult parsed = program.parseArgs(all);
        return ((NodeCommand) parsed.subcommand().commandSpec().userObject()).options();
    }
}
