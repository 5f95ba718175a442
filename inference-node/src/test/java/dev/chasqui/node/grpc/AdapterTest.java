package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.Adapter;
import dev.chasqui.proto.v1.AdapterUse;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.ShowModelRequest;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** LoRA adapters by request, with real libraries. */
@Timeout(180)
final class AdapterTest extends ReadyNodeTest {
    @Test
    void anAdapterChangesTheTextOfItsRequestOnly() throws Exception {
        String plain = text(prompt("Once upon a time"));
        String poet = text(prompt("Once upon a time").addLora(named("poet")));
        String clerk = text(prompt("Once upon a time").addLora(named("clerk")));

        assertThat(List.of(plain, poet, clerk)).doesNotHaveDuplicates();
        assertThat(text(prompt("Once upon a time"))).isEqualTo(plain);
        assertThat(text(prompt("Once upon a time").addLora(named("poet")))).isEqualTo(poet);
    }

    @Test
    void anAdapterIsNamedByItsPlaceToo() throws Exception {
        String poet = text(prompt("By name").addLora(named("poet").setScale(0.75f)));
        String first = text(
                prompt("By name").addLora(AdapterUse.newBuilder().setIndex(0).setScale(0.75f)));

        assertThat(first).isEqualTo(poet).isNotEqualTo(text(prompt("By name").addLora(named("poet"))));
    }

    @Test
    void aScaleOfNothingIsTheModelAsItIs() throws Exception {
        String text = "Nothing at all. ".repeat(10);
        String plain = text(prompt(text));
        Answer none =
                node.generate(prompt(text).addLora(named("poet").setScale(0)).build());

        assertThat(none.text()).isEqualTo(plain);
        assertThat(none.completed().getUsage().getCachedTokens()).isPositive();
    }

    @Test
    void aScaleThatIsNotSaidIsTheConfiguredOne() throws Exception {
        assertThat(text(prompt("Half").addLora(named("clerk"))))
                .isEqualTo(text(prompt("Half").addLora(named("clerk").setScale(0.5f))))
                .isNotEqualTo(text(prompt("Half").addLora(named("clerk").setScale(1))));
    }

    @Test
    void requestsOfAllKindsRunSideBySideAsAlone() throws Exception {
        List<GenerateRequest> requests = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String text = "Side by side " + i;
            requests.add(prompt(text).build());
            requests.add(prompt(text).addLora(named("poet")).build());
            requests.add(
                    prompt(text).addLora(named("poet")).addLora(named("clerk")).build());
        }
        List<Answer> running = requests.stream().map(node::start).toList();
        for (Answer answer : running) {
            answer.await().completed();
        }

        for (int i = 0; i < requests.size(); i++) {
            assertThat(running.get(i).text()).isEqualTo(text(requests.get(i).toBuilder()));
        }
    }

    @Test
    void whatAnotherAdapterComputedIsNotReused() throws Exception {
        String text = "This beginning is long enough to be kept, shared, copied and brought back. ".repeat(3);
        node.generate(prompt(text).build()).completed();
        Answer poet = node.generate(prompt(text).addLora(named("poet")).build());
        Answer again = node.generate(prompt(text).addLora(named("poet")).build());

        assertThat(poet.completed().getUsage().getCachedTokens()).isZero();
        assertThat(again.completed().getUsage().getCachedTokens()).isGreaterThan(200);
        assertThat(again.text()).isEqualTo(poet.text());
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("lora: bard (expected: one of poet, clerk)", List.of(named("bard"))),
                Arguments.of(
                        "lora: 2 (expected: 0 to 1)",
                        List.of(AdapterUse.newBuilder().setIndex(2))),
                Arguments.of(
                        "lora: 4294967295 (expected: 0 to 1)",
                        List.of(AdapterUse.newBuilder().setIndex(-1))),
                Arguments.of(
                        "lora: poet twice (expected: each adapter once)",
                        List.of(named("poet"), AdapterUse.newBuilder().setIndex(0))),
                Arguments.of(
                        "lora: poet with scale NaN (expected: -100 to 100)",
                        List.of(named("poet").setScale(Float.NaN))),
                Arguments.of(
                        "lora: poet with scale 101.0 (expected: -100 to 100)",
                        List.of(named("poet").setScale(101))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void mistakes(String message, List<AdapterUse.Builder> uses) throws Exception {
        GenerateRequest.Builder request = prompt("x");
        uses.forEach(request::addLora);

        Refusal refusal = Refusal.of(node.generate(request.build()).failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.message()).isEqualTo(message);
        assertThat(refusal.field()).isEqualTo("lora");
    }

    @Test
    void anotherModelHasNone() throws Exception {
        node.load("slow");

        Refusal refusal = Refusal.of(node.generate(
                        prompt("x").setModel("slow").addLora(named("poet")).build())
                .failure());

        assertThat(refusal.message()).isEqualTo("lora: poet (expected: none, as the model has no adapters)");
    }

    @Test
    void aModelSaysWhichItHas() {
        assertThat(node.modelsStub()
                        .showModel(ShowModelRequest.newBuilder().setName("tiny").build())
                        .getAdaptersList())
                .containsExactly(
                        Adapter.newBuilder().setName("poet").setScale(1).build(),
                        Adapter.newBuilder().setName("clerk").setScale(0.5f).build());
    }

    private static GenerateRequest.Builder prompt(String text) {
        return TestNode.prompt(text).setLimits(Limits.newBuilder().setMaxTokens(24));
    }

    private static AdapterUse.Builder named(String name) {
        return AdapterUse.newBuilder().setName(name);
    }

    private static String text(GenerateRequest.Builder request) throws InterruptedException {
        Answer answer = node.generate(request.build());
        answer.completed();
        return answer.text();
    }
}
