package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.NodeGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node whose default model's file was cut or overwritten: it says so, and serves what else there is. */
@Timeout(120)
final class DamagedModelTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {3, 100, 5000})
    void aDamagedDefaultModelIsToldWithItsReason(int length) throws Exception {
        Path whole = TinyGguf.write(folder.resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);
        Path cut = folder.resolve("cut.gguf");
        Files.write(cut, Arrays.copyOf(Files.readAllBytes(whole), length));

        for (String name : List.of("cut", cut.toString())) {
            try (TestNode node = TestNode.unready(folder, settings(name))) {
                TestNode.await("the failure", () -> status(node).getState() == ModelState.MODEL_STATE_FAILED);

                assertThat(status(node).getReason()).contains("cut.gguf");
                node.load("tiny");
                assertThat(node.generate(TestNode.prompt("Go on")
                                        .setModel("tiny")
                                        .build())
                                .tokens())
                        .isPositive();
            }
        }
    }

    /** Where it could be had again is not reachable here, so the next of the list would be taken: the node lives on. */
    @Test
    void aDamagedFileOfTheCatalogueIsNoReasonToEnd() throws Exception {
        Files.write(folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0});
        TinyGguf.write(folder.resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);

        try (TestNode node = TestNode.unready(folder, settings("tiny"))) {
            node.load("tiny");
            assertThat(status(node).getState()).isEqualTo(ModelState.MODEL_STATE_READY);
            assertThat(node.models.show("smollm2-135m-instruct").stored()).isNull();
        }
    }

    private static Model status(TestNode node) {
        return NodeGrpc.newBlockingStub(node.channel)
                .getStatus(GetStatusRequest.getDefaultInstance())
                .getModelsList()
                .stream()
                .filter(Model::getIsDefault)
                .findFirst()
                .orElse(Model.getDefaultInstance());
    }

    private static ModelSettings settings(String model) {
        return new ModelSettings(model, 4, 512, 0, 8, 1, 0, 64L << 20, true, List.of(), null, 1L << 40);
    }
}
