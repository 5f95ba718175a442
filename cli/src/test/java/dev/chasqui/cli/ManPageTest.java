package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class ManPageTest {
    @TempDir
    Path folder;

    @Test
    void everyCommandHasAPageWithEachOfItsOptions() throws Exception {
        assertThat(Main.commandLine(Map.of(), Map::of)
                        .execute("man", "--to", folder.resolve("man1").toString()))
                .isZero();

        CommandLine program = Main.commandLine(Map.of(), Map::of);
        for (String name : List.of("serve", "node", "chat", "doctor")) {
            String page = Files.readString(folder.resolve("man1/chasqui-" + name + ".1"));
            assertThat(page).startsWith(".TH CHASQUI\\-" + name.toUpperCase(Locale.ROOT) + " 1");
            for (OptionSpec option : requireNonNull(program.getSubcommands().get(name))
                    .getCommandSpec()
                    .options()) {
                if (!option.hidden()) {
                    assertThat(page).contains(option.longestName().replace("-", "\\-"));
                }
            }
            assertThat(page).doesNotContain("${", "@|");
        }
        try (Stream<Path> pages = Files.list(folder.resolve("man1"))) {
            assertThat(pages.map(page -> page.getFileName().toString()))
                    .contains("chasqui.1", "chasqui-model.1", "chasqui-model-pull.1")
                    .noneMatch(name -> name.contains("rehearse"));
        }
    }

    @Test
    void noLineOfTextIsTakenForARequest() {
        CommandLine serve = requireNonNull(
                Main.commandLine(Map.of(), Map::of).getSubcommands().get("serve"));
        String page = ManPage.of(serve.getCommandSpec());

        assertThat(page.lines().filter(line -> line.startsWith(".")))
                .allMatch(line -> line.matches("\\.(TH|SH|PP|TP|B|nh|ad|nf|fi)\\b.*"));
        assertThat(page.lines()).noneMatch(line -> line.startsWith("'"));
    }
}
