package dev.chasqui.gateway.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CompletionPartsTest {
    private static List<TokenLogprob> tokens(String text, int... lengths) {
        ByteString bytes = ByteString.copyFromUtf8(text);
        int at = 0;
        Stream.Builder<TokenLogprob> tokens = Stream.builder();
        for (int length : lengths) {
            tokens.add(TokenLogprob.newBuilder()
                    .setPiece(bytes.substring(at, at + length))
                    .build());
            at += length;
        }
        return tokens.build().toList();
    }

    private static String offsets(String text, List<TokenLogprob> tokens) {
        JsonBytes out = new JsonBytes(64);
        CompletionParts.logprobs(out, tokens, CompletionParts.begin(text, tokens));
        String json = new String(out.toArray(), StandardCharsets.UTF_8);
        return json.substring(json.indexOf("\"text_offset\""));
    }

    @Test
    void aPromptMayBeginWithACharacterOfSeveralTokens() {
        String text = "日本 x";
        assertThat(offsets(text, tokens(text, 2, 1, 3, 2))).isEqualTo("\"text_offset\":[0,0,1,2]}");
    }

    @Test
    void aTokenThatIsNotOfTheTextBeginsBeforeIt() {
        String text = "a b";
        assertThat(offsets(text, tokens("<s>" + text, 3, 1, 2))).isEqualTo("\"text_offset\":[0,0,1]}");
    }
}
