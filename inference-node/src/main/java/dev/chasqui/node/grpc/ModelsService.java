package dev.chasqui.node.grpc;

import dev.chasqui.node.model.KeepAlive;
import dev.chasqui.node.model.ModelActivity;
import dev.chasqui.node.model.ModelDescription;
import dev.chasqui.node.model.Models;
import dev.chasqui.proto.v1.CancelPullRequest;
import dev.chasqui.proto.v1.CancelPullResponse;
import dev.chasqui.proto.v1.DeleteModelRequest;
import dev.chasqui.proto.v1.DeleteModelResponse;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.PullModelRequest;
import dev.chasqui.proto.v1.ShowModelRequest;
import dev.chasqui.proto.v1.UnloadModelRequest;
import dev.chasqui.proto.v1.UnloadModelResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What models there are, on disk and in memory. */
final class ModelsService extends ModelsGrpc.ModelsImplBase {
    private static final long PROGRESS_NANOS = 200_000_000;

    private final Models models;

    ModelsService(Models models) {
        this.models = models;
    }

    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> response) {
        answer(response, () -> {
            ListModelsResponse.Builder list = ListModelsResponse.newBuilder();
            for (ModelDescription description : models.list()) {
                list.addModels(WireModels.model(description));
            }
            return list.build();
        });
    }

    @Override
    public void showModel(ShowModelRequest request, StreamObserver<Model> response) {
        answer(response, () -> WireModels.model(models.show(request.getName())));
    }

    @Override
    public void loadModel(LoadModelRequest request, StreamObserver<ModelProgress> response) {
        String name = request.getName().isEmpty() ? models.defaultName() : request.getName();
        ProgressStream progress = new ProgressStream(name, response);
        progress.endsWith(models.load(
                name, request.hasKeepAliveS() ? KeepAlive.ofSeconds(request.getKeepAliveS()) : null, progress));
    }

    @Override
    public void unloadModel(UnloadModelRequest request, StreamObserver<UnloadModelResponse> response) {
        answer(response, () -> {
            models.unload(request.getName());
            return UnloadModelResponse.getDefaultInstance();
        });
    }

    @Override
    public void pullModel(PullModelRequest request, StreamObserver<ModelProgress> response) {
        ProgressStream progress = new ProgressStream(request.getName(), response);
        progress.endsWith(models.pull(request.getName(), request.getForce(), progress));
    }

    @Override
    public void cancelPull(CancelPullRequest request, StreamObserver<CancelPullResponse> response) {
        answer(response, () -> {
            models.cancelPull(request.getName());
            return CancelPullResponse.getDefaultInstance();
        });
    }

    @Override
    public void deleteModel(DeleteModelRequest request, StreamObserver<DeleteModelResponse> response) {
        answer(response, () -> {
            models.delete(request.getName());
            return DeleteModelResponse.getDefaultInstance();
        });
    }

    private static <T> void answer(StreamObserver<T> response, Supplier<T> function) {
        T answer;
        try {
            answer = function.get();
        } catch (RuntimeException e) {
            response.onError(Failures.status(e));
            return;
        }
        response.onNext(answer);
        response.onCompleted();
    }

    /** Progress on its way out: every change of state, and in between a few steps a second. */
    private static final class ProgressStream implements Consumer<ModelActivity> {
        private final String name;
        private final ServerCallStreamObserver<ModelProgress> out;
        private ModelActivity.State lastState = ModelActivity.State.ABSENT;
        private long lastNanos;
        private boolean ended;

        ProgressStream(String name, StreamObserver<ModelProgress> out) {
            this.name = name;
            this.out = (ServerCallStreamObserver<ModelProgress>) out;
            // A caller that goes away does not stop a download that others may wait for.
            this.out.setOnCancelHandler(() -> {});
        }

        @Override
        public synchronized void accept(ModelActivity activity) {
            long now = System.nanoTime();
            boolean due = activity.state() != lastState || now - lastNanos > PROGRESS_NANOS;
            if (!due || ended || out.isCancelled()) {
                return;
            }
            lastState = activity.state();
            lastNanos = now;
            out.onNext(WireModels.progress(name, activity));
        }

        void endsWith(CompletableFuture<Void> work) {
            work.whenComplete((done, failure) -> end(failure));
        }

        private synchronized void end(@Nullable Throwable failure) {
            ended = true;
            if (out.isCancelled()) {
                return;
            }
            if (failure != null) {
                out.onError(Failures.status(failure));
            } else {
                out.onCompleted();
            }
        }
    }
}
