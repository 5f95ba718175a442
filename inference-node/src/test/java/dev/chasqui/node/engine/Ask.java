package dev.chasqui.node.engine;

import java.util.List;
import java.util.Random;

/** A request in the making, and its recorded answer once it was submitted. */
final class Ask {
    final int[] prompt;
    Begun begun = Begun.NOTHING;
    int maxTokens = 8;
    List<String> stops = List.of();
    ScriptedSampler sampler;
    int logprobs = -1;
    int promptLogprobs = -1;
    int priority;
    AdapterSet adapters = AdapterSet.NONE;
    long deadlineNanos = GenerationRequest.NO_DEADLINE;
    RecordedAnswer answer;
    Generation generation = () -> {
        throw new IllegalStateException("not submitted");
    };

    private Ask(int[] prompt, ScriptedSampler sampler) {
        this.prompt = prompt;
        this.sampler = sampler;
        this.answer = new RecordedAnswer(System::nanoTime);
    }

    static Ask prompt(int... tokens) {
        return new Ask(tokens, ScriptedSampler.seeded(0));
    }

    /** A prompt of so many tokens. */
    static Ask tokens(int count) {
        return tokens(count, 0);
    }

    /** One that shares no prefix with those of other numbers. */
    static Ask tokens(int count, int number) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = (number * 31 + i * 7) % 256;
        }
        return prompt(tokens);
    }

    Ask max(int tokens) {
        maxTokens = tokens;
        return this;
    }

    Ask stops(String... strings) {
        stops = List.of(strings);
        return this;
    }

    Ask sampler(ScriptedSampler value) {
        sampler = value;
        return this;
    }

    /** The answer is these tokens, and ends with them. */
    Ask saying(int... tokens) {
        maxTokens = Math.max(1, tokens.length);
        return sampler(ScriptedSampler.saying(tokens));
    }

    /** Never ends by itself: the alphabet, then letters that repeat nothing. */
    Ask endless() {
        int[] letters = new Random(26).ints(4096, 'a', 'z' + 1).toArray();
        for (int i = 0; i < 26; i++) {
            letters[i] = 'a' + i;
        }
        maxTokens = letters.length;
        return sampler(ScriptedSampler.saying(letters));
    }

    Ask logprobs(int top) {
        logprobs = top;
        return this;
    }

    Ask promptLogprobs(int top) {
        promptLogprobs = top;
        return this;
    }

    Ask deadline(long nanos) {
        deadlineNanos = nanos;
        return this;
    }

    /** Goes on with what another engine had made of it. */
    Ask begun(int[] tokens, long ageNanos) {
        begun = new Begun(tokens, ageNanos);
        return this;
    }

    /** Lower is sooner. */
    Ask priority(int value) {
        priority = value;
        return this;
    }

    /** Computed with one adapter. */
    Ask adapter(int adapter, float scale) {
        adapters = new AdapterSet(List.of(new AdapterSet.Use(adapter, scale)));
        return this;
    }

    GenerationRequest request() {
        return new GenerationRequest(
                prompt,
                begun,
                maxTokens,
                stops,
                new Words(),
                sampler,
                logprobs,
                promptLogprobs,
                priority,
                adapters,
                deadlineNanos,
                answer);
    }
}
