package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class FileFaultsTest {
    @Test
    void whatJavaSaysByTheTypeAloneIsSaidInWords() {
        assertThat(FileFaults.reason(new NoSuchFileException("a/b"))).isEqualTo("no such file or folder");
        assertThat(FileFaults.reason(new AccessDeniedException("a/b"))).isEqualTo("permission denied");
        assertThat(FileFaults.reason(new FileSystemException("a/b", null, "Read-only file system")))
                .isEqualTo("read-only file system");
        assertThat(FileFaults.reason(new IOException())).isEqualTo("IOException");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsKnownAsOne() throws IOException {
        try (OutputStream full = new FileOutputStream("/dev/full")) {
            full.write(1);
            throw new AssertionError("it took it");
        } catch (IOException e) {
            assertThat(FileFaults.isFull(e)).isTrue();
        }
        assertThat(FileFaults.isFull(new NoSuchFileException("a/b"))).isFalse();
    }
}
