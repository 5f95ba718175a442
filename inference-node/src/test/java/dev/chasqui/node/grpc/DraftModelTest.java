package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.Usage;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A small model that guesses for a larger one, with real libraries: of 48 layers of the larger one only its own two say anything. */
@Timeout(240)
final class DraftModelTest {
    @TempDir
    Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(folder.resolve("models"));
        write("large", TinyGguf.Options.DEFAULT.withSilentLayers(46));
        write("small", TinyGguf.Options.DEFAULT);
        write("other", TinyGguf.Options.DEFAULT.withKind(TinyGguf.Kind.EMBEDDER));
    }

    @Test
    void theTextIsTheSame() throws Exception {
        String plain;
        try (TestNode alone = TestNode.over(folder.resolve("models"), settings(null))) {
            plain = alone.generate(request()).text();
        }
        try (TestNode node = TestNode.over(folder.resolve("models"), settings("small"))) {
            for (int i = 0; i < 3; i++) {
                Answer answer = node.generate(request());
                Usage usage = answer.completed().getUsage();
                assertThat(answer.text()).isEqualTo(plain);
                assertThat(usage.getAcceptedTokens()).isLessThanOrEqualTo(usage.getDraftedTokens());
            }
        }
    }

    @Test
    void aModelThatCannotGuessIsSaidSo() throws IOException {
        assertFails("other", "draft model other: it cannot guess");
        assertFails("nobody", "draft model nobody: not on disk");
    }

    private void assertFails(String draft, String reason) throws IOException {
        String message = "";
        try (TestNode node = TestNode.unready(folder.resolve("models"), settings(draft))) {
            ModelsGrpc.newBlockingStub(node.channel)
                    .loadModel(LoadModelRequest.getDefaultInstance())
                    .forEachRemaining(progress -> {});
        } catch (StatusRuntimeException e) {
            message = String.valueOf(e.getMessage());
        }
        assertThat(message).contains(reason);
    }

    private static GenerateRequest request() {
        return TestNode.prompt("Once upon a time")
                .setLimits(Limits.newBuilder().setMaxTokens(200))
                .build();
    }

    private static ModelSettings settings(@Nullable String draft) {
        return new ModelSettings("large", 2, 1024, 0, 4, 1, 0, 0, true, List.of(), draft, 1L << 40);
    }

    private void write(String name, TinyGguf.Options options) {
        TinyGguf.write(folder.resolve("models").resolve(name + ".gguf"), options);
    }
}
