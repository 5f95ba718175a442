package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.TokenList;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.Usage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Chat and raw prompts over the wire, answered by real libraries. */
@Timeout(120)
final class GenerationTest extends ReadyNodeTest {
    @Test
    void tellsAdmissionThenTextThenEndsThenUsage() throws Exception {
        Answer answer = node.generate(TestNode.prompt("Once upon a time").build());

        List<GenerationEvent> events = answer.events();
        assertThat(events.get(0).getAdmitted().getModel()).isEqualTo("tiny");
        assertThat(events.get(0).getAdmitted().getPromptTokens()).isEqualTo(17);
        assertThat(events.get(0).getAdmitted().getQueuePosition()).isZero();
        assertThat(events.get(events.size() - 2).hasFinished()).isTrue();
        assertThat(events.get(events.size() - 1).hasCompleted()).isTrue();
        assertThat(events.subList(1, events.size() - 2))
                .isNotEmpty()
                .allMatch(event -> event.hasDelta() || event.hasProgress());
        assertThat(answer.tokens()).isEqualTo(16);
    }

    @Test
    void countsWhatWasUsed() throws Exception {
        Answer answer =
                node.generate(TestNode.prompt("Nobody asked this before").build());
        Answer again = node.generate(TestNode.prompt("Nobody asked this before").build());

        Usage usage = answer.completed().getUsage();
        assertThat(usage.getPromptTokens()).isEqualTo(25);
        assertThat(usage.getCompletionTokens()).isEqualTo(16);
        assertThat(usage.getCachedTokens()).isLessThan(3);
        assertThat(usage.getReasoningTokens()).isZero();
        assertThat(usage.getAcceptedTokens()).isLessThanOrEqualTo(usage.getDraftedTokens());
        assertThat(again.completed().getUsage().getCachedTokens()).isEqualTo(24);
        assertThat(again.text()).isEqualTo(answer.text());
        assertThat(answer.completed().getTimings().getPromptMs()).isPositive();
        assertThat(answer.completed().getTimings().getDecodeMs()).isPositive();
    }

    @Test
    void endsWithTheLastTokenAllowed() throws Exception {
        Answer answer = node.generate(TestNode.prompt("Go on")
                .setLimits(Limits.newBuilder().setMaxTokens(5))
                .build());

        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(answer.finished(0).getCompletionTokens()).isEqualTo(5);
        assertThat(answer.tokens()).isEqualTo(5);
    }

    @Test
    void endsWhereTheContextIsFull() throws Exception {
        Answer answer = node.generate(TestNode.prompt("x".repeat(TestNode.CONTEXT - 40))
                .setLimits(Limits.getDefaultInstance())
                .build());

        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        Usage usage = answer.completed().getUsage();
        assertThat(usage.getPromptTokens() + usage.getCompletionTokens()).isEqualTo(TestNode.CONTEXT);
    }

