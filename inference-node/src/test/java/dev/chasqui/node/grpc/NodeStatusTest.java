package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a node says how it is, and to whom. */
@Timeout(120)
final class NodeStatusTest {
    @TempDir
    Path folder;

    @Test
    void tellsWhatItIsAndWhatItDid() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            node.generate(TestNode.prompt("x").build()).completed();
            TestNode.await("the engine's rest", () -> node.engine("tiny").getSlotsInUse() == 0);
            NodeStatus status = status(node);

            assertThat(status.getVersion()).isEqualTo("test");
            assertThat(status.getLlamaCppVersion()).contains("0.5.0");
            assertThat(status.getDefaultModel()).isEqualTo("tiny");
            assertThat(status.getUptimeSeconds()).isPositive();
            assertThat(status.getDraining()).isFalse();
            assertThat(status.getDevicesList()).isNotEmpty().anySatisfy(device -> {
                assertThat(device.getKind()).isEqualTo("cpu");
                assertThat(device.getMemoryFreeBytes()).isPositive().isLessThan(device.getMemoryTotalBytes());
            });
            assertThat(status.getModelsList()).singleElement().satisfies(model -> {
                assertThat(model.getName()).isEqualTo("tiny");
                assertThat(model.getState()).isEqualTo(ModelState.MODEL_STATE_READY);
            });
            EngineStatus engine = node.engine("tiny");
            assertThat(engine.getSlots()).isEqualTo(4);
            assertThat(engine.getQueueCapacity()).isEqualTo(8);
            assertThat(engine.getRequestsTotal()).isEqualTo(1);
            assertThat(engine.getPromptTokensTotal()).isEqualTo(2);
            assertThat(engine.getCompletionTokensTotal()).isEqualTo(16);
            assertThat(engine.getStepsTotal()).isEqualTo(16);
            assertThat(engine.getKvTokensCapacity()).isEqualTo(4 * TestNode.CONTEXT);
            assertThat(engine.getKvTokensUsed()).isEqualTo(2 + 15);
        }
    }

    @Test
    void watchersHearAtOnceAndWhenSomethingChanges() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            BlockingQueue<NodeStatus> heard = new LinkedBlockingQueue<>();
            Context.CancellableContext watching = Context.current().withCancellation();
            watching.run(() ->
                    NodeGrpc.newStub(node.channel).watchStatus(WatchStatusRequest.getDefaultInstance(), into(heard)));
            assertThat(next(heard).getModelsCount()).isEqualTo(1);

            node.load("slow");
            NodeStatus status = next(heard);
            while (status.getModelsCount() < 2 || status.getModels(1).getState() != ModelState.MODEL_STATE_READY) {
                status = next(heard);
            }
            assertThat(status.getEnginesCount()).isEqualTo(2);
            node.generate(TestNode.prompt("x").build()).completed();
            while (status.getEngines(0).getCompletionTokensTotal()
                            + status.getEngines(1).getCompletionTokensTotal()
                    == 0) {
                status = next(heard);
            }
            watching.cancel(null);
        }
    }

    @Test
    void speaksAsOftenAsItIsAskedAlsoWhenNothingChanges() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            BlockingQueue<NodeStatus> heard = new LinkedBlockingQueue<>();
            Context.CancellableContext watching = Context.current().withCancellation();
            watching.run(() -> NodeGrpc.newStub(node.channel)
                    .watchStatus(
                            WatchStatusRequest.newBuilder().setIntervalMs(500).build(), into(heard)));
            NodeStatus first = next(heard);
            NodeStatus last = first;
            for (int beat = 0; beat < 6; beat++) {
                last = next(heard);
            }
            // Six changes would have been told within less than a second.
            assertThat(last.getUptimeSeconds() - first.getUptimeSeconds()).isGreaterThan(2);
            assertThat(last.getStoredModelsList()).containsExactlyInAnyOrder("tiny", "slow", "strict");
            watching.cancel(null);
        }
    }

    @Test
    void aDrainingNodeWaitsForItsSlowestReader() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            Answer running = node.start(TestNode.prompt("x")
                            .setLimits(Limits.newBuilder().setMaxTokens(400))
                            .build())
                    .awaitDelta();
            assertThat(node.server.drain()).isEqualTo(1);

            assertThat(node.server.awaitIdle(Duration.ofMinutes(1))).isZero();
            assertThat(running.await().finished(0).getCompletionTokens()).isEqualTo(400);
            assertThat(catchThrowableOfType(
                                    StatusRuntimeException.class,
                                    () -> InferenceGrpc.newBlockingStub(node.channel)
                                            .tokenize(TokenizeRequest.getDefaultInstance()))
                            .getStatus()
                            .getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    @Test
    void isHealthyOnceTheDefaultModelAnswers() throws Exception {
        try (TestNode node = TestNode.started(folder, 1, 1, 1L << 40, null)) {
            assertThat(health(node.channel, "")).isEqualTo(ServingStatus.SERVING);
            node.load("tiny");
            TestNode.await("readiness", () -> health(node.channel, "chasqui.v1.Inference") == ServingStatus.SERVING);
            assertThat(catchThrowableOfType(StatusRuntimeException.class, () -> health(node.channel, "nonesuch"))
                            .getStatus()
                            .getCode())
                    .isEqualTo(Status.Code.NOT_FOUND);

            node.models.unload("tiny");
            node.generate(TestNode.prompt("x").build()).completed();
            assertThat(health(node.channel, "chasqui.v1.Inference"))
                    .as("a model that had to leave is loaded anew by who asks for it")
                    .isEqualTo(ServingStatus.SERVING);
        }
    }

    @Test
    void aDrainingNodeSaysSoAndFinishesWhatRuns() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            Answer running = node.start(TestNode.prompt("x")
                            .setModel("slow")
                            .setLimits(Limits.newBuilder().setMaxTokens(200))
                            .build())
                    .awaitDelta();
            node.server.drain();
            node.models.drain();

            assertThat(status(node).getDraining()).isTrue();
            assertThat(health(node.channel, "")).isEqualTo(ServingStatus.NOT_SERVING);
            assertThat(health(node.channel, "chasqui.v1.Inference")).isEqualTo(ServingStatus.NOT_SERVING);
            Refusal refusal =
                    Refusal.of(node.generate(TestNode.prompt("x").build()).failure());
            assertThat(refusal.code()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(refusal.reason()).isEqualTo("SHUTTING_DOWN");
            assertThat(refusal.retryAfter()).isNotNull();
            assertThat(running.await().finished(0).getCompletionTokens()).isEqualTo(200);
        }
    }

    @Test
    void reflectionNamesEveryService() throws Exception {
        try (TestNode node = TestNode.ready(folder)) {
            BlockingQueue<ServerReflectionResponse> heard = new LinkedBlockingQueue<>();
            StreamObserver<ServerReflectionRequest> ask =
                    ServerReflectionGrpc.newStub(node.channel).serverReflectionInfo(into(heard));
            ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
            ServerReflectionResponse services = heard.poll(20, TimeUnit.SECONDS);
            ask.onNext(ServerReflectionRequest.newBuilder()
                    .setFileContainingSymbol("chasqui.v1.Inference")
                    .build());
            ServerReflectionResponse file = heard.poll(20, TimeUnit.SECONDS);
            ask.onCompleted();

            assertThat(services).isNotNull();
            assertThat(services.getListServicesResponse().getServiceList())
                    .extracting(ServiceResponse::getName)
                    .contains("chasqui.v1.Inference", "chasqui.v1.Models", "chasqui.v1.Node", "grpc.health.v1.Health");
            assertThat(file).isNotNull();
            assertThat(file.getFileDescriptorResponse().getFileDescriptorProtoCount())
                    .isPositive();
        }
    }

    @Test
    void withATokenOnlyThoseGetInWhoBringIt() throws Exception {
        try (TestNode node = TestNode.started(folder, 1, 1, 1L << 40, "s3cret")) {
            assertThat(health(node.channel, "")).isEqualTo(ServingStatus.SERVING);
            assertRefused(node, null);
            assertRefused(node, "");
            assertRefused(node, "Bearer wrong");
            assertRefused(node, "Bearer s3cret2");
            assertRefused(node, "bearer s3cret ");
            assertRefused(node, "s3cret");
            assertThat(nodeStub(node, "Bearer s3cret")
                            .getStatus(GetStatusRequest.getDefaultInstance())
                            .getVersion())
                    .isEqualTo("test");
        }
    }

    private static void assertRefused(TestNode node, @Nullable String authorization) {
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class,
                () -> nodeStub(node, authorization).getStatus(GetStatusRequest.getDefaultInstance()));
        Refusal refusal = Refusal.of(failure);
        assertThat(refusal.code()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(refusal.reason()).isEqualTo("UNAUTHENTICATED");
        assertThat(refusal.message()).doesNotContain("s3cret");
    }

    private static NodeGrpc.NodeBlockingStub nodeStub(TestNode node, @Nullable String authorization) {
        Metadata headers = new Metadata();
        if (authorization != null) {
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), authorization);
        }
        return node.nodeStub().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static NodeStatus status(TestNode node) {
        return node.nodeStub().getStatus(GetStatusRequest.getDefaultInstance());
    }

    private static ServingStatus health(ManagedChannel channel, String service) {
        return HealthGrpc.newBlockingStub(channel)
                .check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }

    private static <T> T next(BlockingQueue<T> heard) throws InterruptedException {
        T next = heard.poll(20, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("nothing more was heard");
        }
        return next;
    }

    private static <T> StreamObserver<T> into(BlockingQueue<T> heard) {
        return new StreamObserver<>() {
            @Override
            public void onNext(T value) {
                heard.add(value);
            }

            @Override
            public void onError(Throwable failure) {}

            @Override
            public void onCompleted() {}
        };
    }
}
