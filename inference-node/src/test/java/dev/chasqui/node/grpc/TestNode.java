package dev.chasqui.node.grpc;

import dev.chasqui.llama.Llama;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.AdapterFile;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.model.Models;
import dev.chasqui.node.runner.TestLlama;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Sampling;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A whole node on a port of its own, with real libraries, and a client's connection to it. Its models have random weights:
 * {@code tiny} is quick, {@code slow} has many layers, {@code strict} has a template that refuses a second user message.
 * {@code tiny} has two LoRA adapters, {@code poet} and {@code clerk}, the second at half its strength.
 */
final class TestNode implements AutoCloseable {
    static final int CONTEXT = 2048;

    private static final String STRICT =
            "{%- if messages | selectattr('role', 'equalto', 'user') | list | length > 1 %}"
                    + "{{ raise_exception('expected one user message') }}{%- endif %}"
                    + TinyGguf.CHATML;

    /** Small, so that a client that does not read is soon noticed. */
    private static final int WINDOW_BYTES = 16 << 10;

    final Models models;
    final NodeServer server;
    final ManagedChannel channel;
    final Path modelsFolder;

    private TestNode(Path modelsFolder, ModelSettings settings, @Nullable String token) throws IOException {
        this(modelsFolder, settings, token, StoreSettings.DEFAULTS);
    }

    private TestNode(Path modelsFolder, ModelSettings settings, @Nullable String token, StoreSettings sources)
            throws IOException {
        this.modelsFolder = modelsFolder;
        Llama llama = TestLlama.load();
        ModelStore store = new ModelStore(modelsFolder, Catalogue.builtIn(), sources);
        models = new Models(llama, store, settings);
        server = new NodeServer(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new NodeAccess(token, null),
                "test",
                llama,
                models);
        channel = NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))
                .usePlaintext()
                .initialFlowControlWindow(WINDOW_BYTES)
                .build();
        models.start(() -> {});
    }

    /** A node whose default model is ready. */
    static TestNode ready(Path folder) throws IOException {
        TestNode node = started(folder, 4, 8, 1L << 40, null);
        node.load("tiny");
        return node;
    }

    static TestNode started(Path folder, int slots, int queue, long memoryBytes, @Nullable String token)
            throws IOException {
        Path modelsFolder = Files.createDirectories(folder.resolve("models"));
        TinyGguf.write(modelsFolder.resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);
        TinyGguf.write(modelsFolder.resolve("slow.gguf"), TinyGguf.Options.DEFAULT.withLayers(48));
        TinyGguf.write(modelsFolder.resolve("strict.gguf"), TinyGguf.Options.DEFAULT.withTemplate(STRICT));
        return new TestNode(
                modelsFolder,
                new ModelSettings(
                        "tiny",
                        slots,
                        CONTEXT,
                        0,
                        queue,
                        1,
                        0,
                        64L << 20,
                        true,
                        adapters(folder.resolve("adapters")),
                        null,
                        memoryBytes),
                token);
    }

    private static List<AdapterFile> adapters(Path folder) throws IOException {
        Files.createDirectories(folder);
        return List.of(
                new AdapterFile("poet", TinyGguf.writeLora(folder.resolve("poet.gguf"), 1), 1),
                new AdapterFile("clerk", TinyGguf.writeLora(folder.resolve("clerk.gguf"), 2), 0.5f));
    }

    /** A node over models that are there already. */
    static TestNode over(Path modelsFolder, ModelSettings settings) throws IOException {
        TestNode node = unready(modelsFolder, settings);
        node.load("");
        return node;
    }

    /** A node that fetches models from this hub, and whose default one is not there. */
    static TestNode fetching(Path modelsFolder, ModelSettings settings, URI hub) throws IOException {
        Duration patience = Duration.ofSeconds(30);
        return new TestNode(
                modelsFolder, settings, null, new StoreSettings(hub, null, patience, patience, patience, Set.of()));
    }

    /** The same, which may never get ready. */
    static TestNode unready(Path modelsFolder, ModelSettings settings) throws IOException {
        return new TestNode(modelsFolder, settings, null);
    }

    void load(String name) {
        ModelsGrpc.newBlockingStub(channel)
                .loadModel(LoadModelRequest.newBuilder().setName(name).build())
                .forEachRemaining(progress -> {});
    }

    InferenceGrpc.InferenceBlockingStub inference() {
        return InferenceGrpc.newBlockingStub(channel).withDeadlineAfter(Duration.ofSeconds(60));
    }

    ModelsGrpc.ModelsBlockingStub modelsStub() {
        return ModelsGrpc.newBlockingStub(channel).withDeadlineAfter(Duration.ofSeconds(60));
    }

    NodeGrpc.NodeBlockingStub nodeStub() {
        return NodeGrpc.newBlockingStub(channel).withDeadlineAfter(Duration.ofSeconds(60));
    }

    Answer chat(ChatRequest request) throws InterruptedException {
        return start(request).await();
    }

    Answer generate(GenerateRequest request) throws InterruptedException {
        return start(request).await();
    }

    Answer start(ChatRequest request) {
        Answer answer = new Answer(Integer.MAX_VALUE);
        InferenceGrpc.newStub(channel).chat(request, answer);
        return answer;
    }

    Answer start(GenerateRequest request) {
        return start(request, Integer.MAX_VALUE);
    }

    /** @param reads how many events the client takes before it stops reading */
    Answer start(GenerateRequest request, int reads) {
        Answer answer = new Answer(reads);
        InferenceGrpc.newStub(channel).generate(request, answer);
        return answer;
    }

    EngineStatus engine(String model) {
        return nodeStub().getStatus(GetStatusRequest.getDefaultInstance()).getEnginesList().stream()
                .filter(engine -> engine.getModel().equals(model))
                .findFirst()
                .orElseThrow();
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("in vain waited for " + what);
            }
            Thread.sleep(5);
        }
    }

    /** A raw prompt; greedy, 16 tokens, never the model's own end. */
    static GenerateRequest.Builder prompt(String text) {
        return GenerateRequest.newBuilder()
                .setText(text)
                .setSampling(Sampling.newBuilder().setTemperature(0).setIgnoreEos(true))
                .setLimits(Limits.newBuilder().setMaxTokens(16));
    }

    /** A raw prompt whose answer is this text. */
    static GenerateRequest.Builder saying(String text) {
        return GenerateRequest.newBuilder()
                .setText("Say it: ")
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setOutputFormat(format(text));
    }

    static OutputFormat format(String text) {
        return OutputFormat.newBuilder()
                .setGrammar("root ::= \""
                        + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"")
                .build();
    }

    static ChatRequest.Builder chatOf(String text) {
        return ChatRequest.newBuilder()
                .addMessages(message("user", text))
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setLimits(Limits.newBuilder().setMaxTokens(16));
    }

    static ChatMessage message(String role, String text) {
        return ChatMessage.newBuilder()
                .setRole(role)
                .addContent(ContentPart.newBuilder().setText(text))
                .build();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.close();
        models.close();
    }
}
