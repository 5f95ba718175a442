package dev.chasqui.gateway.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Progress;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.TopLogprob;
import dev.chasqui.proto.v1.Usage;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Whole transcripts, letter by letter. */
class ChatCompletionEncoderTest {
    private static final Heading HEADING = new Heading("chatcmpl-1", 1_700_000_000, "fp_1");
    private static final String HEAD =
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                    + "\"model\":\"tiny\",\"system_fingerprint\":\"fp_1\",\"choices\":[";
    private static final String GOES_ON = ",\"logprobs\":null,\"finish_reason\":null}]";
    private static final String ROLE = "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}";
    private static final String TIMINGS = "\"timings\":{\"cache_n\":3,\"prompt_n\":4,\"prompt_ms\":8,"
            + "\"prompt_per_token_ms\":2,\"prompt_per_second\":500,\"predicted_n\":2,\"predicted_ms\":20.5,"
            + "\"predicted_per_token_ms\":10.25,\"predicted_per_second\":97.561,\"queue_ms\":1}";

    @Test
    void plainText() {
        String text = transcript(
                encoder(1, false), admitted(), progress(), said(0, "Hé\n"), said(0, "\"llo"), finished(0), completed());

        assertThat(text)
                .isEqualTo(HEAD + "{\"index\":0,\"delta\":" + ROLE + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{\"content\":\"Hé\\n\"}" + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{\"content\":\"\\\"llo\"}" + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]," + TIMINGS
                        + "}\n\n"
                        + "data: [DONE]\n\n");
    }

    @Test
    void usageComesInAChunkOfItsOwn() {
        String text = transcript(encoder(1, true), admitted(), said(0, "a"), finished(0), completed());

        assertThat(text)
                .isEqualTo(HEAD + "{\"index\":0,\"delta\":" + ROLE + GOES_ON + ",\"usage\":null}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{\"content\":\"a\"}" + GOES_ON + ",\"usage\":null}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]"
                        + ",\"usage\":null}\n\n"
                        + HEAD + "],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":3},"
                        + "\"completion_tokens_details\":{\"reasoning_tokens\":0}}," + TIMINGS + "}\n\n"
                        + "data: [DONE]\n\n");
    }

    @Test
    void tokensComputedAheadAreCounted() {
        GenerationEvent end = completed();
        Usage usage = end.getCompleted().getUsage().toBuilder()
                .setDraftedTokens(7)
                .setAcceptedTokens(5)
                .build();
        String text = transcript(
                encoder(1, false),
                admitted(),
                finished(0),
                end.toBuilder()
                        .setCompleted(end.getCompleted().toBuilder().setUsage(usage))
                        .build());

        assertThat(text).contains("\"queue_ms\":1,\"draft_n\":7,\"draft_n_accepted\":5}");
    }

