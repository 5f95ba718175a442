package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SpellingTest {
    private static final List<String> KNOWN = List.of(
            "llama-3.2-3b-instruct", "llama2-7b", "mistral-7b", "phi-2", "smollm2-135m-instruct", "Mine-Q4_K_M");

    @ParameterizedTest
    @CsvSource({
        "smollm2, smollm2-135m-instruct",
        "smollm, smollm2-135m-instruct",
        "smollm2-1.7b, smollm2-1.7b-instruct",
        "phi2, phi-2",
        "phi, phi-2",
        "zebra, ''",
    })
    void ofNamesThatAreAsNearThePreferredOne(String written, String meant) {
        assertThat(Spelling.nearest(
                        written, List.of("smollm2-135m-instruct"), List.of("phi-2", "smollm2-1.7b-instruct")))
                .isEqualTo(meant);
    }

    @ParameterizedTest
    @CsvSource({
        "smollm2, smollm2-135m-instruct",
        "SmolLM2_135m, smollm2-135m-instruct",
        "smolm2-135m-instuct, smollm2-135m-instruct",
        "smolm2-135m, smollm2-135m-instruct",
        "llama, llama2-7b",
        "phi2, phi-2",
        "phi-3, phi-2",
        "mistral:7b, mistral-7b",
        "mine-q4-k-m, Mine-Q4_K_M",
        "zebra, ''",
        "zz, ''",
        "'', ''",
    })
    void theKnownNameThatIsMostLikeWhatWasWritten(String written, String meant) {
        assertThat(Spelling.nearest(written, KNOWN)).isEqualTo(meant);
    }

    @Test
    void ofTwoThatAreAsNearTheShorterOne() {
        assertThat(Spelling.nearest("paralel", List.of("parallel-requests", "parallel")))
                .isEqualTo("parallel");
    }
}
