package dev.chasqui.node.grpc;

import dev.chasqui.llama.Device;
import dev.chasqui.llama.Llama;
import dev.chasqui.node.model.Hardware;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.node.model.ModelDescription;
import dev.chasqui.node.model.Models;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.proto.v1.GetStatusRequest;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** How the node is, once or as a stream. */
final class NodeService extends NodeGrpc.NodeImplBase {
    private static final long USUAL_INTERVAL_MILLIS = 10_000;
    private static final long BEAT_MILLIS = 500;
    private static final long SOON_MILLIS = 100;
    /** Free memory, and files that others put into the models folder, are no changes that are heard of. */
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String version;
    private final Llama llama;
    private final Models models;
    private final ScheduledExecutorService timer;
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean draining;
    private volatile boolean modelsChanged = true;
    /** All but what changes while it works; the timer's thread owns it. */
    private NodeStatus still = NodeStatus.getDefaultInstance();

    private long stillNanos;

    /** @param timer one thread; it alone writes to watchers */
    NodeService(String version, Llama llama, Models models, ScheduledExecutorService timer) {
        this.version = version;
        this.llama = llama;
        this.models = models;
        this.timer = timer;
        models.onChange(() -> {
            modelsChanged = true;
            changed();
        });
        timer.scheduleWithFixedDelay(this::tell, BEAT_MILLIS, BEAT_MILLIS, TimeUnit.MILLISECONDS);
    }

    void drain() {
        draining = true;
        changed();
    }

    /** Ends all watches, which have no end of their own. */
    void close() {
        timer.execute(() -> watchers.forEach(watcher -> watcher.out.onCompleted()));
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> response) {
        timer.execute(() -> {
            modelsChanged = true;
            response.onNext(status());
            response.onCompleted();
        });
    }

    @Override
    public void watchStatus(WatchStatusRequest request, StreamObserver<NodeStatus> response) {
        Watcher watcher = new Watcher((ServerCallStreamObserver<NodeStatus>) response, request.getIntervalMs());
        watcher.out.setOnCancelHandler(() -> watchers.remove(watcher));
        watchers.add(watcher);
        timer.execute(() -> watcher.tell(status()));
    }

    /** Tells watchers soon; changes that come in between are told together. */
    private void changed() {
        if (!watchers.isEmpty() && !timer.isShutdown() && scheduled.compareAndSet(false, true)) {
            timer.schedule(
                    () -> {
                        scheduled.set(false);
                        tell();
                    },
                    SOON_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    private void tell() {
        if (!watchers.isEmpty()) {
            NodeStatus status = status();
            watchers.forEach(watcher -> watcher.tell(status));
        }
    }

    /** Cheap enough for every beat: a decode suffers from whatever computes beside it. */
    private NodeStatus status() {
        long now = System.nanoTime();
        if (modelsChanged || now - stillNanos > LOOK_NANOS) {
            modelsChanged = false;
            stillNanos = now;
            still = look();
        }
        NodeStatus.Builder status = still.toBuilder()
                .setUptimeSeconds(ManagementFactory.getRuntimeMXBean().getUptime() / 1000.0)
                .setDraining(draining);
        models.loaded().stream()
                .filter(LoadedModel::generates)
                .forEach(model -> status.addEngines(WireModels.engine(model)));
        return status.build();
    }

    private NodeStatus look() {
        NodeStatus.Builder status = NodeStatus.newBuilder()
                .setVersion(version)
                .setLlamaCppVersion(
                        llama.version().release() + " (" + llama.version().commit() + ")")
                .setDefaultModel(models.defaultName())
                .setServing(models.isServing())
                .addAllNotices(models.notices())
                .addAllStoredModels(stored());
        for (Device device : llama.devices()) {
            // llama.cpp knows nothing of a container's limit, and takes all memory of the machine for free.
            boolean host = device.kind() == Device.Kind.CPU;
            status.addDevices(dev.chasqui.proto.v1.Device.newBuilder()
                    .setName(device.name())
                    .setDescription(device.description())
                    .setKind(device.kind().name().toLowerCase(Locale.ROOT))
                    .setMemoryTotalBytes(host ? Hardware.memoryBytes() : device.totalBytes())
                    .setMemoryFreeBytes(host ? Hardware.freeMemoryBytes() : device.freeBytes()));
        }
        for (ModelDescription description : models.active()) {
            status.addModels(WireModels.model(description).toBuilder().clearChatTemplate());
        }
        return status.build();
    }

    private List<String> stored() {
        try {
            return models.stored();
        } catch (StoreException unreadable) {
            // What was there before is as good a guess as any; whoever asks for a model hears what is the matter.
            return still.getStoredModelsList();
        }
    }

    /** One caller that watches. */
    private static final class Watcher {
        final ServerCallStreamObserver<NodeStatus> out;

        @Nullable
        private NodeStatus last;

        private final long quietNanos;
        private long lastNanos;

        /** @param intervalMillis as the request says */
        Watcher(ServerCallStreamObserver<NodeStatus> out, int intervalMillis) {
            this.out = out;
            long millis = intervalMillis == 0 ? USUAL_INTERVAL_MILLIS : Integer.toUnsignedLong(intervalMillis);
            // Beats come a little early or late; one that is nearly due goes now rather than a beat later.
            this.quietNanos = TimeUnit.MILLISECONDS.toNanos(millis - Math.min(millis, BEAT_MILLIS / 2));
        }

        void tell(NodeStatus status) {
            long now = System.nanoTime();
            boolean due = last == null || !same(status, last) || now - lastNanos > quietNanos;
            if (due && out.isReady() && !out.isCancelled()) {
                last = status;
                lastNanos = now;
                out.onNext(status);
            }
        }

        /** Whether nothing changed but what always does: the clock and free memory. */
        private static boolean same(NodeStatus a, NodeStatus b) {
            return a.getEnginesList().equals(b.getEnginesList())
                    && a.getModelsList().equals(b.getModelsList())
                    && a.getStoredModelsList().equals(b.getStoredModelsList())
                    && a.getNoticesList().equals(b.getNoticesList())
                    && a.getDefaultModel().equals(b.getDefaultModel())
                    && a.getServing() == b.getServing()
                    && a.getDraining() == b.getDraining();
        }
    }
}
