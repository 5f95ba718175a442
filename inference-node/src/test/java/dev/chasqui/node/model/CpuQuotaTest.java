package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuQuotaTest {
    @TempDir
    Path root;

    @Test
    void aMachineWithoutGroupsHasNoLimit() {
        assertThat(CpuQuota.of(root)).isEmpty();
    }

    @Test
    void theLeastOfAGroupAndThoseAboveItCounts() throws IOException {
        file("proc/self/cgroup", "0::/pod/container\n");
        file("sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
        assertThat(CpuQuota.of(root)).isEmpty();

        file("sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
        assertThat(CpuQuota.of(root)).hasValue(1.5);

        file("sys/fs/cgroup/pod/container/cpu.max", "50000 100000\n");
        assertThat(CpuQuota.of(root)).hasValue(0.5);
    }

    @Test
    void aContainerThatSeesItselfAsTheTopIsLimited() throws IOException {
        file("proc/self/cgroup", "0::/somewhere/on/the/host\n");
        file("sys/fs/cgroup/cpu.max", "200000 100000\n");

        assertThat(CpuQuota.of(root)).hasValue(2);
    }

    @Test
    void theFirstVersionIsRead() throws IOException {
        file("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a\n");
        file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
        file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
        assertThat(CpuQuota.of(root)).isEmpty();

        file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
        assertThat(CpuQuota.of(root)).hasValue(3);
    }

    @Test
    void nonsenseIsNoLimit() throws IOException {
        file("proc/self/cgroup", "0::/\nnonsense\n:::\n");
        file("sys/fs/cgroup/cpu.max", "many few\n");

        assertThat(CpuQuota.of(root)).isEmpty();
    }

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
