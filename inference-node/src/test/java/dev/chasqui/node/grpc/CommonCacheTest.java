package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Sampling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A node whose sequences have one KV cache, too small for all of them at once. */
@Timeout(300)
final class CommonCacheTest {
    private static final int REQUESTS = 16;
    private static final int KV_TOKENS = 1024;
    private static final int ANSWER = 60;

    @TempDir
    Path folder;

    @Test
    void nobodyFailsBecauseOfAnother() throws Exception {
        TinyGguf.write(Files.createDirectories(folder).resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);
        ModelSettings settings = new ModelSettings(
                "tiny", REQUESTS, 512, KV_TOKENS, 0, 1, 0, 64L << 20, true, List.of(), null, 1L << 40);
        try (TestNode node = TestNode.over(folder, settings)) {
            List<Answer> answers = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
                String prompt = (i + " ").repeat(80);
                answers.add(node.start(TestNode.prompt(prompt)
                        .setSampling(Sampling.newBuilder().setIgnoreEos(true))
                        .setLimits(Limits.newBuilder().setMaxTokens(ANSWER))
                        .build()));
            }
            int context = 0;
            for (Answer answer : answers) {
                Completed end = answer.await().completed();
                assertThat(end.getUsage().getCompletionTokens()).isEqualTo(ANSWER);
                context += end.getUsage().getPromptTokens() + ANSWER;
            }

            assertThat(context).isGreaterThan(3 * KV_TOKENS);
            EngineStatus status = node.engine("tiny");
            assertThat(status.getKvTokensCapacity()).isEqualTo(KV_TOKENS);
            assertThat(status.getKvTokensUsed()).isLessThanOrEqualTo(KV_TOKENS);
        }
    }
}
