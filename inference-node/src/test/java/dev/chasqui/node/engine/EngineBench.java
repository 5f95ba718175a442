package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An engine without its thread over a {@link ScriptedRunner}; the test turns the crank, and the books are checked each time. */
final class EngineBench implements AutoCloseable {
    /** A scripted runner's saved slot has a byte for each token. */
    static final long CACHE_BYTES = 1_000;

    final ManualTicker ticker = new ManualTicker();
    final ScriptedRunner runner;
    final Engine engine;
    final @Nullable ScriptedDrafter drafter;

    EngineBench(int slots, int contextTokens, int batchTokens, int queueCapacity) {
        this(slots, contextTokens, batchTokens, queueCapacity, Beginnings.WORTHWHILE);
    }

    EngineBench(int slots, int contextTokens, int batchTokens, int queueCapacity, int worthwhile) {
        this(slots, contextTokens, batchTokens, worthwhile, new EngineOptions(queueCapacity, CACHE_BYTES, true), 0, 0);
    }

    EngineBench(int slots, int contextTokens, int batchTokens, int worthwhile, EngineOptions options) {
        this(slots, contextTokens, batchTokens, worthwhile, options, 0, 0);
    }

    EngineBench(
            int slots,
            int contextTokens,
            int batchTokens,
            int queueCapacity,
            int worthwhile,
            double sure,
            long guessNanos) {
        this(
                slots,
                contextTokens,
                batchTokens,
                worthwhile,
                new EngineOptions(queueCapacity, CACHE_BYTES, true),
                sure,
                guessNanos);
    }

    /**
     * With a small model.
     *
     * @param sure how often its guesses are right, 0: there is none
     * @param guessNanos what a guess takes
     */
    EngineBench(
            int slots,
            int contextTokens,
            int batchTokens,
            int worthwhile,
            EngineOptions options,
            double sure,
            long guessNanos) {
        drafter = sure == 0 ? null : new ScriptedDrafter(contextTokens, sure, guessNanos, ticker);
        runner = new ScriptedRunner(slots, contextTokens, batchTokens, Words.SIZE, ticker);
        runner.cost = ScriptedRunner.StepCost.linear(1_000_000, 100_000);
        engine = new Engine("bench", runner, options, worthwhile, drafter, ticker);
    }

    static EngineBench withSlots(int slots) {
        return new EngineBench(slots, 512, 64, 16);
    }

    Ask submit(Ask ask) {
        submit(List.of(ask));
        return ask;
    }

    void submit(List<Ask> asks) {
        asks.forEach(ask -> ask.answer = new RecordedAnswer(ticker));
        List<Generation> handles = engine.submit(asks.stream().map(Ask::request).toList());
        for (int i = 0; i < asks.size(); i++) {
            asks.get(i).generation = handles.get(i);
        }
    }

    boolean step() {
        boolean worked = engine.step();
        engine.checkIntegrity();
        return worked;
    }

    void steps(int count) {
        for (int i = 0; i < count; i++) {
            step();
        }
    }

    /** Runs until nothing is left to do, and submits before that what is given. */
    void run(Ask... asks) {
        Arrays.stream(asks).forEach(this::submit);
        int steps = 0;
        while (step()) {
            if (++steps > 100_000) {
                throw new AssertionError("the engine never gets done");
            }
        }
    }

    /** What a request is told of its prompt. */
    static List<TokenLogprob> promptLogprobs(Ask ask) {
        if (ask.promptLogprobs < 0) {
            return List.of();
        }
        List<TokenLogprob> told = new ArrayList<>();
        told.add(new TokenLogprob(ask.prompt[0], Float.NaN, List.of()));
        long state = 0;
        for (int i = 1; i < ask.prompt.length; i++) {
            state = ScriptedRunner.next(state, ask.prompt[i - 1], ask.adapters);
            told.add(ScriptedRunner.logprob(state, ask.prompt[i], ask.promptLogprobs, Words.SIZE));
        }
        return told;
    }

    /** What a request answers when nobody else is there. */
    static String alone(Ask ask) {
        try (EngineBench bench = new EngineBench(1, 4096, 64, 0)) {
            Ask copy = Ask.prompt(ask.prompt).max(ask.maxTokens).sampler(ScriptedSampler.seeded(0));
            copy.stops = ask.stops;
            copy.adapters = ask.adapters;
            bench.run(copy);
            copy.answer.completion();
            return copy.answer.text();
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
