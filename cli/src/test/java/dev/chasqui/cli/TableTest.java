package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
    private final Table table = new Table(List.of(
            new Table.Column("ID"),
            new Table.Column("NAME").cut(),
            new Table.Column("USED").leftOut(1),
            new Table.Column("N").right().leftOut(2)));

    @Test
    void columnsAreInLineAndNumbersEndInLine() {
        table.row(List.of("a", "ci", "never", "7"));
        table.row(List.of("b", "nightly", "", "1234"));
        assertThat(table.text(0)).isEqualTo("""
                ID  NAME     USED      N
                a   ci       never     7
                b   nightly         1234
                """);
    }

    @Test
    void shortLinesDoWithoutWhatSaysLeast() {
        table.row(List.of("a", "ci", "never", "7"));
        assertThat(table.text(20)).startsWith("ID  NAME  USED   N\n");
        assertThat(table.text(17)).startsWith("ID  NAME  N\n");
        assertThat(table.text(16)).startsWith("ID  NAME  N\n");
        assertThat(table.text(10)).startsWith("ID  NAME\n");
    }

    @Test
    void aLongNameIsCutWhereNothingElseCanGo() {
        table.row(List.of("key_1", "a name that somebody thought of", "never", "7"));
        assertThat(table.text(20)).isEqualTo("""
                ID     NAME
                key_1  a name that…
                """);
        assertThat(table.text(5)).contains("key_1  a name…\n");
    }

    @Test
    void aLongNameIsCutBeforeMuchElseGoes() {
        table.row(List.of("key_1", "a name that somebody thought of", "never", "7"));
        assertThat(table.text(40)).isEqualTo("""
                ID     NAME                     USED   N
                key_1  a name that somebody t…  never  7
                """);
    }

    @Test
    void signsThatTakeTwoColumnsCountAsTwo() {
        table.row(List.of("a", "日本", "never", "7"));
        table.row(List.of("b", "four", "never", "8"));
        assertThat(table.text(0)).contains("a   日本  never  7\n", "b   four  never  8\n");
    }
}
