package dev.chasqui.node.grpc;

import dev.chasqui.llama.TemplateInfo;
import dev.chasqui.node.engine.EngineStatus;
import dev.chasqui.node.model.AdapterFile;
import dev.chasqui.node.model.Heat;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.node.model.ModelActivity;
import dev.chasqui.node.model.ModelDescription;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.GgufSummary;
import dev.chasqui.node.store.StoredModel;
import dev.chasqui.proto.v1.Adapter;
import dev.chasqui.proto.v1.ChatCapabilities;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelState;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Models as the wire describes them. */
final class WireModels {
    private WireModels() {}

    static Model model(ModelDescription description) {
        ModelActivity activity = description.activity();
        Model.Builder model = Model.newBuilder()
                .setName(description.name())
                .setState(state(activity.state()))
                .setProgress(activity.progress())
                .setReason(activity.reason())
                .setHeat(heat(description.heat()))
                .setIsDefault(description.isDefault());
        if (description.entry() != null) {
            add(description.entry(), model);
        }
        if (description.stored() != null) {
            add(description.stored(), model);
        }
        if (description.loaded() != null) {
            add(description.loaded(), model);
        }
        if (activity.state() == ModelActivity.State.DOWNLOADING && activity.bytesTotal() > 0) {
            model.setSizeBytes(activity.bytesTotal())
                    .setBytesDone(activity.bytesDone())
                    .setBytesPerSecond(activity.bytesPerSecond());
        } else if (activity.state() == ModelActivity.State.ABSENT) {
            model.setBytesDone(activity.bytesDone());
        }
        return model.build();
    }

    static ModelProgress progress(String name, ModelActivity activity) {
        return ModelProgress.newBuilder()
                .setModel(name)
                .setState(state(activity.state()))
                .setProgress(activity.progress())
                .setBytesDone(activity.bytesDone())
                .setBytesTotal(activity.bytesTotal())
                .setBytesPerSecond(activity.bytesPerSecond())
                .setSource(activity.source())
                .build();
    }

    static dev.chasqui.proto.v1.EngineStatus engine(LoadedModel model) {
        EngineStatus status = model.engine().status();
        return dev.chasqui.proto.v1.EngineStatus.newBuilder()
                .setModel(model.name())
                .setSlots(status.slots())
                .setSlotsInUse(status.slotsInUse())
                .setQueued(status.queued())
                .setQueueCapacity(status.queueCapacity())
                .setKvTokensUsed(status.kvTokens())
                .setKvTokensCapacity(status.kvCapacity())
                .setRequestsTotal(status.requests())
                .setRequestsCancelled(status.cancelled())
                .setRequestsRejected(status.rejected())
                .setPromptTokensTotal(status.promptTokens())
                .setCachedTokensTotal(status.cachedTokens())
                .setCompletionTokensTotal(status.completionTokens())
                .setStepsTotal(status.steps())
                .setDraftedTokensTotal(status.draftedTokens())
                .setAcceptedTokensTotal(status.acceptedTokens())
                .setCompletionTokensPerSecond(status.tokensPerSecond())
                .build();
    }

    private static void add(CatalogueEntry entry, Model.Builder model) {
        model.setFileName(entry.fileName()).setLicence(entry.licence());
        if (entry.size() != null) {
            model.setSizeBytes(entry.size());
        }
        if (entry.sha256() != null) {
            model.setSha256(entry.sha256());
        }
    }

    private static void add(StoredModel stored, Model.Builder model) {
        GgufSummary summary = stored.summary();
        model.setFileName(String.valueOf(stored.file().getFileName()))
                .setSizeBytes(stored.sizeBytes())
                .setModifiedEpochS(stored.modified().getEpochSecond())
                .setChecked(stored.checked())
                .setArchitecture(summary.architecture())
                .setQuantization(summary.quantization())
                .setParameters(summary.parameters())
                .setTrainedContextTokens((int) Math.min(Integer.MAX_VALUE, summary.contextLength()));
        if (stored.sha256() != null) {
            model.setSha256(stored.sha256());
        }
    }

    private static void add(LoadedModel loaded, Model.Builder model) {
        for (AdapterFile adapter : loaded.adapters()) {
            model.addAdapters(Adapter.newBuilder().setName(adapter.name()).setScale(adapter.scale()));
        }
        TemplateInfo template = loaded.chatTemplate().info();
        model.setContextTokens(loaded.contextTokens())
                .setGenerates(loaded.generates())
                .setReranks(loaded.info().ranks())
                .setEmbeddingDimensions(
                        loaded.info().ranks() ? 0 : loaded.info().embeddingWidth())
                .setSlots(loaded.slots())
                .setMemoryBytes(loaded.memoryBytes())
                .setSlowWithMany(loaded.plan().slowWithMany())
                .setKeepAliveS(loaded.keepAlive().seconds())
                .setExpiresEpochS(expiry(loaded.expiry()))
                .setChatTemplate(template.source().name().toLowerCase(Locale.ROOT))
                .setCapabilities(ChatCapabilities.newBuilder()
                        .setTools(template.tools())
                        .setParallelToolCalls(template.parallelTools())
                        .setReasoning(template.reasoning())
                        .setSystemRole(template.systemRole()));
    }

    private static long expiry(@Nullable Instant expiry) {
        return expiry == null ? 0 : expiry.getEpochSecond();
    }

    private static dev.chasqui.proto.v1.Heat heat(Heat heat) {
        return switch (heat) {
            case HOT -> dev.chasqui.proto.v1.Heat.HEAT_HOT;
            case WARM -> dev.chasqui.proto.v1.Heat.HEAT_WARM;
            case COLD -> dev.chasqui.proto.v1.Heat.HEAT_COLD;
        };
    }

    private static ModelState state(ModelActivity.State state) {
        return switch (state) {
            case ABSENT -> ModelState.MODEL_STATE_ABSENT;
            case DOWNLOADING -> ModelState.MODEL_STATE_DOWNLOADING;
            case ON_DISK -> ModelState.MODEL_STATE_ON_DISK;
            case LOADING -> ModelState.MODEL_STATE_LOADING;
            case READY -> ModelState.MODEL_STATE_READY;
            case FAILED -> ModelState.MODEL_STATE_FAILED;
        };
    }
}
