package dev.chasqui.gateway.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.AdapterUse;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.TokenList;
import dev.chasqui.proto.v1.Tool;
import org.junit.jupiter.api.Test;

class PromptKeyTest {
    private static final String LONG = "You are a careful assistant. ".repeat(60);

    @Test
    void allTurnsOfAConversationHaveOneKey() {
        PromptKey first = PromptKey.of(chat("system", "Be brief.", "user", "Hello"));
        PromptKey second =
                PromptKey.of(chat("system", "Be brief.", "user", "Hello", "assistant", "Hi!", "user", "And now?"));

        assertThat(second).isEqualTo(first);
        assertThat(PromptKey.of(chat("system", "Be brief.", "user", "Hello there")))
                .isNotEqualTo(first);
    }

    @Test
    void conversationsWithOneLongBeginningShareIt() {
        PromptKey one = PromptKey.of(chat("system", LONG, "user", "What is a condor?"));
        PromptKey other = PromptKey.of(chat("system", LONG, "user", "What is a llama?"));

        assertThat(other.beginning()).isEqualTo(one.beginning());
        assertThat(other.whole()).isNotEqualTo(one.whole());
        assertThat(PromptKey.of(chat("user", LONG + "What is it about?")).beginning())
                .isEqualTo(PromptKey.of(chat("user", LONG + "Who wrote it?")).beginning());
    }

    @Test
    void whatStandsInFrontOfAllMessagesCounts() {
        ChatRequest plain = chat("user", "Hello");
        PromptKey key = PromptKey.of(plain);

        assertThat(PromptKey.of(plain.toBuilder().setModel("another").build())).isNotEqualTo(key);
        assertThat(PromptKey.of(plain.toBuilder()
                        .addTools(Tool.newBuilder().setName("find"))
                        .build()))
                .isNotEqualTo(key);
        assertThat(PromptKey.of(plain.toBuilder()
                        .addLora(AdapterUse.newBuilder().setName("pirate"))
                        .build()))
                .isNotEqualTo(key);
    }

    @Test
    void aRawPromptThatGrowsKeepsItsKey() {
        assertThat(PromptKey.of(GenerateRequest.newBuilder().setText(LONG).build()))
                .isEqualTo(PromptKey.of(
                        GenerateRequest.newBuilder().setText(LONG + "More.").build()));
        TokenList.Builder ids = TokenList.newBuilder();
        for (int i = 0; i < 3000; i++) {
            ids.addIds(i);
        }
        PromptKey tokens =
                PromptKey.of(GenerateRequest.newBuilder().setTokens(ids).build());
        assertThat(PromptKey.of(
                        GenerateRequest.newBuilder().setTokens(ids.addIds(7)).build()))
                .isEqualTo(tokens);
        assertThat(PromptKey.of(
                        GenerateRequest.newBuilder().setTokens(ids.setIds(0, 9)).build()))
                .isNotEqualTo(tokens);
    }

    private static ChatRequest chat(String... rolesAndTexts) {
        ChatRequest.Builder request = ChatRequest.newBuilder();
        for (int i = 0; i < rolesAndTexts.length; i += 2) {
            request.addMessages(ChatMessage.newBuilder()
                    .setRole(rolesAndTexts[i])
                    .addContent(ContentPart.newBuilder().setText(rolesAndTexts[i + 1])));
        }
        return request.build();
    }
}
