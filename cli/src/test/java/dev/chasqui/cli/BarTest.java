package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BarTest {
    private static final Bar DOWNLOAD = bar(0.39);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0   | small-model downloads  39 %  38 of 98 MB  4.2 MB/s  0:14 left  [###########                   ]",
                "120 | small-model downloads  39 %  38 of 98 MB  4.2 MB/s  0:14 left  [###########                   ]",
                "80  | small-model downloads  39 %  38 of 98 MB  4.2 MB/s  0:14 left  [###       ]",
                "70  | small-model downloads  39 %  38 of 98 MB  0:14 left  [###       ]",
                "60  | small-model downloads  39 %  38 of 98 MB  0:14 left",
                "45  | small-model downloads  39 %  38 of 98 MB",
                "40  | small-model downloads  39 %",
                "20  | small-model d  39 %",
            })
    void aNarrowWindowGetsWhatSaysMost(int columns, String line) {
        assertThat(DOWNLOAD.line(columns)).isEqualTo(line);
    }

    @Test
    void theLastColumnStaysFreeAtEachWidthAndProgress() {
        for (int columns = 20; columns < 200; columns++) {
            for (int percent = 0; percent <= 100; percent++) {
                assertThat(bar(percent / 100.0).line(columns)).hasSizeLessThan(columns);
                assertThat(Bar.of("small-model loads", percent / 100.0).line(columns))
                        .hasSizeLessThan(columns);
            }
        }
    }

    @Test
    void theDrawingIsFullAtTheEndOnly() {
        assertThat(bar(0.999).line(120)).contains("# ]").contains(" 99 %");
        assertThat(bar(1).line(120)).endsWith("[" + "#".repeat(30) + "]");
        assertThat(bar(0).line(120)).endsWith("[" + " ".repeat(30) + "]");
    }

    @Test
    void aLineThatIsLeftEndsAndNoOtherIsDrawn() {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        ProgressPrinter printer = new ProgressPrinter(new PrintStream(written, true), true, () -> 80);
        printer.show(DOWNLOAD);
        printer.end();
        printer.show(DOWNLOAD);
        printer.clear();

        assertThat(written.toString(StandardCharsets.UTF_8))
                .contains("0:14 left")
                .endsWith("\u001b[?7h" + System.lineSeparator());
    }

    @Test
    void aLineIsAsWideAsTheWindowIsByThen() throws InterruptedException {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        AtomicInteger columns = new AtomicInteger(120);
        ProgressPrinter printer = new ProgressPrinter(new PrintStream(written, true), true, columns::get);
        printer.show(DOWNLOAD);
        columns.set(40);
        Thread.sleep(150); // it draws at most ten times a second
        printer.show(DOWNLOAD);

        String[] lines = written.toString(StandardCharsets.UTF_8).split("\r", -1);
        assertThat(lines[1]).contains("MB/s").contains("[#");
        assertThat(lines[2].replaceAll("\u001b\\[[^a-zA-Z]*[a-zA-Z]", "")).hasSizeBetween(20, 39);
    }

    private static Bar bar(double progress) {
        return new Bar("small-model downloads", progress, (long) (98e6 * progress), 98_000_000, 4_200_000);
    }
}
