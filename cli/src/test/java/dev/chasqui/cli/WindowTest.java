package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOError;
import java.io.IOException;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Size;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.Test;

class WindowTest {
    private final Asked terminal = new Asked();
    private final Window window = new Window(terminal);

    WindowTest() throws IOException {}

    @Test
    void theWidthIsAskedForOnceAndAgainWhenTheWindowHasChanged() {
        for (int i = 0; i < 10; i++) {
            assertThat(window.columns()).isEqualTo(80);
        }
        assertThat(terminal.asked).isEqualTo(1);

        terminal.columns = 40;
        window.changed();
        assertThat(window.columns()).isEqualTo(40);
        assertThat(terminal.asked).isEqualTo(2);
    }

    @Test
    void aWidthThatCannotBeHadNowIsTheOldOneUntilItCan() {
        window.columns();
        terminal.columns = 40;
        window.changed();
        terminal.failures = 1;

        assertThat(window.columns()).isEqualTo(80);
        assertThat(window.columns()).isEqualTo(40);
    }

    @Test
    void anEchoThatCannotBeSetAtOnceIsSetAfterAll() {
        terminal.failures = 2;
        window.silence();
        assertThat(terminal.getAttributes().getLocalFlag(LocalFlag.ECHO)).isFalse();

        terminal.failures = 2;
        window.asUsual();
        assertThat(terminal.getAttributes().getLocalFlag(LocalFlag.ECHO)).isTrue();
    }

    /** Fails as JLine's terminals do when Ctrl-C ends their stty. */
    private static final class Asked extends DumbTerminal {
        private int columns = 80;
        private int asked;
        private int failures;

        Asked() throws IOException {
            super(new ByteArrayInputStream(new byte[0]), new ByteArrayOutputStream());
            Attributes echoing = getAttributes();
            echoing.setLocalFlag(LocalFlag.ECHO, true);
            setAttributes(echoing);
        }

        @Override
        public Size getSize() {
            failOnce();
            asked++;
            return new Size(columns, 24);
        }

        @Override
        public void setAttributes(Attributes attributes) {
            failOnce();
            super.setAttributes(attributes);
        }

        private void failOnce() {
            if (failures > 0) {
                failures--;
                throw new IOError(new IOException("Failed to exec spawn helper: pid: 4711, signal: 2"));
            }
        }
    }
}
