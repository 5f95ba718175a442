package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.proto.v1.CancelPullRequest;
import dev.chasqui.proto.v1.DeleteModelRequest;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.PullModelRequest;
import dev.chasqui.proto.v1.ShowModelRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Downloads as everybody who lists models sees them, over the wire. */
@Timeout(120)
final class PullingTest {
    @TempDir
    Path folder;

    private final CountDownLatch rest = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer hub;
    private TestNode node;

    /** A hub whose one file never ends before the test does. */
    @BeforeEach
    void start() throws IOException {
        Path models = Files.createDirectories(folder.resolve("models"));
        TinyGguf.write(models.resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);
        byte[] file = Files.readAllBytes(models.resolve("tiny.gguf"));
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.setExecutor(threads);
        hub.createContext("/", exchange -> {
            if (!exchange.getRequestURI().getPath().endsWith("/endless.gguf")) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            exchange.sendResponseHeaders(200, file.length);
            OutputStream body = exchange.getResponseBody();
            try {
                // So slowly that it does not come to its end.
                for (int at = 0; at < file.length - 1 && !rest.await(20, TimeUnit.MILLISECONDS); at++) {
                    body.write(file, at, 1);
                    body.flush();
                }
                rest.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        hub.start();
        ModelSettings settings = new ModelSettings("tiny", 2, 512, 0, 8, 1, 0, 0, false, List.of(), null, 1L << 40);
        node = TestNode.fetching(
                models,
                settings,
                URI.create("http://127.0.0.1:" + hub.getAddress().getPort()));
    }

    @AfterEach
    void stop() {
        node.close();
        rest.countDown();
        hub.stop(0);
        threads.shutdownNow();
    }

    @Test
    void aDownloadIsListedWithWhatIsHereAndEndsForAllWhenItIsCancelled() throws Exception {
        CompletableFuture<Void> first = pull("hf:o/r/endless.gguf");
        CompletableFuture<Void> second = pull("hf:o/r/endless.gguf");
        TestNode.await(
                "the first bytes",
                () -> listed("endless").map(model -> model.getBytesDone() > 0).orElse(false));
        Model model = listed("endless").orElseThrow();

        assertThat(model.getState()).isEqualTo(ModelState.MODEL_STATE_DOWNLOADING);
        assertThat(model.getBytesDone()).isLessThan(model.getSizeBytes());
        node.modelsStub()
                .cancelPull(
                        CancelPullRequest.newBuilder().setName(model.getName()).build());

        assertThat(failure(first).getStatus().getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(failure(second).getStatus().getCode()).isEqualTo(Status.Code.CANCELLED);
        TestNode.await("the list without it", () -> listed("endless").isEmpty());
        StatusRuntimeException none = catchThrowableOfType(
                StatusRuntimeException.class,
                () -> node.modelsStub()
                        .cancelPull(CancelPullRequest.newBuilder()
                                .setName(model.getName())
                                .build()));
        assertThat(Refusal.of(none).reason()).isEqualTo("MODEL_NOT_FOUND");
    }

    @Test
    void aDownloadIsShownAndDeletedByTheNameThatItIsListedBy() throws Exception {
        CompletableFuture<Void> pull = pull("hf:o/r/endless.gguf");
        TestNode.await(
                "the first bytes",
                () -> listed("endless").map(model -> model.getBytesDone() > 0).orElse(false));
        String name = listed("endless").orElseThrow().getName();

        assertThat(node.modelsStub()
                        .showModel(ShowModelRequest.newBuilder().setName(name).build())
                        .getState())
                .isEqualTo(ModelState.MODEL_STATE_DOWNLOADING);
        node.modelsStub()
                .deleteModel(DeleteModelRequest.newBuilder().setName(name).build());

        assertThat(failure(pull).getStatus().getCode()).isEqualTo(Status.Code.CANCELLED);
        TestNode.await("the list without it", () -> listed("endless").isEmpty());
    }

    @Test
    void whatAnEarlierFetchLeftIsListedWithItsBytesUntilItIsDeleted() throws Exception {
        Files.write(node.modelsFolder.resolve("left.gguf.partial"), new byte[1000]);

        Model model = node.modelsStub()
                .showModel(ShowModelRequest.newBuilder().setName("left").build());
        assertThat(model.getState()).isEqualTo(ModelState.MODEL_STATE_ABSENT);
        assertThat(model.getBytesDone()).isEqualTo(1000);
        assertThat(node.modelsStub()
                        .listModels(ListModelsRequest.getDefaultInstance())
                        .getModelsList())
                .contains(model);
        node.modelsStub()
                .deleteModel(DeleteModelRequest.newBuilder().setName("left").build());
        assertThat(node.modelsFolder.resolve("left.gguf.partial")).doesNotExist();
    }

    @Test
    void whatCouldNotBeFetchedIsListedWithItsReasonUntilItIsDeleted() throws Exception {
        failure(pull("hf:o/r/lost.gguf"));

        Model model = listed("lost").orElseThrow();
        assertThat(model.getState()).isEqualTo(ModelState.MODEL_STATE_FAILED);
        assertThat(model.getReason()).contains("404");
        node.modelsStub()
                .deleteModel(
                        DeleteModelRequest.newBuilder().setName(model.getName()).build());
        assertThat(listed("lost")).isEmpty();
    }

    private CompletableFuture<Void> pull(String name) {
        return CompletableFuture.runAsync(
                () -> node.modelsStub()
                        .pullModel(PullModelRequest.newBuilder().setName(name).build())
                        .forEachRemaining(progress -> {}),
                threads);
    }

    private static StatusRuntimeException failure(CompletableFuture<Void> pull) throws InterruptedException {
        try {
            pull.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StatusRuntimeException failure) {
                return failure;
            }
            throw new AssertionError("another failure than the node's", e);
        }
        throw new AssertionError("it came to an end");
    }

    /** The model of the file with this name, which in the list bears a mark of where it comes from. */
    private Optional<Model> listed(String name) {
        return node.modelsStub().listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
                .filter(model -> model.getName().startsWith(name + "-"))
                .findFirst();
    }
}
