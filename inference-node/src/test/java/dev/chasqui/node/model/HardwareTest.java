package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class HardwareTest {
    @Test
    void countsEachCoreOnceHoweverManyThreadsItHas() {
        List<String> cpuinfo = List.of(
                "processor : 0",
                "physical id : 0",
                "core id : 0",
                "processor : 1",
                "physical id : 0",
                "core id : 1",
                "processor : 2",
                "physical id : 0",
                "core id : 0",
                "processor : 3",
                "physical id : 0",
                "core id : 1");

        assertThat(Hardware.physicalCores(cpuinfo, 4)).isEqualTo(2);
    }

    @Test
    void countsTheCoresOfEachSocket() {
        List<String> cpuinfo = List.of(
                "processor : 0", "physical id : 0", "core id : 0", "processor : 1", "physical id : 1", "core id : 0");

        assertThat(Hardware.physicalCores(cpuinfo, 2)).isEqualTo(2);
    }

    @Test
    void takesEveryProcessorWhereNobodySaysWhatACoreIs() {
        assertThat(Hardware.physicalCores(List.of("processor : 0", "processor : 1"), 2))
                .isEqualTo(2);
    }

    @Test
    void knowsThisMachine() {
        assertThat(Hardware.physicalCores()).isBetween(1, Runtime.getRuntime().availableProcessors());
        assertThat(Hardware.memoryBytes()).isGreaterThan(100L << 20);
        // This process alone has taken some.
        assertThat(Hardware.freeMemoryBytes()).isPositive().isLessThan(Hardware.memoryBytes() - (10L << 20));
    }
}
