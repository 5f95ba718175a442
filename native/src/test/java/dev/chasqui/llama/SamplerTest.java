package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.chasqui.llama.LlamaException.Reason;
import dev.chasqui.llama.SamplerOptions.Dry;
import dev.chasqui.llama.SamplerOptions.Mirostat;
import dev.chasqui.llama.SamplerOptions.Xtc;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final int[] PROMPT = {1, 70, 71, 72};

    @SuppressWarnings("NullAway.Init")
    private static LlamaModel model;

    @BeforeAll
    static void load() {
        model = Tiny.model();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static SamplerOptions.Builder plain() {
        return SamplerOptions.builder().topK(0).topP(1).minP(0).temperature(1);
    }

    private static int[] generate(SamplerOptions options, int count) {
        return generate(options, count, false);
    }

    private static int[] generate(SamplerOptions options, int count, boolean chain) {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(options, chain)) {
            return Tiny.generate(context, sampler, 0, count, PROMPT);
        }
    }

    /** A spread of options, on logits of several shapes, against llama.cpp's own samplers. */
    @Test
    void drawsFromTheSameDistributionAsLlamaCpp() {
        Random random = new Random(7);
        float[] scales = {0.3f, 2, 6};
        for (int round = 0; round < 120; round++) {
            SamplerOptions.Builder options =
                    plain().temperature(random.nextBoolean() ? 1 : 0.1f + random.nextFloat() * 2);
            if (random.nextBoolean()) {
                options.topK(1 + random.nextInt(random.nextBoolean() ? 20 : 300));
            }
            if (random.nextBoolean()) {
                options.topP(random.nextFloat());
            }
            if (random.nextBoolean()) {
                options.minP(random.nextFloat() * 0.3f);
            }
            if (random.nextBoolean()) {
                options.repeatPenalty(0.5f + random.nextFloat()).frequencyPenalty(random.nextFloat() - 0.5f);
                options.presencePenalty(random.nextFloat() - 0.5f).penaltyLastN(1 + random.nextInt(8));
            }
            if (random.nextBoolean()) {
                options.logitBias(Map.of(5, 3f, 6, -2f, 7, Float.NEGATIVE_INFINITY))
                        .ignoreEos(true);
            }
            float[] logits = new float[TinyGguf.VOCAB_SIZE];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) random.nextGaussian() * scales[round % 3];
            }
            try (Sampler fast = model.newSampler(options.build());
                    Sampler chain = model.newSampler(options.build(), true)) {
                for (int i = 0; i < 12; i++) {
                    int token = random.nextInt(20);
                    fast.accept(token);
                    chain.accept(token);
                }
                assertThat(fast.probabilities(logits))
                        .as("round %d: %s", round, options.build())
                        .containsExactly(chain.probabilities(logits), within(2e-5f));
            }
        }
    }

    @Test
    void drawsAsOftenAsProbable() {
        SamplerOptions options = plain().topK(4).seed(3).build();
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(options)) {
            int row = Tiny.decode(context, 0, PROMPT);
            Logprobs top = context.logprobs(row, 0, 4);
            double mass = 0;
            for (float value : top.topLogprobs()) {
                mass += Math.exp(value);
            }
            int[] seen = new int[TinyGguf.VOCAB_SIZE];
            int draws = 20_000;
            for (int i = 0; i < draws; i++) {
                seen[Tiny.sample(context, sampler, row)]++;
            }
            for (int i = 0; i < 4; i++) {
                double expected = Math.exp(top.topLogprobs()[i]) / mass;
                assertThat(seen[top.topTokens()[i]] / (double) draws).isCloseTo(expected, within(0.02));
            }
            assertThat(Arrays.stream(seen).sum()).isEqualTo(draws);
        }
    }

    @Test
    void greedyIsTheLikeliestWhateverElseIsAsked() {
        int[] greedy = generate(SamplerOptions.greedy(), 24);
        assertThat(generate(SamplerOptions.greedy(), 24, true)).isEqualTo(greedy);
        assertThat(generate(plain().topK(1).seed(9).build(), 24)).isEqualTo(greedy);
        assertThat(generate(plain().topP(0).seed(9).build(), 24)).isEqualTo(greedy);
        assertThat(generate(plain().minP(1).seed(9).build(), 24)).isEqualTo(greedy);
        assertThat(generate(plain().temperature(0).topP(0.5f).build(), 24)).isEqualTo(greedy);
    }

    @Test
    void seedsRepeat() {
        for (SamplerOptions.Builder options : List.of(
                plain().temperature(1.5f),
                plain().topK(40).topP(0.9f),
                plain().xtc(new Xtc(0.5f, 0.05f)),
                plain().mirostat(new Mirostat(1, 5, 0.1f)),
                plain().mirostat(new Mirostat(2, 5, 0.1f)),
                plain().typicalP(0.8f))) {
            int[] first = generate(options.seed(1).build(), 24);
            assertThat(generate(options.seed(1).build(), 24)).isEqualTo(first);
            assertThat(generate(options.seed(2).build(), 24)).isNotEqualTo(first);
        }
    }

    /** As after the death of a machine: whoever has the tokens so far goes on as if nothing had happened, at every place. */
    @Test
    void goesOnBehindAnyTokensAsIfItHadChosenThem() {
        for (SamplerOptions.Builder options : List.of(
                SamplerOptions.builder(),
                plain().temperature(1.5f),
                plain().repeatPenalty(1.4f).frequencyPenalty(0.5f).presencePenalty(0.5f),
                plain().dry(new Dry(2, 1.75f, 1, 64, List.of("\n"))),
                plain().xtc(new Xtc(0.5f, 0.05f)),
                plain().mirostat(new Mirostat(1, 5, 0.1f)),
                plain().mirostat(new Mirostat(2, 5, 0.1f)),
                plain().typicalP(0.8f),
                plain().grammar("root ::= ([a-f] [0-9])+"))) {
            float[] learnt = new float[21];
            int[] whole = goOn(options.seed(5).ignoreEos(true).build(), new int[0], 20, learnt);
            for (int known = 1; known < 20; known++) {
                int[] begun = Arrays.copyOf(whole, known);
                assertThat(goOn(options.build(), begun, 20, learnt.clone()))
                        .as("%s behind %d tokens", options.build(), known)
                        .isEqualTo(whole);
            }
        }
    }

    /** An answer that others began; learnt: mu behind so many tokens, read for what is begun and written for the rest. */
    private static int[] goOn(SamplerOptions options, int[] begun, int count, float[] learnt) {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(options)) {
            sampler.replay(begun, learnt[begun.length]);
            int[] all = Arrays.copyOf(PROMPT, PROMPT.length + count);
            System.arraycopy(begun, 0, all, PROMPT.length, begun.length);
            int row = Tiny.decode(context, 0, Arrays.copyOf(all, PROMPT.length + begun.length));
            for (int i = begun.length; i < count; i++) {
                int token = Tiny.sample(context, sampler, row);
                all[PROMPT.length + i] = token;
                learnt[i + 1] = sampler.mu();
                row = Tiny.decode(context, 0, token);
            }
            return Arrays.copyOfRange(all, PROMPT.length, all.length);
        }
    }

    @Test
    void refusesToGoOnBehindWhatItCouldNotHaveSaid() {
        int end = IntStream.range(0, TinyGguf.VOCAB_SIZE)
                .filter(model.vocabulary()::isEndOfGeneration)
                .findFirst()
                .orElseThrow();
        try (Sampler sampler =
                model.newSampler(plain().grammar("root ::= \"ab\"").build())) {
            for (int[] tokens : List.of(new int[] {end}, new int[] {-1}, new int[] {TinyGguf.VOCAB_SIZE}, PROMPT)) {
                assertThatThrownBy(() -> sampler.replay(tokens, 0))
                        .isInstanceOfSatisfying(
                                LlamaException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST));
            }
        }
    }

    @Test
    void biasForcesAndBans() {
        int[] greedy = generate(SamplerOptions.greedy(), 8);
        assertThat(generate(plain().logitBias(Map.of(99, 1e6f)).build(), 8)).containsOnly(99);
        SamplerOptions banned = plain().temperature(0)
                .logitBias(Map.of(greedy[0], Float.NEGATIVE_INFINITY))
                .build();
        assertThat(generate(banned, 24)).doesNotContain(greedy[0]);
        int[] ends = {TinyGguf.EOS, TinyGguf.IM_END};
        assertThat(generate(
                        plain().logitBias(Map.of(ends[0], 50f, ends[1], 50f)).build(), 8))
                .containsAnyOf(ends);
        assertThat(generate(
                        plain().logitBias(Map.of(ends[0], 50f, ends[1], 50f))
                                .ignoreEos(true)
                                .build(),
                        24))
                .doesNotContain(ends);
    }

    @Test
    void saysWhenEverythingIsBanned() {
        Map<Integer, Float> bans = new java.util.HashMap<>();
        for (int token = 0; token < TinyGguf.VOCAB_SIZE; token++) {
            bans.put(token, Float.NEGATIVE_INFINITY);
        }
        for (boolean chain : new boolean[] {false, true}) {
            try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                    Sampler sampler = model.newSampler(plain().logitBias(bans).build(), chain)) {
                int row = Tiny.decode(context, 0, PROMPT);
                assertThat(Tiny.sample(context, sampler, row)).isEqualTo(-1);
                assertThat(sampler.failure()).isNotNull().hasMessageContaining("no token can be chosen");
            }
        }
    }

    @Test
    void penaltiesEndRepetition() {
        Map<Integer, Float> liked = Map.of(80, 8f);
        int[] free = generate(plain().temperature(0).logitBias(liked).build(), 24);
        int[] penalised = generate(
                plain().temperature(0)
                        .logitBias(liked)
                        .presencePenalty(2)
                        .frequencyPenalty(2)
                        .build(),
                24);
        assertThat(distinct(penalised)).isGreaterThan(distinct(free));
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(plain().temperature(0)
                        .presencePenalty(2)
                        .repeatPenalty(10)
                        .build())) {
            int row = Tiny.decode(context, 0, PROMPT);
            int likeliest = context.logprobs(row, 0, 1).topTokens()[0];
            sampler.accept(likeliest);
            assertThat(Tiny.sample(context, sampler, row)).isNotEqualTo(likeliest);
        }
    }

    private static long distinct(int[] tokens) {
        return Arrays.stream(tokens).distinct().count();
    }

    @Test
    void dryEndsLongRepetition() {
        SamplerOptions.Builder stubborn = plain().temperature(0).logitBias(Map.of(80, 12f));
        assertThat(distinct(generate(stubborn.build(), 32))).isEqualTo(1);
        Dry dry = new Dry(5, 2, 2, 256, List.of("\n"));
        assertThat(distinct(generate(stubborn.dry(dry).build(), 32))).isGreaterThan(1);
    }

    @Test
    void xtcExcludesTheTop() {
        SamplerOptions.Builder two = plain().topK(2).temperature(5);
        assertThat(drawn(two.build())).hasSize(2);
        assertThat(drawn(two.xtc(new Xtc(1, 0.001f)).build())).hasSize(1);
    }

    /** All tokens that come up at one position. */
    private static Set<Integer> drawn(SamplerOptions options) {
        Set<Integer> tokens = new HashSet<>();
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(options)) {
            int row = Tiny.decode(context, 0, PROMPT);
            for (int i = 0; i < 200; i++) {
                tokens.add(Tiny.sample(context, sampler, row));
            }
        }
        return tokens;
    }

    @Test
    void grammarRestricts() {
        String grammar = "root ::= (\"yes\" | \"no\") \" \" [0-9]{3}";
        for (int seed = 0; seed < 8; seed++) {
            int[] answer = generate(plain().seed(seed).grammar(grammar).build(), 8);
            int end = 0;
            while (end < answer.length && !model.vocabulary().isEndOfGeneration(answer[end])) {
                end++;
            }
            assertThat(model.vocabulary().detokenize(Arrays.copyOf(answer, end)))
                    .matches("(yes|no) [0-9]{1,3}");
        }
    }

    @Test
    void schemaBecomesGrammar() {
        String grammar = Grammar.fromJsonSchema(
                "{\"type\":\"object\",\"properties\":{\"ok\":{\"enum\":[true]}},\"required\":[\"ok\"],"
                        + "\"additionalProperties\":false}");
        assertThat(grammar).contains("root ::=");
        int[] answer = generate(plain().grammar(grammar).build(), 12);
        String text = model.vocabulary().detokenize(answer);
        assertThat(text).startsWith("{").contains("\"ok\"");
        for (String bad : List.of(
                "", "{", "nonsense", "[".repeat(5000), "{\"type\":\"no such type\"}", "{\"$ref\":\"#/none\"}")) {
            assertThatThrownBy(() -> Grammar.fromJsonSchema(bad))
                    .isInstanceOfSatisfying(
                            LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST));
        }
    }

    /** Rules that lead to each other, and never to an end; followed by recursion. */
    private static String chain(int length) {
        StringBuilder rules = new StringBuilder("root ::= a0\n");
        for (int i = 0; i < length; i++) {
            rules.append("a" + i + " ::= a" + (i + 1) + "\n");
        }
        return rules.append("a" + length + " ::= root").toString();
    }

    /** Each of these would run for ever in llama.cpp, or fill the memory. */
    @Test
    void refusesGrammarsThatNeverEnd() {
        StringBuilder doubling = new StringBuilder("root ::= a0\n");
        StringBuilder searched = new StringBuilder("root ::= a0 \"x\"\n");
        for (int i = 0; i < 60; i++) {
            doubling.append("a%d ::= a%d \"x\" | a%d \"y\"\n".formatted(i, i + 1, i + 1));
            searched.append("a%d ::= a%d? a%d?\n".formatted(i, i + 1, i + 1));
        }
        Map<String, String> bad = Map.of(
                "left recursion",
                "root ::= a root \"x\" | \"y\"\na ::= b\nb ::= \"\"",
                "left recursion by way of others",
                "root ::= a\na ::= b \"x\"\nb ::= c?  a | \"z\"\nc ::= \"c\"",
                "repetition backwards",
                "root ::= \"a\"{5,3}",
                "many repetitions",
                "root ::= " + "[abc]{2000} ".repeat(500),
                "a large class, repeated",
                "root ::= [" + "a-bc".repeat(5000) + "]{2000}",
                "beginnings that double",
                doubling + "a60 ::= \"z\"",
                "a search that doubles",
                searched + "a60 ::= \"z\"",
                "readings that double",
                "root ::= \"key\" r\nr ::= \"a\" r \"x\" | \"a\" r \"y\" | \"a\"");
        bad.forEach((what, grammar) -> assertThatThrownBy(() -> model.newSampler(
                                SamplerOptions.builder().grammar(grammar).build())
                        .close())
                .as(what)
                .isInstanceOfSatisfying(LlamaException.class, e -> {
                    assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST);
                    assertThat(e.getMessage()).startsWith("grammar: ").contains("expected: ");
                }));
    }

    @Test
    void takesLargeGrammarsThatEnd() {
        String words =
                IntStream.range(0, 400).mapToObj(i -> "\"word-" + i + "\"").collect(Collectors.joining(" | "));
        for (String good : List.of(
                "root ::= " + words,
                "root ::= [a-z]{1,2000}",
                "root ::= x* \"b\"\nx ::= y\ny ::= \"a\"*",
                "root ::= \"[\" (root (\",\" root)*)? \"]\"",
                "root ::= expr\nexpr ::= term (\"+\" term)*\nterm ::= [0-9]+ | \"(\" expr \")\"",
                Grammar.fromJsonSchema("{}"))) {
            model.newSampler(SamplerOptions.builder().grammar(good).build()).close();
        }
    }

    @Test
    void refusesBadGrammarsAndTokens() {
        for (String bad : List.of(
                "no grammar",
                "root ::= other",
                "start ::= \"a\"",
                "root ::= " + "(".repeat(300) + "\"a\"" + ")".repeat(300),
                "root ::= root \"a\"",
                " ",
                "# nothing",
                chain(100_000) + " b0",
                "root ::= \"a\"{100000}{100000}",
                "%llguidance {}",
                "root ::= \"\0\"")) {
            assertThatThrownBy(() -> model.newSampler(
                                    SamplerOptions.builder().grammar(bad).build())
                            .close())
                    // its head, as some are long
                    .as(bad.substring(0, Math.min(40, bad.length())))
                    .isInstanceOfSatisfying(
                            LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST));
        }
        assertThatThrownBy(() -> model.newSampler(SamplerOptions.builder()
                        .logitBias(Map.of(TinyGguf.VOCAB_SIZE, 1f))
                        .build()))
                .isInstanceOf(LlamaException.class);
        try (Sampler sampler = model.newSampler(SamplerOptions.greedy())) {
            assertThatThrownBy(() -> sampler.accept(-1)).isInstanceOf(LlamaException.class);
            assertThatThrownBy(() -> sampler.accept(TinyGguf.VOCAB_SIZE)).isInstanceOf(LlamaException.class);
        }
    }

    @Test
    void aFormThatIsCompleteEndsAnAnswerThatIsNotToEnd() {
        for (float temperature : new float[] {0, 1}) {
            int[] answer = generate(
                    plain().temperature(temperature)
                            .grammar("root ::= \"ab\"")
                            .ignoreEos(true)
                            .build(),
                    3);
            assertThat(answer).startsWith(TinyGguf.FIRST_BYTE + 'a', TinyGguf.FIRST_BYTE + 'b');
            assertThat(answer[2]).isIn(TinyGguf.EOS, TinyGguf.IM_END);
        }
    }

    @Test
    void aDeadGrammarFailsAloneAndNotTheProcess() {
        // The second letter is one that the ban forbids, so nothing is left.
        SamplerOptions dead = plain().grammar("root ::= \"ab\"")
                .logitBias(Map.of(TinyGguf.FIRST_BYTE + 'b', Float.NEGATIVE_INFINITY))
                .ignoreEos(true)
                .build();
        try (LlamaContext context = model.newContext(Tiny.contextOptions(2));
                Sampler sampler = model.newSampler(dead);
                Sampler healthy = model.newSampler(SamplerOptions.greedy())) {
            int row = Tiny.decode(context, 0, PROMPT);
            assertThat(Tiny.sample(context, sampler, row)).isEqualTo(TinyGguf.FIRST_BYTE + 'a');
            for (int i = 0; i < 3; i++) {
                int[] out = new int[2];
                context.sample(2, new Sampler[] {sampler, healthy}, new int[] {row, row}, out);
                assertThat(out[0]).isEqualTo(-1);
                assertThat(out[1]).isNotNegative();
                assertThat(sampler.failure())
                        .isNotNull()
                        .hasMessageStartingWith("grammar: no token fits")
                        .returns(Reason.INVALID_REQUEST, LlamaException::reason);
            }
        }
    }

    @Test
    void optionsAreChecked() {
        assertThatThrownBy(() -> SamplerOptions.builder().temperature(-1).build())
                .hasMessage("temperature: -1.0 (expected: 0 to 100)");
        assertThatThrownBy(() -> SamplerOptions.builder().temperature(Float.NaN).build())
                .isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> SamplerOptions.builder().topP(2).build()).isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> SamplerOptions.builder().repeatPenalty(0).build())
                .isInstanceOf(LlamaException.class);
        assertThatThrownBy(() ->
                        SamplerOptions.builder().logitBias(Map.of(1, Float.NaN)).build())
                .isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> SamplerOptions.builder().reasoningBudget(5).build())
                .isInstanceOf(LlamaException.class);
    }

    @Test
    void piecesAreBytes() {
        int[] tokens = model.vocabulary().tokenize("\u00e9", false, false);
        assertThat(tokens).hasSize(2);
        byte[] bytes = {
            model.vocabulary().piece(tokens[0], false)[0], model.vocabulary().piece(tokens[1], false)[0]
        };
        assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo("\u00e9");
    }
}
