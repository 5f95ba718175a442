package dev.chasqui.gateway.anthropic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class MessagesRequestTest {
    private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private static final String TOOLS = "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{} | messages: absent (expected: an array of at least one message)",
                "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]} | messages[0].role: \"tool\""
                        + " (expected: user, assistant, system)",
                "{\"messages\":[{\"role\":\"user\"}]} | messages[0].content: absent"
                        + " (expected: a string or an array of blocks)",
                "{\"messages\":[{\"role\":\"user\",\"content\":7}]} | messages[0].content: a number"
                        + " (expected: a string or an array of blocks)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]}"
                        + " | messages[0].content[0].type: \"image\""
                        + " (expected: text, document, search_result or tool_result; other kinds of content are not supported)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"base64\"}}]}]}"
                        + " | messages[0].content[0].source.type: \"base64\""
                        + " (expected: text or content; other documents are not supported)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":{}}]}]}"
                        + " | messages[0].content[0].text: an object (expected: a string)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"}]}]}"
                        + " | messages[0].content[0].tool_use_id: absent (expected: a non-empty string)",
                "{" + HI + ",\"system\":5} | system: a number (expected: a string or an array of blocks)",
                "{" + HI + ",\"max_tokens\":0} | max_tokens: 0 (expected: a whole number, 1 to 2147483647)",
                "{" + HI + ",\"stop_sequences\":[\"\"]} | stop_sequences[0]: 0 bytes (expected: 1 to 1024)",
                "{" + HI + ",\"temperature\":3} | temperature: 3 (expected: 0 to 2)",
                "{" + HI + ",\"tools\":[{\"name\":\"f\"}]} | tools[0].input_schema: absent (expected: a JSON schema)",
                "{" + HI + ",\"tools\":[{\"type\":\"bash_20250124\",\"name\":\"bash\"}]} | tools[0].type:"
                        + " \"bash_20250124\" (expected: custom; tools that the server runs are not supported)",
                "{" + HI + ",\"tool_choice\":{\"type\":\"any\"}} | tool_choice.type: \"any\""
                        + " (expected: tools to choose from)",
                "{" + HI + ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"g\"}} | tool_choice.name: \"g\""
                        + " (expected: the name of one of the tools)",
                "{" + HI + ",\"thinking\":{\"type\":\"on\"}} | thinking.type: \"on\""
                        + " (expected: enabled, adaptive, disabled)",
            })
    void namesTheFieldAndWhatItShouldBe(String body, String message) {
        assertThatThrownBy(() -> parse(body)).isInstanceOf(RequestError.class).hasMessage(message);
    }

    @Test
    void blocksBecomeMessages() {
        ChatRequest chat = parse("{\"system\":[{\"type\":\"text\",\"text\":\"s\",\"cache_control\":{}}],\"messages\":["
                + "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},"
                + "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"},"
                + "{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"f\","
                + "\"input\":{\"x\":1}}]},"
                + "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"1\",\"content\":["
                + "{\"type\":\"text\",\"text\":\"42\"}]},{\"type\":\"tool_result\",\"tool_use_id\":\"2\","
                + "\"content\":\"bad\",\"is_error\":true},{\"type\":\"text\",\"text\":\"go on\"}]}]}");

        assertThat(chat.getMessagesList())
                .extracting(ChatMessage::getRole)
                .containsExactly("system", "user", "assistant", "tool", "tool", "user");
        ChatMessage assistant = chat.getMessages(2);
        assertThat(assistant.getReasoning()).isEqualTo("t");
        assertThat(assistant.getToolCalls(0).getArguments()).isEqualTo("{\"x\":1}");
        assertThat(chat.getMessages(3).getToolCallId()).isEqualTo("1");
        assertThat(chat.getMessages(3).getContent(0).getText()).isEqualTo("42");
        assertThat(chat.getMessages(4).getContentList())
                .extracting(part -> part.getText())
                .containsExactly("Error: ", "bad");
        assertThat(chat.getContinueLastMessage()).isFalse();
    }

    @Test
    void documentsOfTextAreTexts() {
        ChatRequest chat = parse("{\"messages\":[{\"role\":\"user\",\"content\":["
                + "{\"type\":\"document\",\"title\":\"T\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\","
                + "\"data\":\"d\"}},{\"type\":\"tool_result\",\"tool_use_id\":\"1\",\"content\":[{\"type\":\"search_result\","
                + "\"source\":\"S\",\"title\":\"U\",\"content\":[{\"type\":\"text\",\"text\":\"e\"}]},{\"type\":\"document\","
                + "\"source\":{\"type\":\"content\",\"content\":\"f\"}}]}]}]}");

        assertThat(chat.getMessages(0).getContentList())
                .extracting(part -> part.getText())
                .containsExactly("T", "d");
        assertThat(chat.getMessages(1).getContentList())
                .extracting(part -> part.getText())
                .containsExactly("U", "S", "e", "f");
    }

    @ParameterizedTest
    @ValueSource(strings = {"user", "assistant"})
    void aTurnWithoutBlocksIsATurnWithoutWords(String role) {
        ChatRequest chat = parse("{\"messages\":[{\"role\":\"" + role + "\",\"content\":[]}]}");

        assertThat(chat.getMessagesList())
                .containsExactly(ChatMessage.newBuilder().setRole(role).build());
    }

    @Test
    void aSystemMessageMayComeLater() {
        assertThat(parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                                + "{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]}]}")
                        .getMessagesList())
                .extracting(ChatMessage::getRole)
                .containsExactly("user", "system");
    }

    @Test
    void aLastMessageOfTheAssistantIsContinued() {
        assertThat(parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                                + "{\"role\":\"assistant\",\"content\":\"{\"}]}")
                        .getContinueLastMessage())
                .isTrue();
    }

    @Test
    void settings() {
        ChatRequest chat = parse("{\"model\":\"claude-opus-4-1\",\"max_tokens\":9,\"system\":\"s\"," + HI + "," + TOOLS
                + ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":true},"
                + "\"stop_sequences\":[\"x\",\"y\"],\"temperature\":0.5,\"top_k\":3,\"top_p\":0.5,"
                + "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},\"output_config\":{\"effort\":\"low\","
                + "\"format\":{\"type\":\"json_schema\",\"schema\":{\"a\":1}}}}");

        assertThat(chat.getModel()).isEmpty();
        assertThat(chat.getLimits().getMaxTokens()).isEqualTo(9);
        assertThat(chat.getLimits().getStopList()).containsExactly("x", "y");
        assertThat(chat.getSampling().getTopK()).isEqualTo(3);
        assertThat(chat.getToolChoice().getName()).isEqualTo("f");
        assertThat(chat.hasParallelToolCalls()).isTrue();
        assertThat(chat.getParallelToolCalls()).isFalse();
        assertThat(chat.getReasoning().getMode()).isEqualTo(Reasoning.Mode.MODE_ON);
        assertThat(chat.getReasoning().getEffort()).isEqualTo("low");
        assertThat(chat.getOutputFormat().getJsonSchema()).isEqualTo("{\"a\":1}");
    }

    @ParameterizedTest
    @CsvSource({"auto,MODE_AUTO", "any,MODE_REQUIRED", "none,MODE_NONE"})
    void choicesOfTools(String word, ToolChoice.Mode mode) {
        assertThat(parse("{" + HI + "," + TOOLS + ",\"tool_choice\":{\"type\":\"" + word + "\"}}")
                        .getToolChoice()
                        .getMode())
                .isEqualTo(mode);
    }

    private static ChatRequest parse(String body) {
        return MessagesRequest.parse(JsonMapper.shared().readTree(body), new ModelNames(List.of()))
                .chat();
    }
}
