package dev.chasqui.gateway.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
final class FileLocksTest {
    @TempDir
    Path folder;

    @Test
    void namesTheProcessThatHoldsALockWhileItDoes() throws Exception {
        Path file = Files.createFile(folder.resolve("chats.mv.db"));
        Path other = Files.createFile(folder.resolve("other.mv.db"));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            assertThat(lock.isValid()).isTrue();
            assertThat(FileLocks.holder(file)).hasValue(ProcessHandle.current().pid());
            assertThat(FileLocks.holder(other)).isEmpty();
        }
        assertThat(FileLocks.holder(file)).isEmpty();
        assertThat(FileLocks.holder(folder.resolve("absent"))).isEmpty();
    }
}
