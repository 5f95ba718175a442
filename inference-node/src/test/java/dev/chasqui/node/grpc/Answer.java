package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A streamed answer as a client takes it down; it can stop reading, and leave. */
final class Answer implements ClientResponseObserver<Object, GenerationEvent> {
    private final int reads;
    private final List<GenerationEvent> events = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CountDownLatch called = new CountDownLatch(1);
    private @Nullable ClientCallStreamObserver<?> call;
    private @Nullable Throwable failure;

    /** @param reads how many events it takes by itself */
    Answer(int reads) {
        this.reads = reads;
    }

    @Override
    @SuppressWarnings({"unchecked", "rawtypes"})
    public void beforeStart(ClientCallStreamObserver stream) {
        call = stream;
        if (reads != Integer.MAX_VALUE) {
            stream.disableAutoRequestWithInitial(reads);
        }
        called.countDown();
    }

    @Override
    public synchronized void onNext(GenerationEvent event) {
        events.add(event);
        notifyAll();
    }

    @Override
    public synchronized void onError(Throwable error) {
        failure = error;
        ended.countDown();
        notifyAll();
    }

    @Override
    public synchronized void onCompleted() {
        ended.countDown();
        notifyAll();
    }

    /** Waits for the end. */
    Answer await() throws InterruptedException {
        if (!ended.await(60, TimeUnit.SECONDS)) {
            throw new AssertionError("the answer does not end; events: " + events().size());
        }
        return this;
    }

    /** Waits for the first piece of text. */
    Answer awaitDelta() throws InterruptedException {
        TestNode.await("a delta", () -> !deltas().isEmpty() || ended.getCount() == 0);
        if (deltas().isEmpty()) {
            throw new AssertionError("no delta came", failure);
        }
        return this;
    }

    /** Takes all that is left. */
    Answer read() throws InterruptedException {
        if (call != null) {
            call.request(Integer.MAX_VALUE);
        }
        return await();
    }

    void cancel() {
        if (call != null) {
            call.cancel("the client left", null);
        }
    }

    synchronized List<GenerationEvent> events() {
        return List.copyOf(events);
    }

    boolean ended() {
        return ended.getCount() == 0;
    }

    List<Delta> deltas() {
        return events().stream()
                .filter(GenerationEvent::hasDelta)
                .map(GenerationEvent::getDelta)
                .toList();
    }

    String text() {
        return text(0);
    }

    String text(int choice) {
        StringBuilder text = new StringBuilder();
        deltas().stream()
                .filter(delta -> delta.getChoice() == choice)
                .forEach(delta -> text.append(delta.getContent()));
        return text.toString();
    }

    int tokens() {
        return deltas().stream().mapToInt(Delta::getTokens).sum();
    }

    Finished finished(int choice) {
        checkSucceeded();
        return events().stream()
                .filter(GenerationEvent::hasFinished)
                .map(GenerationEvent::getFinished)
                .filter(finished -> finished.getChoice() == choice)
                .findFirst()
                .orElseThrow();
    }

    Completed completed() {
        checkSucceeded();
        return events().stream()
                .filter(GenerationEvent::hasCompleted)
                .map(GenerationEvent::getCompleted)
                .findFirst()
                .orElseThrow();
    }

    /** How the call failed. */
    StatusRuntimeException failure() {
        if (failure instanceof StatusRuntimeException status) {
            return status;
        }
        throw new AssertionError("the call did not fail", failure);
    }

    /** How the call failed; null where it did not. */
    @Nullable
    StatusRuntimeException failed() {
        return failure == null ? null : failure();
    }

    private void checkSucceeded() {
        if (failure != null) {
            throw new AssertionError("the call failed", failure);
        }
    }
}
