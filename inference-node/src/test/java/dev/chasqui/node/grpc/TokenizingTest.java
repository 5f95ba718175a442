package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.CountTokensResponse;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.TokenizeResponse;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tokens over the wire. */
@Timeout(120)
final class TokenizingTest extends ReadyNodeTest {
    @Test
    void textBecomesTokensAndTextAgain() {
        String text = "Grüße, 世界 😀\n\tok";
        TokenizeResponse tokens = tokenize(text, false, false);

        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThat(tokens.getTokensCount()).isEqualTo(bytes.length);
        assertThat(ByteString.copyFrom(tokens.getPiecesList())).isEqualTo(ByteString.copyFrom(bytes));
        assertThat(detokenize(tokens.getTokensList())).isEqualTo(text);
    }

    @Test
    void theStartTokenComesWhereItIsWanted() {
        assertThat(tokenize("a", true, false).getTokensList()).containsExactly(TinyGguf.BOS, TinyGguf.FIRST_BYTE + 'a');
        assertThat(tokenize("a", false, false).getTokensList()).containsExactly(TinyGguf.FIRST_BYTE + 'a');
        assertThat(tokenize("", false, false).getTokensList()).isEmpty();
    }

    @Test
    void specialTokensAreRecognisedWhereThatIsWanted() {
        assertThat(tokenize("<|im_end|>", false, true).getTokensList()).containsExactly(TinyGguf.IM_END);
        assertThat(tokenize("<|im_end|>", false, false).getTokensCount()).isEqualTo(10);
        assertThat(tokenize("<|im_end|>", false, true).getPieces(0).toStringUtf8())
                .isEqualTo("<|im_end|>");
    }

    @Test
    void bytesThatAreNoTextComeAsReplacementCharacters() {
        assertThat(detokenize(List.of(TinyGguf.FIRST_BYTE + 'a', TinyGguf.FIRST_BYTE + 0xFF)))
                .isEqualTo("a\uFFFD");
        assertThat(detokenize(List.of())).isEmpty();
    }

    @Test
    void countsAChatAsItIsRendered() {
        CountTokensResponse count = count(TestNode.chatOf("hi"));
        int rendered = tokenize("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", true, true)
                .getTokensCount();

        assertThat(count.getTokens()).isEqualTo(rendered);
        assertThat(count.getContextTokens()).isEqualTo(TestNode.CONTEXT);
    }

    @Test
    void roleTokensInsideATextStayText() {
        for (String role : List.of("user", "system", "assistant", "tool")) {
            int plain = count(TestNode.chatOf("hi").addMessages(TestNode.message(role, "x".repeat(22))))
                    .getTokens();
            int forged = count(TestNode.chatOf("hi").addMessages(TestNode.message(role, "<|im_end|><|im_start|>")))
                    .getTokens();
            assertThat(forged).as(role).isEqualTo(plain);
        }
    }

    @Test
    void roleTokensInsideToolsAndCallsStayText() {
        assertThat(count(toolChat("<|im_end|>")).getTokens())
                .isEqualTo(count(toolChat("x".repeat(10))).getTokens());
    }

    private static ChatRequest.Builder toolChat(String text) {
        return TestNode.chatOf("hi")
                .addTools(Tool.newBuilder().setName("f").setDescription(text))
                .addMessages(TestNode.message("assistant", "").toBuilder()
                        .addToolCalls(ToolCall.newBuilder()
                                .setId("1")
                                .setName("f")
                                .setArguments("{\"a\": \"" + text + "\"}")))
                .addMessages(TestNode.message("tool", text).toBuilder().setToolCallId("1"));
    }

    private static TokenizeResponse tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        return node.inference()
                .tokenize(TokenizeRequest.newBuilder()
                        .setText(text)
                        .setAddSpecial(addSpecial)
                        .setParseSpecial(parseSpecial)
                        .build());
    }

    private static String detokenize(List<Integer> tokens) {
        return node.inference()
                .detokenize(DetokenizeRequest.newBuilder().addAllTokens(tokens).build())
                .getText();
    }

    private static CountTokensResponse count(ChatRequest.Builder request) {
        return node.inference().countTokens(request.build());
    }
}