    @Test
    void severalChoicesEachBeginAndEnd() {
        String text = transcript(
                encoder(2, false), admitted(), said(1, "b"), said(0, "a"), finished(1), finished(0), completed());

        assertThat(text)
                .isEqualTo(HEAD + "{\"index\":0,\"delta\":" + ROLE + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":1,\"delta\":" + ROLE + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":1,\"delta\":{\"content\":\"b\"}" + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{\"content\":\"a\"}" + GOES_ON + "}\n\n"
                        + HEAD + "{\"index\":1,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n"
                        + HEAD + "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]," + TIMINGS
                        + "}\n\n"
                        + "data: [DONE]\n\n");
    }

    @Test
    void reasoningAndToolCalls() {
        ChatCompletionEncoder encoder = encoder(1, false);
        transcript(encoder, admitted());

        assertThat(transcript(encoder, delta(Delta.newBuilder().setReasoning("hm"))))
                .isEqualTo(HEAD + "{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}" + GOES_ON + "}\n\n");
        assertThat(transcript(
                        encoder, delta(Delta.newBuilder().setReasoning("hm").setContent("x"))))
                .contains("{\"reasoning_content\":\"hm\",\"content\":\"x\"}");
        assertThat(transcript(
                        encoder,
                        delta(Delta.newBuilder()
                                .addToolCalls(ToolCallDelta.newBuilder()
                                        .setId("call_1")
                                        .setName("f")))))
                .contains("\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}");
        assertThat(transcript(
                        encoder,
                        delta(Delta.newBuilder()
                                .addToolCalls(
                                        ToolCallDelta.newBuilder().setIndex(1).setArguments("{\"a\":")))))
                .contains("\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}]}");
    }

    @Test
    void logprobsHoldBytesThatAreNoText() {
        ChatCompletionEncoder encoder = encoder(1, false);
        transcript(encoder, admitted());
        TokenLogprob token = TokenLogprob.newBuilder()
                .setPiece(ByteString.copyFrom(new byte[] {(byte) 0xe2, (byte) 0x82}))
                .setLogprob(-0.25f)
                .addTop(TopLogprob.newBuilder()
                        .setPiece(ByteString.copyFromUtf8("a"))
                        .setLogprob(Float.NEGATIVE_INFINITY))
                .build();

        assertThat(transcript(encoder, delta(Delta.newBuilder().addLogprobs(token))))
                .isEqualTo(HEAD + "{\"index\":0,\"delta\":{\"content\":\"\"},\"logprobs\":{\"content\":["
                        + "{\"token\":\"\ufffd\",\"logprob\":-0.25,\"bytes\":[226,130],\"top_logprobs\":["
                        + "{\"token\":\"a\",\"logprob\":-9999,\"bytes\":[97]}]}],\"refusal\":null},"
                        + "\"finish_reason\":null}]}\n\n");
    }

    @Test
    void piecesWithoutTextSayNothing() {
        ChatCompletionEncoder encoder = encoder(1, false);
        transcript(encoder, admitted());

        assertThat(transcript(encoder, delta(Delta.newBuilder().setTokens(1)))).isEmpty();
    }

    @Test
    void wholeAnswerHasTheSameParts() {
        CollectedAnswer answer = new CollectedAnswer(1);
        for (GenerationEvent event : new GenerationEvent[] {
            admitted(),
            delta(Delta.newBuilder().setReasoning("h")),
            delta(Delta.newBuilder()
                    .addToolCalls(ToolCallDelta.newBuilder().setId("call_1").setName("f"))),
            delta(Delta.newBuilder().addToolCalls(ToolCallDelta.newBuilder().setArguments("{}"))),
            GenerationEvent.newBuilder()
                    .setFinished(Finished.newBuilder().setReason(FinishReason.FINISH_REASON_TOOL_CALLS))
                    .build(),
            completed()
        }) {
            answer.add(event);
        }

        assertThat(new String(
                        ChatCompletionBody.encode(HEADING, "reasoning_content", CallWords.TOOLS, false, answer),
                        StandardCharsets.UTF_8))
                .isEqualTo("{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,"
                        + "\"model\":\"tiny\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"message\":"
                        + "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"reasoning_content\":\"h\","
                        + "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":"
                        + "{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"logprobs\":null,"
                        + "\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":7,"
                        + "\"completion_tokens\":2,\"total_tokens\":9,\"prompt_tokens_details\":"
                        + "{\"cached_tokens\":3},\"completion_tokens_details\":{\"reasoning_tokens\":0}},"
                        + TIMINGS + "}");
    }

    @Test
    void anAnswerWithoutATokenHasAnEmptyListOfLogprobsWhereTheyWereAskedFor() {
        CollectedAnswer answer = new CollectedAnswer(1);
        answer.add(completed());

        assertThat(new String(
                        ChatCompletionBody.encode(HEADING, "reasoning_content", CallWords.TOOLS, true, answer),
                        StandardCharsets.UTF_8))
                .contains("\"logprobs\":{\"content\":[],\"refusal\":null}");
    }

    private static ChatCompletionEncoder encoder(int choices, boolean usage) {
        return new ChatCompletionEncoder(HEADING, "reasoning_content", CallWords.TOOLS, false, choices, usage);
    }

    private static String transcript(ChatCompletionEncoder encoder, GenerationEvent... events) {
        StringBuilder text = new StringBuilder();
        for (GenerationEvent event : events) {
            text.append(new String(encoder.encode(event).toArray(), StandardCharsets.UTF_8));
        }
        return text.toString();
    }

    private static GenerationEvent admitted() {
        return GenerationEvent.newBuilder()
                .setAdmitted(Admitted.newBuilder().setModel("tiny").setPromptTokens(7))
                .build();
    }

    private static GenerationEvent progress() {
        return GenerationEvent.newBuilder()
                .setProgress(Progress.newBuilder().setPromptTokens(7))
                .build();
    }

    private static GenerationEvent said(int choice, String text) {
        return delta(Delta.newBuilder().setChoice(choice).setContent(text).setTokens(1));
    }

    private static GenerationEvent delta(Delta.Builder delta) {
        return GenerationEvent.newBuilder().setDelta(delta).build();
    }

    private static GenerationEvent finished(int choice) {
        return GenerationEvent.newBuilder()
                .setFinished(Finished.newBuilder().setChoice(choice).setReason(FinishReason.FINISH_REASON_STOP))
                .build();
    }

    private static GenerationEvent completed() {
        return GenerationEvent.newBuilder()
                .setCompleted(Completed.newBuilder()
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(7)
                                .setCachedTokens(3)
                                .setCompletionTokens(2))
                        .setTimings(Timings.newBuilder()
                                .setQueueMs(1)
                                .setPromptMs(8)
                                .setDecodeMs(20.5)))
                .build();
    }
}
