package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelTextTest {
    private static final JsonNode MODELS = JsonMapper.shared().readTree("""
            [{"name": "far", "state": "absent", "size_bytes": 4700000000},
             {"name": "near", "state": "on_disk", "heat": "warm", "size_bytes": 98362432, "quantization": "Q4_1",
              "last_modified": "2026-11-21T10:00:00Z"},
             {"name": "coming", "state": "downloading", "progress": 0.256, "size_bytes": 0},
             {"name": "here", "state": "ready", "is_default": true, "size_bytes": 1, "quantization": "Q8_0"}]""");

    @Test
    void whatIsHereComesFirstInColumns() {
        assertThat(ModelText.table(MODELS, 0)).isEqualTo("""
                NAME      SIZE  TYPE  STATE             MODIFIED
                near     98 MB  Q4_1  on disk, warm     2026-11-21
                coming                downloading 26 %
                here *    0 MB  Q8_0  in memory
                far     4.7 GB        to be pulled
                """);
    }

    @Test
    void aNarrowTerminalGetsFewerColumns() {
        assertThat(ModelText.table(MODELS, 50)).isEqualTo(ModelText.table(MODELS, 0));
        assertThat(ModelText.table(MODELS, 49)).startsWith("NAME      SIZE  TYPE  STATE\n");
        assertThat(ModelText.table(MODELS, 20)).startsWith("NAME      SIZE  STATE\n");
    }

    @Test
    void whyAModelFailedIsBelowTheTable() {
        JsonNode model = JsonMapper.shared().readTree("""
                [{"name": "bad", "state": "failed", "reason": "bad.gguf: not a GGUF file", "size_bytes": 100},
                 {"name": "far", "state": "absent", "size_bytes": 4700000000, "reason": ""}]""");
        assertThat(ModelText.table(model, 0)).endsWith("to be pulled\n\nbad failed: bad.gguf: not a GGUF file\n");
    }

    @Test
    void whatAFetchLeftIsTold() {
        JsonNode model = JsonMapper.shared().readTree("""
                [{"name": "half", "state": "absent", "size_bytes": 0, "bytes_done": 31000000}]""");
        assertThat(ModelText.table(model, 0)).contains("to be pulled, 31 MB are here");
    }

    @Test
    void longLinesGoOnBelowThemselves() {
        LabelledText text = new LabelledText(40)
                .line("features", "one two three four five six")
                .line("none", "");
        assertThat(text.toString()).isEqualTo("features       one two three four five\n               six\n");
        assertThat(new LabelledText(0)
                        .line("x", "a  ".repeat(100).strip())
                        .toString()
                        .lines())
                .hasSize(1);
    }

    @Test
    void whatIsSlowForManySaysWhatHelps() {
        JsonNode model = JsonMapper.shared().readTree("""
                {"name": "near", "state": "ready", "quantization": "Q4_1", "slow_with_many": true}""");
        assertThat(ModelText.details(model, 0)).contains("no kernel for Q4_1", "chasqui model optimize near");
        JsonNode quick = JsonMapper.shared().readTree("""
                {"name": "near", "state": "ready", "quantization": "Q4_1", "slow_with_many": false}""");
        assertThat(ModelText.details(quick, 0)).doesNotContain("optimize");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5 | 50 | 100  | 10 | x  50 %  0 of 0 MB  0.0 MB/s  0:05 left  [###############               ]",
                "0   | 0  | 0    | 0  | x   0 %  [                              ]",
                "1   | 0  | 0    | 0  | x 100 %  [##############################]",
                "2   | 0  | 0    | 0  | x 200 %  [##############################]",
            })
    void aBarIsOneLine(double progress, long done, long total, double rate, String line) {
        assertThat(new Bar("x", progress, done, total, rate).line(0)).isEqualTo(line);
    }

    @Test
    void longTimesHaveHours() {
        assertThat(new Bar("x", 0, 0, 7_322_000_000L, 1_000_000).line(0)).contains("1.0 MB/s  2:02:02 left  [");
    }
}
