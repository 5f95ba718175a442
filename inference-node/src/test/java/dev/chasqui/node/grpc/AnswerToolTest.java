package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AnswerToolTest {
    private final AnswerTool tool = new AnswerTool("final_answer");

    @Test
    void aCallOfItIsTextAndTheProseBeforeItIsLeftOut() {
        assertThat(told(said("I think: "), begun(0, "final_answer"), more(0, "{\"a\""), more(0, ":1}")))
                .containsExactly("{\"a\"", ":1}");
    }

    @Test
    void callsOfOthersStayWithTheProseBeforeThem() {
        assertThat(told(said("Let me "), said("look."), begun(0, "weather"), more(0, "{}"), begun(1, "clock")))
                .containsExactly("Let me look.+0:weather", "0:{}", "1:clock");
    }

    @Test
    void onlyTheFirstOfSeveralAnswersCountsAndOthersKeepTheirPlaces() {
        assertThat(told(
                        begun(0, "weather"),
                        begun(1, "final_answer"),
                        more(1, "{}"),
                        begun(2, "final_answer"),
                        more(2, "{\"b\":2}"),
                        begun(3, "clock"),
                        more(3, "{}")))
                .containsExactly("0:weather", "{}", "1:clock", "1:{}");
    }

    @Test
    void proseThatIsCutOffIsToldInTheEnd() {
        assertThat(told(said("I was about "), said("to"))).containsExactly("I was about to");
    }

    @Test
    void itIsAmongTheToolsOnlyWhereThereAreBothAndAChoice() {
        ChatRequest both = ChatRequest.newBuilder()
                .addTools(Tool.newBuilder().setName("final_answer"))
                .setOutputFormat(OutputFormat.newBuilder().setJsonSchema("{\"type\":\"object\"}"))
                .build();
        ChatRequest asked = AnswerTool.in(both);
        ChatRequest none = both.toBuilder()
                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_NONE))
                .build();
        ChatRequest required = both.toBuilder()
                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED))
                .build();

        assertThat(AnswerTool.nameIn(asked, both)).isEqualTo("final_answer_");
        assertThat(asked.getToolChoice().getMode()).isEqualTo(ToolChoice.Mode.MODE_REQUIRED);
        assertThat(asked.hasOutputFormat()).isFalse();
        assertThat(AnswerTool.in(none)).isSameAs(none);
        assertThat(AnswerTool.in(required))
                .isEqualTo(required.toBuilder().clearOutputFormat().build());
        assertThat(AnswerTool.nameIn(AnswerTool.in(required), required)).isEmpty();
    }

    /** Each delta as its text, a plus, and its call's place with name or arguments. */
    private List<String> told(Delta.Builder... deltas) {
        List<Delta.Builder> all = new ArrayList<>();
        for (int i = 0; i < deltas.length; i++) {
            all.addAll(tool.told(List.of(deltas[i]), i == deltas.length - 1));
        }
        return all.stream().map(AnswerToolTest::shown).toList();
    }

    private static String shown(Delta.Builder delta) {
        if (delta.getToolCallsCount() == 0) {
            return delta.getContent();
        }
        ToolCallDelta call = delta.getToolCalls(0);
        String prefix = delta.getContent().isEmpty() ? "" : delta.getContent() + "+";
        return prefix + call.getIndex() + ":" + call.getName() + call.getArguments();
    }

    private static Delta.Builder said(String text) {
        return Delta.newBuilder().setContent(text);
    }

    private static Delta.Builder begun(int index, String name) {
        return Delta.newBuilder()
                .addToolCalls(ToolCallDelta.newBuilder()
                        .setIndex(index)
                        .setId("c" + index)
                        .setName(name));
    }

    private static Delta.Builder more(int index, String arguments) {
        return Delta.newBuilder()
                .addToolCalls(ToolCallDelta.newBuilder().setIndex(index).setArguments(arguments));
    }
}