    @Test
    void endsWhereTheModelEndsIt() throws Exception {
        Answer answer = node.generate(TestNode.saying("Hello, 世界 😀").build());

        assertThat(answer.text()).isEqualTo("Hello, 世界 😀");
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.finished(0).getStop()).isEmpty();
        assertThat(answer.deltas()).noneMatch(delta -> delta.getContent().contains("\uFFFD"));
    }

    @Test
    void endsBeforeAStopString() throws Exception {
        Answer answer = node.generate(TestNode.saying("one, two, three")
                .setLimits(Limits.newBuilder().addStop("zero").addStop(", th"))
                .build());

        assertThat(answer.text()).isEqualTo("one, two");
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.finished(0).getStop()).isEqualTo(", th");
    }

    @Test
    void theSameSeedGivesTheSameText() throws Exception {
        Answer first = node.generate(seeded(7));
        Answer second = node.generate(seeded(7));
        Answer other = node.generate(seeded(8));

        assertThat(second.text()).isEqualTo(first.text());
        assertThat(other.text()).isNotEqualTo(first.text());
        assertThat(first.events().get(0).getAdmitted().getSeed()).isEqualTo(7);
    }

    @Test
    void theSeedItChoseRepeatsTheAnswer() throws Exception {
        GenerateRequest random = TestNode.prompt("Go on")
                .setSampling(Sampling.newBuilder().setTemperature(1).setIgnoreEos(true))
                .build();
        Answer first = node.generate(random);
        int seed = first.events().get(0).getAdmitted().getSeed();
        Answer again = node.generate(random.toBuilder()
                .setSampling(random.getSampling().toBuilder().setSeed(seed))
                .build());

        assertThat(again.text()).isEqualTo(first.text());
    }

    @Test
    void theSameSeedGivesTheSameTextInACrowd() throws Exception {
        String alone = node.generate(seeded(7)).text();
        List<Answer> crowd = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            crowd.add(node.start(seeded(5 + i)));
        }
        for (Answer answer : crowd) {
            answer.await();
        }

        assertThat(crowd.get(2).text()).isEqualTo(alone);
    }

    @Test
    void givesSeveralChoicesEachWithItsOwnSeed() throws Exception {
        Answer answer = node.generate(seeded(7).toBuilder().setChoices(3).build());

        for (int i = 0; i < 3; i++) {
            assertThat(answer.text(i)).isEqualTo(node.generate(seeded(7 + i)).text());
            assertThat(answer.finished(i).getCompletionTokens()).isEqualTo(16);
        }
        assertThat(answer.completed().getUsage().getPromptTokens()).isEqualTo(6);
        assertThat(answer.completed().getUsage().getCompletionTokens()).isEqualTo(48);
        assertThat(answer.events().stream().filter(GenerationEvent::hasFinished))
                .hasSize(3);
        assertThat(answer.events().stream().filter(GenerationEvent::hasCompleted))
                .hasSize(1);
    }

    @Test
    void tellsHowLikelyEachTokenWas() throws Exception {
        Answer answer = node.generate(TestNode.saying("abc")
                .setLogprobs(Logprobs.newBuilder().setTop(4))
                .build());

        List<TokenLogprob> logprobs = logprobs(answer);
        assertThat(logprobs)
                .extracting(logprob -> logprob.getPiece().toStringUtf8())
                .containsExactly("a", "b", "c");
        assertThat(logprobs).allSatisfy(logprob -> {
            assertThat(logprob.getLogprob()).isNegative();
            assertThat(logprob.getTopList()).hasSize(4);
            assertThat(logprob.getTop(0).getLogprob())
                    .isGreaterThanOrEqualTo(logprob.getTop(3).getLogprob());
        });
    }

    @Test
    void tellsHowLikelyEachTokenOfAPromptWas() throws Exception {
        Logprobs two = Logprobs.newBuilder().setTop(2).build();
        Answer written = node.generate(TestNode.prompt("Once upon a time there was a long story, and it went on")
                .setLogprobs(two)
                .build());
        List<Integer> tokens = new ArrayList<>(node.inference()
                .tokenize(TokenizeRequest.newBuilder()
                        .setText("Once upon a time there was a long story, and it went on")
                        .setAddSpecial(true)
                        .build())
                .getTokensList());
        int prompt = tokens.size();
        logprobs(written).forEach(logprob -> tokens.add(logprob.getToken()));

        Answer read = node.generate(TestNode.prompt("")
                .setTokens(TokenList.newBuilder().addAllIds(tokens))
                .setPromptLogprobs(two)
                .setLimits(Limits.newBuilder().setPromptOnly(true))
                .build());

        List<TokenLogprob> told = read.deltas().stream()
                .flatMap(delta -> delta.getPromptLogprobsList().stream())
                .toList();
        assertThat(told).extracting(TokenLogprob::getToken).isEqualTo(tokens);
        assertThat(told.get(0).getLogprob()).isNaN();
        for (int i = 0; i < 16; i++) {
            TokenLogprob then = logprobs(written).get(i);
            assertThat(told.get(prompt + i).getLogprob()).isCloseTo(then.getLogprob(), within(0.01f));
            assertThat(told.get(prompt + i).getTopCount()).isEqualTo(2);
        }
        assertThat(read.text()).isEmpty();
        assertThat(read.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(read.completed().getUsage().getCompletionTokens()).isZero();
        assertThat(read.completed().getUsage().getPromptTokens()).isEqualTo(tokens.size());
    }

    @Test
    void aGreedyTokenIsTheLikeliest() throws Exception {
        Answer answer = node.generate(TestNode.prompt("Go on")
                .setLogprobs(Logprobs.newBuilder().setTop(1))
                .build());

        assertThat(logprobs(answer)).hasSize(16).allSatisfy(logprob -> {
            assertThat(logprob.getTop(0).getToken()).isEqualTo(logprob.getToken());
            assertThat(logprob.getTop(0).getLogprob()).isEqualTo(logprob.getLogprob());
        });
    }

    @Test
    void saysNothingOfLikelihoodsUnlessAsked() throws Exception {
        assertThat(logprobs(node.generate(TestNode.prompt("Go on").build()))).isEmpty();
    }

    @Test
    void aBiasedTokenComesAlwaysAndABannedOneNever() throws Exception {
        Answer always = node.generate(TestNode.prompt("Go on")
                .setSampling(Sampling.newBuilder().setTemperature(0).putLogitBias(TinyGguf.FIRST_BYTE + 'z', 1000))
                .build());
        assertThat(always.text()).isEqualTo("z".repeat(16));

        GenerateRequest plain = TestNode.prompt("Go on")
                .setLogprobs(Logprobs.getDefaultInstance())
                .build();
        int likeliest = logprobs(node.generate(plain)).get(0).getToken();
        Answer never = node.generate(plain.toBuilder()
                .setSampling(plain.getSampling().toBuilder().putLogitBias(likeliest, Float.NEGATIVE_INFINITY))
                .build());
        assertThat(logprobs(never))
                .hasSize(16)
                .extracting(TokenLogprob::getToken)
                .doesNotContain(likeliest);
    }

    @Test
    void anIgnoredEndNeverComes() throws Exception {
        Sampling.Builder wantsToEnd = Sampling.newBuilder().setTemperature(0).putLogitBias(TinyGguf.EOS, 1000);
        Answer ending =
                node.generate(TestNode.prompt("Go on").setSampling(wantsToEnd).build());
        Answer ignoring = node.generate(TestNode.prompt("Go on")
                .setSampling(wantsToEnd.setIgnoreEos(true))
                .build());

        assertThat(ending.finished(0).getCompletionTokens()).isEqualTo(1);
        assertThat(ending.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(ignoring.finished(0).getCompletionTokens()).isEqualTo(16);
    }

    @Test
    void samplersAllWork() throws Exception {
        List<Sampling.Builder> samplings = List.of(
                Sampling.newBuilder().setTopK(5),
                Sampling.newBuilder().setTopP(0.5f),
                Sampling.newBuilder().setMinP(0.2f),
                Sampling.newBuilder().setTypicalP(0.5f),
                Sampling.newBuilder().setRepeatPenalty(1.3f).setPenaltyLastN(-1),
                Sampling.newBuilder().setFrequencyPenalty(1).setPresencePenalty(-1),
                Sampling.newBuilder()
                        .setDry(dev.chasqui.proto.v1.Dry.newBuilder().setMultiplier(0.8f)),
                Sampling.newBuilder()
                        .setXtc(dev.chasqui.proto.v1.Xtc.newBuilder().setProbability(0.5f)),
                Sampling.newBuilder()
                        .setMirostat(dev.chasqui.proto.v1.Mirostat.newBuilder().setVersion(1)),
                Sampling.newBuilder()
                        .setMirostat(dev.chasqui.proto.v1.Mirostat.newBuilder().setVersion(2)));
        for (Sampling.Builder sampling : samplings) {
            GenerateRequest request = TestNode.prompt("Go on, go on, go on")
                    .setSampling(sampling.setTemperature(1).setSeed(3).setIgnoreEos(true))
                    .build();
            Answer answer = node.generate(request);
            assertThat(answer.finished(0).getCompletionTokens()).isEqualTo(16);
            assertThat(node.generate(request).text()).isEqualTo(answer.text());
        }
    }

    @Test
    void takesTokensAsTheyAre() throws Exception {
        List<Integer> tokens = node.inference()
                .tokenize(TokenizeRequest.newBuilder()
                        .setText("Once upon a time")
                        .setAddSpecial(true)
                        .build())
                .getTokensList();
        Answer byText = node.generate(TestNode.prompt("Once upon a time").build());
        Answer byTokens = node.generate(TestNode.prompt("")
                .setTokens(TokenList.newBuilder().addAllIds(tokens))
                .build());

        assertThat(byTokens.text()).isEqualTo(byText.text());
        assertThat(byTokens.events().get(0).getAdmitted().getPromptTokens()).isEqualTo(tokens.size());
    }

    @Test
    void answersAChat() throws Exception {
        Answer answer = node.chat(
                TestNode.chatOf("hi").setOutputFormat(TestNode.format("Hello!")).build());

        assertThat(answer.text()).isEqualTo("Hello!");
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.completed().getUsage().getPromptTokens())
                .isEqualTo(node.inference()
                        .countTokens(TestNode.chatOf("hi").build())
                        .getTokens());
    }

    @Test
    void aChatIsItsTemplateAsARawPrompt() throws Exception {
        Answer chat = node.chat(TestNode.chatOf("hi")
                .setSampling(Sampling.newBuilder().setTemperature(0).setIgnoreEos(true))
                .build());
        Answer raw = node.generate(TestNode.prompt("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")
                .build());

        assertThat(chat.events().get(0).getAdmitted().getPromptTokens())
                .isEqualTo(raw.events().get(0).getAdmitted().getPromptTokens());
        assertThat(chat.text()).isEqualTo(raw.text());
    }

    @Test
    void aChatEndsAtItsTemplatesEndOfTurn() throws Exception {
        Answer answer = node.chat(TestNode.chatOf("hi")
                .setSampling(Sampling.newBuilder().setTemperature(0).putLogitBias(TinyGguf.IM_END, 1000))
                .build());

        assertThat(answer.text()).isEmpty();
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.finished(0).getCompletionTokens()).isEqualTo(1);
    }

    @Test
    void aNextTurnFindsTheFirstOneCached() throws Exception {
        ChatRequest first = TestNode.chatOf("What did you say the other day?")
                .setOutputFormat(TestNode.format("Nothing."))
                .build();
        Answer answer = node.chat(first);
        Answer next = node.chat(first.toBuilder()
                .addMessages(TestNode.message("assistant", answer.text()))
                .addMessages(TestNode.message("user", "Really?"))
                .build());

        int promptTokens = answer.completed().getUsage().getPromptTokens();
        assertThat(next.completed().getUsage().getCachedTokens()).isBetween(promptTokens, promptTokens + 8);
    }

    @Test
    void anAnswerMayGoOnFromItsBeginning() throws Exception {
        Answer answer = node.chat(TestNode.chatOf("hi")
                .addMessages(TestNode.message("assistant", "Hel"))
                .setContinueLastMessage(true)
                .setOutputFormat(TestNode.format("lo"))
                .build());

        assertThat(answer.text()).isEqualTo("lo");
        assertThat(answer.completed().getUsage().getPromptTokens())
                .isEqualTo(node.inference()
                                .countTokens(TestNode.chatOf("hi").build())
                                .getTokens()
                        + 3);
    }

    @Test
    void jsonComesAsItsSchemaSays() throws Exception {
        Answer answer = node.chat(TestNode.chatOf("hi")
                .setOutputFormat(dev.chasqui.proto.v1.OutputFormat.newBuilder()
                        .setJsonSchema("{\"type\":\"object\",\"properties\":{\"yes\":{\"const\":true}},"
                                + "\"required\":[\"yes\"],\"additionalProperties\":false}"))
                .setLimits(Limits.newBuilder().setMaxTokens(200))
                .build());

        assertThat(answer.text().replaceAll("\\s", "")).startsWith("{").contains("\"yes\"");
    }

    @Test
    void manyAtOnceEachGetTheirOwnAnswer() throws Exception {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            answers.add(node.start(TestNode.saying("answer number " + i).build()));
        }
        for (int i = 0; i < 12; i++) {
            assertThat(answers.get(i).await().text()).isEqualTo("answer number " + i);
            answers.get(i).completed();
        }
    }

    private static GenerateRequest seeded(int seed) {
        return TestNode.prompt("Go on")
                .setSampling(Sampling.newBuilder()
                        .setTemperature(1)
                        .setIgnoreEos(true)
                        .setSeed(seed))
                .build();
    }

    private static List<TokenLogprob> logprobs(Answer answer) {
        return answer.deltas().stream()
                .map(Delta::getLogprobsList)
                .flatMap(List::stream)
                .toList();
    }
}
