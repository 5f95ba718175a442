package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Takes an answer down and holds the engine to what {@link TokenSink} promises. Any thread may read it. */
final class RecordedAnswer implements TokenSink {
    private final List<TokenChunk> replayed = new ArrayList<>();
    private final List<Integer> ahead = new ArrayList<>();
    private final List<int[]> prompts = new ArrayList<>();
    private final List<TokenChunk> chunks = new ArrayList<>();
    private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    private final List<Long> times = new ArrayList<>();
    private final List<String> broken = new ArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Ticker ticker;
    /** Runs whenever it is told its place in the queue. */
    Runnable whenQueued = () -> {};

    private @Nullable Completion completion;
    private @Nullable EngineException failure;
    private @Nullable TokenChunk rest;

    RecordedAnswer(Ticker ticker) {
        this.ticker = ticker;
    }

    @Override
    public synchronized void queued(int requests) {
        require(chunks.isEmpty() && prompts.isEmpty(), "queued after it had begun");
        require(requests >= 0, "queued behind " + requests);
        ahead.add(requests);
        whenQueued.run();
    }

    @Override
    public synchronized void prompt(int done, int total) {
        require(chunks.isEmpty(), "prompt progress after a chunk");
        require(done > 0 && done <= total, "prompt progress " + done + " of " + total);
        prompts.add(new int[] {done, total});
    }

    @Override
    public synchronized void promptLogprobs(List<TokenLogprob> tokens) {
        require(promptLogprobs.isEmpty() && chunks.isEmpty(), "the prompt's log-probabilities late or twice");
        promptLogprobs.addAll(tokens);
    }

    @Override
    public synchronized void chunk(TokenChunk chunk) {
        require(chunk.tokens() >= 0, "a chunk of " + chunk.tokens() + " tokens");
        chunks.add(chunk);
        times.add(ticker.nanos());
    }

    @Override
    public synchronized void replayed(List<TokenChunk> pieces) {
        require(ahead.isEmpty() && replayed.isEmpty(), "replayed after it had begun");
        replayed.addAll(pieces);
    }

    @Override
    public synchronized void completed(TokenChunk rest, Completion completed) {
        this.rest = rest;
        if (rest.tokens() > 0 || !rest.text().isEmpty() || !rest.logprobs().isEmpty()) {
            chunk(rest);
        }
        int tokens = Stream.concat(replayed.stream(), chunks.stream())
                .mapToInt(TokenChunk::tokens)
                .sum();
        require(tokens == completed.completionTokens(), tokens + " tokens came of " + completed.completionTokens());
        require(completed.queueNanos() >= 0 && completed.promptNanos() >= 0 && completed.decodeNanos() >= 0, "times");
        completion = completed;
        require(end.getCount() == 1, "a second end");
        end.countDown();
    }

    @Override
    public synchronized void failed(EngineException failed) {
        failure = failed;
        require(end.getCount() == 1, "a second end");
        end.countDown();
    }

    private void require(boolean holds, String what) {
        if (!holds || (end.getCount() == 0 && !what.equals("a second end"))) {
            broken.add(what + (end.getCount() == 0 ? ", after the end" : ""));
        }
    }

    boolean ended() {
        return end.getCount() == 0;
    }

    boolean awaitEnd() throws InterruptedException {
        return end.await(20, TimeUnit.SECONDS);
    }

    /** Throws where the engine did what it must not. */
    synchronized void checkSane() {
        if (!broken.isEmpty()) {
            throw new AssertionError("the engine told a sink: " + broken);
        }
    }

    /** What came with the end. */
    synchronized TokenChunk rest() {
        return Objects.requireNonNull(rest);
    }

    /** Empty where none were asked for, or the prompt was not computed to its end. */
    synchronized List<TokenLogprob> promptLogprobs() {
        return List.copyOf(promptLogprobs);
    }

    synchronized String text() {
        StringBuilder text = new StringBuilder();
        chunks.forEach(chunk -> text.append(chunk.text()));
        return text.toString();
    }

    synchronized List<TokenChunk> chunks() {
        return List.copyOf(chunks);
    }

    /** When each chunk came. */
    synchronized List<Long> times() {
        return List.copyOf(times);
    }

    synchronized List<Integer> ahead() {
        return List.copyOf(ahead);
    }

    synchronized List<int[]> prompts() {
        return List.copyOf(prompts);
    }

    synchronized @Nullable Completion completionOrNull() {
        return completion;
    }

    synchronized Completion completion() {
        checkSane();
        if (completion == null) {
            throw new AssertionError("the answer is not complete", failure);
        }
        return completion;
    }

    synchronized @Nullable EngineException failureOrNull() {
        return failure;
    }

    synchronized EngineException failure() {
        checkSane();
        if (failure == null) {
            throw new AssertionError("the request did not fail: " + completion);
        }
        return failure;
    }
}
