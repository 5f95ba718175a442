package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code chasqui node} alone, as another service uses it: over gRPC, with nothing but the stubs. */
class NodeIT {

    private static Launched node;
    private static int port;
    private static ManagedChannel channel;

    @BeforeAll
    static void start() {
        port = Launched.freePort();
        node = Launched.start(
                RealModel.HOME,
                Map.of(),
                List.of("node", "--listen", "127.0.0.1:" + port, "--model", RealModel.NAME, "--parallel", "2"));
        channel = Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create())
                .build();
        awaitReady();
    }

    @AfterAll
    static void stop() {
        channel.shutdownNow();
        node.terminate();
        assertThat(node.exitCode(Duration.ofSeconds(20))).isZero();
        node.close();
    }

    @Test
    void chats() {
        List<GenerationEvent> events = new ArrayList<>();
        chat("Say hello.").forEachRemaining(events::add);

        assertThat(events.get(0).getAdmitted().getModel()).isEqualTo(RealModel.NAME);
        assertThat(events.stream().map(event -> event.getDelta().getContent()).collect(Collectors.joining()))
                .startsWith("Hello");
        assertThat(events.get(events.size() - 1).getCompleted().getUsage().getCompletionTokens())
                .isBetween(1, 16);
    }

    @Test
    void tokensComeBackAsTheirText() {
        String text = "Grüße, 世界 👋";
        List<Integer> tokens = inference()
                .tokenize(TokenizeRequest.newBuilder().setText(text).build())
                .getTokensList();

        assertThat(tokens).isNotEmpty();
        assertThat(inference()
                        .detokenize(DetokenizeRequest.newBuilder()
                                .addAllTokens(tokens)
                                .build())
                        .getText())
                .isEqualTo(text);
    }

    @Test
    void listsItsModels() {
        List<Model> models = ModelsGrpc.newBlockingStub(channel)
                .listModels(ListModelsRequest.getDefaultInstance())
                .getModelsList();

        assertThat(models.get(0).getName()).isEqualTo(RealModel.NAME);
        assertThat(models.get(0).getState()).isEqualTo(ModelState.MODEL_STATE_READY);
        assertThat(models.get(0).getSizeBytes()).isEqualTo(98_362_432);
        assertThat(models).extracting(Model::getName).contains("qwen2.5-0.5b-instruct");
    }

    @Test
    void namesTheFieldAtFault() {
        ChatRequest hot = question("x").toBuilder()
                .setSampling(Sampling.newBuilder().setTemperature(1000))
                .build();

        assertThatThrownBy(() -> inference().chat(hot).next())
                .isInstanceOfSatisfying(StatusRuntimeException.class, refused -> {
                    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
                    assertThat(info(refused).getReason()).isEqualTo("INVALID_REQUEST");
                    assertThat(info(refused).getMetadataMap()).containsEntry("field", "temperature");
                });
    }

    @Test
    void tellsItsHealth() {
        HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(channel);

        assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
                .isEqualTo(ServingStatus.SERVING);
        assertThat(health.check(HealthCheckRequest.newBuilder()
                                .setService(InferenceGrpc.SERVICE_NAME)
                                .build())
                        .getStatus())
                .isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void describesItselfByReflection() throws Exception {
        CompletableFuture<List<String>> services = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> ask = ServerReflectionGrpc.newStub(channel)
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse answer) {
                        services.complete(answer.getListServicesResponse().getServiceList().stream()
                                .map(ServiceResponse::getName)
                                .toList());
                    }

                    @Override
                    public void onError(Throwable problem) {
                        services.completeExceptionally(problem);
                    }

                    @Override
                    public void onCompleted() {
                        // The answer came before.
                    }
                });
        ask.onNext(ServerReflectionRequest.newBuilder().setListServices("*").build());

        assertThat(services.get(10, TimeUnit.SECONDS))
                .contains("chasqui.v1.Inference", "chasqui.v1.Models", "chasqui.v1.Node", "grpc.health.v1.Health");
        ask.onCompleted();
    }

    @Test
    void aCancelledCallFreesItsSlot() {
        Iterator<GenerationEvent> answers = inference()
                .withDeadlineAfter(400, TimeUnit.MILLISECONDS)
                .chat(question("Tell me a very long story.").toBuilder()
                        .setSampling(Sampling.newBuilder().setIgnoreEos(true))
                        .setLimits(Limits.newBuilder().setMaxTokens(2000))
                        .build());
        assertThatThrownBy(() -> answers.forEachRemaining(event -> {}))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        ended -> assertThat(ended.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));

        Launched.await(
                "its slot is free",
                Duration.ofMillis(500),
                () -> status().getEngines(0).getSlotsInUse() == 0);
    }

    @Test
    void refusesAPortThatIsTaken(@TempDir Path home) {
        try (Launched second = Launched.start(home, Map.of(), List.of("node", "--listen", "127.0.0.1:" + port))) {
            assertThat(second.exitCode(Duration.ofSeconds(20))).isEqualTo(2);
            assertThat(second.output()).contains("port " + port).doesNotContain("Exception");
        }
    }

    @Test
    void refusesToBeOpenToOthersWithoutAToken(@TempDir Path home) {
        try (Launched open = Launched.start(home, Map.of(), List.of("node", "--listen", "0.0.0.0:0"))) {
            assertThat(open.exitCode(Duration.ofSeconds(20))).isEqualTo(2);
            assertThat(open.output()).contains("token").doesNotContain("Exception");
        }
    }

    private static void awaitReady() {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
        while (System.nanoTime() < end && node.isAlive()) {
            ModelState state = state();
            if (state == ModelState.MODEL_STATE_READY) {
                return;
            }
            if (state == ModelState.MODEL_STATE_FAILED) {
                break;
            }
        }
        String output = node.output();
        node.close();
        RealModel.explainMissing(RealModel.HOME, output);
    }

    private static ModelState state() {
        try {
            return NodeGrpc.newBlockingStub(channel)
                    .withWaitForReady()
                    .withDeadlineAfter(1, TimeUnit.SECONDS)
                    .watchStatus(WatchStatusRequest.getDefaultInstance())
                    .next()
                    .getModels(0)
                    .getState();
        } catch (StatusRuntimeException notYet) {
            return ModelState.MODEL_STATE_UNSPECIFIED;
        }
    }

    private static NodeStatus status() {
        return NodeGrpc.newBlockingStub(channel).getStatus(GetStatusRequest.getDefaultInstance());
    }

    private static InferenceGrpc.InferenceBlockingStub inference() {
        return InferenceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
    }

    private static Iterator<GenerationEvent> chat(String text) {
        return inference().chat(question(text));
    }

    private static ChatRequest question(String text) {
        return ChatRequest.newBuilder()
                .addMessages(ChatMessage.newBuilder()
                        .setRole("user")
                        .addContent(ContentPart.newBuilder().setText(text)))
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setLimits(Limits.newBuilder().setMaxTokens(16))
                .build();
    }

    private static ErrorInfo info(StatusRuntimeException refused) {
        try {
            return requireNonNull(StatusProto.fromThrowable(refused))
                    .getDetails(0)
                    .unpack(ErrorInfo.class);
        } catch (InvalidProtocolBufferException problem) {
            throw new AssertionError(problem);
        }
    }
}
