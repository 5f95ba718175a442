package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.chasqui.proto.v1.DeleteModelRequest;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.PullModelRequest;
import dev.chasqui.proto.v1.ShowModelRequest;
import dev.chasqui.proto.v1.UnloadModelRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Models on disk and in memory, over the wire. */
@Timeout(120)
final class ModelsServiceTest {
    @TempDir
    Path folder;

    private TestNode node;

    @BeforeEach
    void start() throws IOException {
        node = TestNode.ready(folder);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void listsTheDefaultFirstThenWhatIsHereAndInTheCatalogue() {
        List<Model> models = node.modelsStub()
                .listModels(ListModelsRequest.getDefaultInstance())
                .getModelsList();

        assertThat(models.get(0).getName()).isEqualTo("tiny");
        assertThat(models.get(0).getIsDefault()).isTrue();
        assertThat(models.get(0).getState()).isEqualTo(ModelState.MODEL_STATE_READY);
        assertThat(models.subList(1, models.size()))
                .extracting(Model::getName)
                .isSorted()
                .contains("slow", "strict", "smollm2-135m-instruct")
                .doesNotHaveDuplicates();
        assertThat(model(models, "slow").getState()).isEqualTo(ModelState.MODEL_STATE_ON_DISK);
        assertThat(model(models, "smollm2-135m-instruct").getState()).isEqualTo(ModelState.MODEL_STATE_ABSENT);
        assertThat(model(models, "smollm2-135m-instruct").getLicence()).isEqualTo("apache-2.0");
    }

    @Test
    void showsWhatTheFileSaysAndWhatRuns() throws Exception {
        Model tiny = show("");

        assertThat(tiny.getName()).isEqualTo("tiny");
        assertThat(tiny.getFileName()).isEqualTo("tiny.gguf");
        assertThat(tiny.getSizeBytes()).isEqualTo(Files.size(node.modelsFolder.resolve("tiny.gguf")));
        assertThat(tiny.getArchitecture()).isEqualTo("llama");
        assertThat(tiny.getQuantization()).isEqualTo("F32");
        assertThat(tiny.getParameters()).isPositive();
        assertThat(tiny.getTrainedContextTokens()).isEqualTo(2048);
        assertThat(tiny.getContextTokens()).isEqualTo(TestNode.CONTEXT);
        assertThat(tiny.getSlots()).isEqualTo(4);
        assertThat(tiny.getMemoryBytes()).isGreaterThan(tiny.getSizeBytes());
        assertThat(tiny.getChatTemplate()).isEqualTo("model");
        assertThat(tiny.getCapabilities().getTools()).isTrue();
        assertThat(tiny.getCapabilities().getSystemRole()).isTrue();
        assertThat(tiny.getModifiedEpochS()).isPositive();
        assertThat(show("slow").getContextTokens()).isZero();
    }

    @Test
    void loadsTellsAndUnloads() {
        List<ModelProgress> progress = new ArrayList<>();
        node.modelsStub()
                .loadModel(LoadModelRequest.newBuilder().setName("slow").build())
                .forEachRemaining(progress::add);

        assertThat(progress)
                .isNotEmpty()
                .allSatisfy(step -> assertThat(step.getModel()).isEqualTo("slow"))
                .extracting(ModelProgress::getState)
                .contains(ModelState.MODEL_STATE_LOADING)
                .last()
                .isEqualTo(ModelState.MODEL_STATE_READY);
        assertThat(show("slow").getState()).isEqualTo(ModelState.MODEL_STATE_READY);

        unload("slow");
        assertThat(show("slow").getState()).isEqualTo(ModelState.MODEL_STATE_ON_DISK);
        assertThat(show("slow").getMemoryBytes()).isZero();
    }

    @Test
    void aRequestLoadsItsModel() throws Exception {
        node.generate(TestNode.prompt("x").setModel("slow").build()).completed();

        assertThat(show("slow").getState()).isEqualTo(ModelState.MODEL_STATE_READY);
    }

    @Test
    void whatIsInUseStaysInMemory() throws Exception {
        GenerateRequest endless = TestNode.prompt("x")
                .setModel("slow")
                .setLimits(Limits.getDefaultInstance())
                .build();
        Answer answer = node.start(endless).awaitDelta();

        Refusal refusal = refusal(() -> unload("slow"));
        assertThat(refusal.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(refusal.reason()).isEqualTo("MODEL_IN_USE");
        assertThat(refusal(() -> delete("slow")).reason()).isEqualTo("MODEL_IN_USE");
        answer.cancel();
        TestNode.await("the model's release", () -> {
            try {
                unload("slow");
                return true;
            } catch (StatusRuntimeException e) {
                return false;
            }
        });
    }

    @Test
    void deletesAFile() {
        delete("slow");

        assertThat(node.modelsFolder.resolve("slow.gguf")).doesNotExist();
        assertThat(refusal(() -> show("slow")).reason()).isEqualTo("MODEL_NOT_FOUND");
        assertThat(refusal(() -> delete("slow")).reason()).isEqualTo("MODEL_NOT_FOUND");
    }

    @Test
    void whatNobodyUsesLeavesMemoryAndIsDeleted() throws Exception {
        node.generate(TestNode.prompt("x").setModel("slow").build()).completed();
        assertThat(show("slow").getState()).isEqualTo(ModelState.MODEL_STATE_READY);

        // The answer has ended, but its lease may still be on its way back.
        TestNode.await("the model's release", () -> {
            try {
                delete("slow");
                return true;
            } catch (StatusRuntimeException e) {
                return false;
            }
        });

        assertThat(node.modelsFolder.resolve("slow.gguf")).doesNotExist();
        assertThat(refusal(() -> show("slow")).reason()).isEqualTo("MODEL_NOT_FOUND");
    }

    @Test
    void whatIsNotInMemoryCannotBeUnloaded() {
        Refusal refusal = refusal(() -> unload("slow"));

        assertThat(refusal.code()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refusal(() -> unload("nonesuch")).code()).isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void aFileThatIsNoModelIsRefusedWithItsReason() throws Exception {
        Files.write(node.modelsFolder.resolve("broken.gguf"), new byte[1000]);

        Refusal refusal = refusal(() -> node.load("broken"));
        assertThat(refusal.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(refusal.reason()).isEqualTo("MODEL_UNUSABLE");
        node.generate(TestNode.prompt("x").build()).completed();
    }

    @Test
    void aDamagedFileIsListedWithWhatIsWrongWithIt() throws Exception {
        Files.write(node.modelsFolder.resolve("broken.gguf"), new byte[1000]);

        Model broken = model(
                node.modelsStub()
                        .listModels(ListModelsRequest.getDefaultInstance())
                        .getModelsList(),
                "broken");
        assertThat(broken.getState()).isEqualTo(ModelState.MODEL_STATE_FAILED);
        assertThat(broken.getReason()).contains("broken.gguf: not a GGUF file");
    }

    @Test
    void aModelThatIsHereIsPulledAtOnce() {
        List<ModelProgress> progress = new ArrayList<>();
        node.modelsStub()
                .pullModel(PullModelRequest.newBuilder().setName("slow").build())
                .forEachRemaining(progress::add);

        assertThat(progress).allSatisfy(step -> assertThat(step.getModel()).isEqualTo("slow"));
        assertThat(node.modelsFolder.resolve("slow.gguf")).exists();
    }

    @Test
    void placesOnThisMachineCannotBePulledLoadedShownOrDeleted() throws Exception {
        Path outside = Files.copy(node.modelsFolder.resolve("slow.gguf"), folder.resolve("outside.gguf"));
        for (String name : List.of(outside.toString(), "file:" + outside)) {
            assertThat(refusal(() -> node.modelsStub()
                                    .pullModel(PullModelRequest.newBuilder()
                                            .setName(name)
                                            .build())
                                    .forEachRemaining(step -> {}))
                            .code())
                    .isEqualTo(Status.Code.NOT_FOUND);
            assertThat(refusal(() -> node.load(name)).code()).isEqualTo(Status.Code.NOT_FOUND);
            assertThat(refusal(() -> show(name)).code()).isEqualTo(Status.Code.NOT_FOUND);
            assertThat(refusal(() -> delete(name)).code()).isEqualTo(Status.Code.NOT_FOUND);
        }
        assertThat(outside).exists();
    }

    @Test
    void anUnknownNameIsNotFound() {
        assertThat(refusal(() -> show("nonesuch")).reason()).isEqualTo("MODEL_NOT_FOUND");
        assertThat(refusal(() -> node.load("nonesuch")).reason()).isEqualTo("MODEL_NOT_FOUND");
        assertThat(refusal(() -> delete("nonesuch")).reason()).isEqualTo("MODEL_NOT_FOUND");
    }

    private static Model model(List<Model> models, String name) {
        return models.stream()
                .filter(model -> model.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Model show(String name) {
        return node.modelsStub()
                .showModel(ShowModelRequest.newBuilder().setName(name).build());
    }

    private void unload(String name) {
        node.modelsStub()
                .unloadModel(UnloadModelRequest.newBuilder().setName(name).build());
    }

    private void delete(String name) {
        node.modelsStub()
                .deleteModel(DeleteModelRequest.newBuilder().setName(name).build());
    }

    private static Refusal refusal(ThrowingCallable call) {
        StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, call);
        if (failure == null) {
            throw new AssertionError("the call did not fail");
        }
        return Refusal.of(failure);
    }
}
