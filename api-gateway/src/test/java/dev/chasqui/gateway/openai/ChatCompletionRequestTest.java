package dev.chasqui.gateway.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.AdapterUse;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class ChatCompletionRequestTest {
    private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "\"temperature\":3.5 | temperature: 3.5 (expected: 0 to 2)",
                "\"temperature\":\"hot\" | temperature: \"hot\" (expected: a number, 0 to 2)",
                "\"temperature\":1e400 | temperature: Infinity (expected: 0 to 2)",
                "\"top_p\":-0.1 | top_p: -0.1 (expected: 0 to 1)",
                "\"min_p\":2 | min_p: 2 (expected: 0 to 1)",
                "\"typical_p\":2 | typical_p: 2 (expected: 0 to 1)",
                "\"top_k\":1.5 | top_k: 1.5 (expected: a whole number, -1 to 2147483647)",
                "\"top_k\":true | top_k: true (expected: a whole number, -1 to 2147483647)",
                "\"n\":0 | n: 0 (expected: a whole number, 1 to 16)",
                "\"n\":17 | n: 17 (expected: a whole number, 1 to 16)",
                "\"max_tokens\":0 | max_tokens: 0 (expected: 1 or more, or -1 for as many as fit)",
                "\"max_completion_tokens\":-2 | max_completion_tokens: -2 (expected: a whole number, -1 to 2147483647)",
                "\"max_tokens\":99999999999 | max_tokens: 99999999999 (expected: a whole number, -1 to 2147483647)",
                "\"seed\":1e30 | seed: 1.0E30 (expected: a whole number, -9223372036854775808 to 9223372036854775807)",
                "\"seed\":\"x\" | seed: \"x\" (expected: a whole number, -9223372036854775808 to 9223372036854775807)",
                "\"stop\":\"\" | stop: 0 bytes (expected: 1 to 1024)",
                "\"stop\":[\"a\",1] | stop[1]: a number (expected: a string, or an array of strings)",
                "\"stop\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7] | stop: 17 elements (expected: at most 16)",
                "\"stream\":\"yes\" | stream: \"yes\" (expected: true or false)",
                "\"stream_options\":[] | stream_options: an empty array (expected: an object)",
                "\"stream_options\":{\"include_usage\":1} | stream_options.include_usage: 1 (expected: true or false)",
                "\"logprobs\":3 | logprobs: 3 (expected: true or false)",
                "\"logprobs\":true,\"top_logprobs\":21 | top_logprobs: 21 (expected: a whole number, 0 to 20)",
                "\"top_logprobs\":2 | top_logprobs: 2 without logprobs (expected: logprobs true)",
                "\"logit_bias\":{\"x\":1} | logit_bias: \"x\" (expected: the number of a token)",
                "\"logit_bias\":{\"5\":101} | logit_bias.5: 101 (expected: -100 to 100)",
                "\"logit_bias\":[[1]] | logit_bias: an array (expected: pairs of a token and a bias)",
                "\"frequency_penalty\":2.1 | frequency_penalty: 2.1 (expected: -2 to 2)",
                "\"presence_penalty\":-2.1 | presence_penalty: -2.1 (expected: -2 to 2)",
                "\"mirostat\":3 | mirostat: 3 (expected: a whole number, 0 to 2)",
                "\"dry_sequence_breakers\":[1] | dry_sequence_breakers[0]: 1 (expected: a string)",
                "\"ignore_eos\":1 | ignore_eos: 1 (expected: true or false)",
                "\"reasoning_effort\":\"huge\" | reasoning_effort: \"huge\""
                        + " (expected: none, minimal, low, medium, high, xhigh, max)",
                "\"chat_template_kwargs\":1 | chat_template_kwargs: a number (expected: an object)",
                "\"priority\":101 | priority: 101 (expected: a whole number, -100 to 100)",
                "\"priority\":\"high\" | priority: \"high\" (expected: a whole number, -100 to 100)",
                "\"timeout_ms\":0 | timeout_ms: 0 (expected: a whole number, 1 to 86400000)",
                "\"lora\":5 | lora: 5 (expected: an adapter's name, or an array of them)",
                "\"lora\":\"\" | lora: \"\" (expected: an adapter's name, or an array of them)",
                "\"lora\":[7] | lora[0]: 7 (expected: an adapter's name, or an array of them)",
                "\"lora\":[{}] | lora[0].id: absent (expected: either an id or a name)",
                "\"lora\":[{\"id\":0,\"name\":\"a\"}] | lora[0].id: 0 (expected: either an id or a name)",
                "\"lora\":[{\"id\":-1}] | lora[0].id: -1 (expected: a whole number, 0 to 2147483647)",
                "\"lora\":[{\"id\":0,\"scale\":101}] | lora[0].scale: 101 (expected: -100 to 100)",
                "\"model\":5 | model: 5 (expected: a string)",
                "\"tools\":{} | tools: an object (expected: an array)",
                "\"tools\":[{\"type\":\"web\"}] | tools[0].type: \"web\" (expected: function)",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}] | tools[0].function.name: \"a b\""
                        + " (expected: 1 to 128 letters, digits or _.:/-)",
                "\"tool_choice\":\"maybe\" | tool_choice: \"maybe\" (expected: none, auto, required or a function)",
                "\"tool_choice\":\"required\" | tool_choice: \"required\" without tools"
                        + " (expected: tools to choose from)",
                "\"response_format\":{\"type\":\"xml\"} | response_format.type: \"xml\""
                        + " (expected: text, json_object, json_schema)",
                "\"response_format\":{\"type\":\"json_schema\"} | response_format.json_schema: absent"
                        + " (expected: an object with a schema)",
                "\"continue_final_message\":true | continue_final_message: true after a message of role user"
                        + " (expected: assistant)",
            })
    void namesTheFieldAndWhatItShouldBe(String fields, String message) {
        assertThatThrownBy(() -> parse("{" + HI + "," + fields + "}"))
                .isInstanceOf(RequestError.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{} | messages: absent (expected: an array of at least one message)",
                "{\"messages\":[]} | messages: an empty array (expected: an array of at least one message)",
                "{\"messages\":\"Hi\"} | messages: a string (expected: an array)",
                "{\"messages\":[1]} | messages[0]: a number (expected: an object)",
                "{\"messages\":[{\"content\":\"x\"}]} | messages[0].role: absent"
                        + " (expected: system, developer, user, assistant, tool, function)",
                "{\"messages\":[{\"role\":\"bot\",\"content\":\"x\"}]} | messages[0].role: \"bot\""
                        + " (expected: system, developer, user, assistant, tool, function)",
                "{\"messages\":[{\"role\":\"user\"}]} | messages[0].content: absent"
                        + " (expected: a string or an array of parts)",
                "{\"messages\":[{\"role\":\"user\",\"content\":5}]} | messages[0].content: a number"
                        + " (expected: a string or an array of parts)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]}"
                        + " | messages[0].content[0].type: \"image_url\""
                        + " (expected: text; other kinds of content are not supported)",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":7}]}]}"
                        + " | messages[0].content[0].text: a number (expected: a string)",
                "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\"}]}]}"
                        + " | messages[0].tool_calls[0].function: absent (expected: an object)",
                "[] | body: an empty array (expected: an object)",
                "\"x\" | body: a string (expected: an object)",
            })
    void refusesMessagesThatAreNone(String body, String message) {
        assertThatThrownBy(() -> parse(body)).isInstanceOf(RequestError.class).hasMessage(message);
    }

    @Test
    void neverQuotesContent() {
        for (String secret : List.of("my secret", "my secret ".repeat(20))) {
            assertThatThrownBy(() -> parse("{\"messages\":\"" + secret + "\"}"))
                    .hasMessage("messages: a string (expected: an array)");
        }
    }

    @Test
    void answersAreTextAndNothingElse() {
        assertThat(parse("{" + HI + ",\"modalities\":[\"text\"]}").getMessagesCount())
                .isEqualTo(1);
        assertThatThrownBy(() -> parse("{" + HI + ",\"modalities\":[\"text\",\"audio\"]}"))
                .hasMessage("modalities[1]: \"audio\" (expected: text; answers come in no other form)");
    }

    @Test
    void passesEverySamplingFieldOn() {
        Sampling sampling = parse("{" + HI
                        + ",\"temperature\":0,\"top_k\":-1,\"top_p\":0.5,\"min_p\":0.25,\"typical_p\":0.75,"
                        + "\"repeat_penalty\":1.5,\"repeat_last_n\":-1,\"frequency_penalty\":-1,"
                        + "\"presence_penalty\":1,\"dry_multiplier\":0.5,\"dry_base\":2,\"dry_allowed_length\":3,"
                        + "\"dry_penalty_last_n\":-1,\"dry_sequence_breakers\":[\"x\"],\"xtc_probability\":0.5,"
                        + "\"xtc_threshold\":0.25,\"mirostat\":2,\"mirostat_tau\":4,\"mirostat_eta\":0.5,"
                        + "\"logit_bias\":{\"5\":-100},\"seed\":4294967295,\"ignore_eos\":true}")
                .getSampling();

        assertThat(sampling.hasTemperature()).isTrue();
        assertThat(sampling.getTemperature()).isZero();
        assertThat(sampling.getTopK()).isZero();
        assertThat(sampling.getTopP()).isEqualTo(0.5f);
        assertThat(sampling.getMinP()).isEqualTo(0.25f);
        assertThat(sampling.getTypicalP()).isEqualTo(0.75f);
        assertThat(sampling.getRepeatPenalty()).isEqualTo(1.5f);
        assertThat(sampling.getPenaltyLastN()).isEqualTo(-1);
        assertThat(sampling.getFrequencyPenalty()).isEqualTo(-1f);
        assertThat(sampling.getPresencePenalty()).isEqualTo(1f);
        assertThat(sampling.getDry().getMultiplier()).isEqualTo(0.5f);
        assertThat(sampling.getDry().getBase()).isEqualTo(2f);
        assertThat(sampling.getDry().getAllowedLength()).isEqualTo(3);
        assertThat(sampling.getDry().getSequenceBreakersList()).containsExactly("x");
        assertThat(sampling.getXtc().getProbability()).isEqualTo(0.5f);
        assertThat(sampling.getXtc().getThreshold()).isEqualTo(0.25f);
        assertThat(sampling.getMirostat().getVersion()).isEqualTo(2);
        assertThat(sampling.getMirostat().getTau()).isEqualTo(4f);
        assertThat(sampling.getMirostat().getEta()).isEqualTo(0.5f);
        assertThat(sampling.getLogitBiasMap()).containsEntry(5, -100f);
        assertThat(sampling.getSeed()).isEqualTo(-1);
        assertThat(sampling.getIgnoreEos()).isTrue();
    }

    @Test
    void whatIsAbsentOrNullStaysUnsaid() {
        ChatRequest chat =
                parse("{" + HI + ",\"temperature\":null,\"seed\":-1,\"stop\":null,\"user\":\"u\",\"zzz\":[]}");

        assertThat(chat.getSampling()).isEqualTo(Sampling.getDefaultInstance());
        assertThat(chat.hasLogprobs()).isFalse();
        assertThat(chat.hasReasoning()).isFalse();
        assertThat(chat.getLimits().getMaxTokens()).isZero();
        assertThat(chat.getChoices()).isEqualTo(1);
    }

    @Test
    void banIsABiasOfMinusInfinity() {
        assertThat(parse("{" + HI + ",\"logit_bias\":[[7,false],[8,1.5]]}")
                        .getSampling()
                        .getLogitBiasMap())
                .containsEntry(7, Float.NEGATIVE_INFINITY)
                .containsEntry(8, 1.5f);
    }

    @Test
    void limits() {
        ChatRequest chat = parse("{" + HI + ",\"max_tokens\":5,\"max_completion_tokens\":9,\"stop\":[\"a\",\"é\"]}");

        assertThat(chat.getLimits().getMaxTokens()).isEqualTo(9);
        assertThat(chat.getLimits().getStopList()).containsExactly("a", "é");
        assertThat(parse("{" + HI + ",\"max_tokens\":-1,\"stop\":\"x\"}")
                        .getLimits()
                        .getStopList())
                .containsExactly("x");
    }

    @Test
    void scheduling() {
        ChatRequest chat = parse("{" + HI + ",\"priority\":-7,\"timeout_ms\":1500}");

        assertThat(chat.getScheduling().getPriority()).isEqualTo(-7);
        assertThat(chat.getScheduling().getTimeoutMs()).isEqualTo(1500);
    }

    @Test
    void adapters() {
        assertThat(parse("{" + HI + ",\"lora\":\"poet\"}").getLoraList())
                .containsExactly(AdapterUse.newBuilder().setName("poet").build());
        assertThat(parse("{" + HI + ",\"lora\":[{\"id\":1,\"scale\":0.5},\"a\",{\"name\":\"b\"}]}")
                        .getLoraList())
                .containsExactly(
                        AdapterUse.newBuilder().setIndex(1).setScale(0.5f).build(),
                        AdapterUse.newBuilder().setName("a").build(),
                        AdapterUse.newBuilder().setName("b").build());
        assertThat(parse("{" + HI + ",\"lora\":[]}").getLoraList()).isEmpty();
    }

    @Test
    void messagesOfEveryKind() {
        ChatRequest chat = parse("{\"messages\":[{\"role\":\"developer\",\"content\":\"d\"},"
                + "{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                + "{\"type\":\"text\",\"text\":\"b\"}]},"
                + "{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"c1\","
                + "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"42\"}]}");

        assertThat(chat.getMessages(1).getContentList())
                .extracting(p -> p.getText())
                .containsExactly("a", "b");
        assertThat(chat.getMessages(1).getName()).isEqualTo("ann");
        assertThat(chat.getMessages(2).getContentCount()).isZero();
        assertThat(chat.getMessages(2).getReasoning()).isEqualTo("r");
        assertThat(chat.getMessages(2).getToolCalls(0).getName()).isEqualTo("f");
        assertThat(chat.getMessages(3).getToolCallId()).isEqualTo("c1");
    }

    @Test
    void halfACharacterInTheTextIsReplaced() {
        assertThat(parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\\ud83d b\"}]}")
                        .getMessages(0)
                        .getContent(0)
                        .getText())
                .isEqualTo("a\ufffd b");
    }

    @Test
    void toolsAndFormats() {
        String tool = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
                + "\"parameters\":{\"type\":\"object\"}}}]";
        ChatRequest chat = parse(
                "{" + HI + "," + tool
                        + ",\"parallel_tool_calls\":false,\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
                        + "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\",\"schema\":{\"a\":1}}}}");

        assertThat(chat.getTools(0).getParametersSchema()).isEqualTo("{\"type\":\"object\"}");
        assertThat(chat.getToolChoice().getMode()).isEqualTo(ToolChoice.Mode.MODE_REQUIRED);
        assertThat(chat.getToolChoice().getName()).isEqualTo("f");
        assertThat(chat.hasParallelToolCalls()).isTrue();
        assertThat(chat.getOutputFormat().getJsonSchema()).isEqualTo("{\"a\":1}");
        assertThat(parse("{" + HI + ",\"response_format\":{\"type\":\"json_object\"}}")
                        .getOutputFormat()
                        .getJsonSchema())
                .isEqualTo("{\"type\":\"object\"}");
        assertThat(parse("{" + HI + ",\"response_format\":{\"type\":\"text\"}}").hasOutputFormat())
                .isFalse();
    }

    @Test
    void reasoning() {
        for (String most : List.of("high", "xhigh", "max")) {
            assertThat(parse("{" + HI + ",\"reasoning_effort\":\"" + most + "\"}")
                            .getReasoning()
                            .getEffort())
                    .isEqualTo("high");
        }
        assertThat(parse("{" + HI + ",\"reasoning_effort\":\"low\"}")
                        .getReasoning()
                        .getEffort())
                .isEqualTo("low");
        assertThat(parse("{" + HI + ",\"reasoning_effort\":\"none\"}")
                        .getReasoning()
                        .getMode())
                .isEqualTo(Reasoning.Mode.MODE_OFF);
        assertThat(parse("{" + HI + ",\"enable_thinking\":true}").getReasoning().getMode())
                .isEqualTo(Reasoning.Mode.MODE_ON);
        assertThat(parse("{" + HI + ",\"chat_template_kwargs\":{\"a\":false,\"b\":\"x\"}}")
                        .getTemplateArgumentsMap())
                .containsEntry("a", "false")
                .containsEntry("b", "\"x\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "default", "gpt-4o", "gpt-3.5-turbo", "claude-sonnet-4-5"})
    void wellKnownNamesAreTheDefaultModel(String name) {
        assertThat(parse("{\"model\":\"" + name + "\"," + HI + "}").getModel()).isEmpty();
    }

    @Test
    void otherNamesAreTheNodesBusiness() {
        assertThat(parse("{\"model\":\"llama\"," + HI + "}").getModel()).isEqualTo("llama");
    }

    private static ChatRequest parse(String body) {
        return ChatCompletionRequest.parse(JsonMapper.shared().readTree(body), new ModelNames(List.of()))
                .chat();
    }
}
