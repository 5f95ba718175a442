package dev.chasqui.bench;

import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.TokenList;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TokenizeRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** A node's own word, by gRPC. Any thread. */
final class Node implements AutoCloseable {
    private static final int MOST_ALTERNATIVES = 20;

    private final ManagedChannel channel;

    Node(Server server) {
        channel = NettyChannelBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), server.nodePort()))
                .usePlaintext()
                .build();
    }

    /** How the one loaded model's engine is. */
    EngineStatus engine() {
        return NodeGrpc.newBlockingStub(channel)
                .getStatus(GetStatusRequest.getDefaultInstance())
                .getEngines(0);
    }

    /** Waits, a minute at most, until nothing runs and nothing waits. Returns how it is then. */
    EngineStatus idle() {
        EngineStatus status = engine();
        for (int i = 0; i < 600 && status.getSlotsInUse() + status.getQueued() > 0; i++) {
            Pause.millis(100);
            status = engine();
        }
        return status;
    }

    List<Integer> tokens(String text) {
        return InferenceGrpc.newBlockingStub(channel)
                .tokenize(TokenizeRequest.newBuilder()
                        .setText(text)
                        .setAddSpecial(true)
                        .setParseSpecial(true)
                        .build())
                .getTokensList();
    }

    /** The likeliest continuation, each token with its likeliest alternatives. */
    List<TokenLogprob> likeliest(List<Integer> prompt, int tokens) {
        Iterator<GenerationEvent> events = InferenceGrpc.newBlockingStub(channel)
                .generate(GenerateRequest.newBuilder()
                        .setTokens(TokenList.newBuilder().addAllIds(prompt))
                        .setSampling(Sampling.newBuilder().setTemperature(0).setIgnoreEos(true))
                        .setLimits(Limits.newBuilder().setMaxTokens(tokens))
                        .setLogprobs(Logprobs.newBuilder().setTop(MOST_ALTERNATIVES))
                        .build());
        List<TokenLogprob> chosen = new ArrayList<>();
        events.forEachRemaining(event -> chosen.addAll(event.getDelta().getLogprobsList()));
        return chosen;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
