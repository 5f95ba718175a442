package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The templates of well-known models, as the pinned release of llama.cpp brings them. */
class ModelTemplatesTest {
    private static final Path TEMPLATES = Path.of("target/llama/source/models/templates");
    private static final String CHAT = """
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello there"},
            {"role":"assistant","content":"Yes?"},{"role":"user","content":"Weather in Cusco?"}]%s}""";
    private static final String TOOLS = """
            ,"tools":[{"type":"function","function":{"name":"weather","description":"Tells the weather","parameters":
            {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]""";

    /** Those that do not tell the model its tools, and why. */
    private static final Map<String, String> WITHOUT_TOOLS = Map.of(
            "HuggingFaceTB-SmolLM3-3B.jinja", "it takes them by other names, xml_tools and python_tools",
            "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "it renders calls only",
            "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "it renders calls only",
            "deepseek-ai-DeepSeek-V3.1.jinja", "it renders calls only",
            "fireworks-ai-llama-3-firefunction-v2.jinja", "it takes them by another name, functions",
            "google-gemma-2-2b-it.jinja", "the model knows none",
            "llama-cpp-rwkv-world.jinja", "the model knows none",
            "microsoft-Phi-3.5-mini-instruct.jinja", "the model knows none");

    /** Those with which no call can be required, and why. */
    private static final Map<String, String> NOT_REQUIRED =
            Map.of("ibm-granite-granite-3.3-2B-Instruct.jinja", "nothing in it shows how a call is written");

    /** Those whose grammar for required calls is refused with a clear error, and why. */
    private static final Map<String, String> UNFIT =
            Map.of("Spark2.5.jinja", "llama.cpp's grammar for it does not begin as its own prompt ends");

    static Stream<Path> templates() throws IOException {
        return Files.list(TEMPLATES)
                .filter(file -> file.toString().endsWith(".jinja"))
                .sorted();
    }

    @Test
    void thereAreMany() throws IOException {
        assertThat(templates()).hasSizeGreaterThan(60);
    }

    private static LlamaModel model(Path template) throws IOException {
        return Tiny.LLAMA.loadModel(
                Tiny.write(TinyGguf.Options.DEFAULT),
                new ModelOptions(0, true, Files.readString(template)),
                LoadListener.NONE);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void rendersWithAndWithoutTools(Path template) throws IOException {
        String name = template.getFileName().toString();
        try (LlamaModel model = model(template)) {
            ChatPrompt plain = model.chatTemplate().render(CHAT.formatted(""));
            assertThat(model.chatTemplate().text(CHAT.formatted("")))
                    .contains("Hello there")
                    .contains("Weather in Cusco?");
            read(model, plain);
            assertThat(model.chatTemplate().info().tools()).as("tools").isNotEqualTo(WITHOUT_TOOLS.containsKey(name));
            if (model.chatTemplate().info().tools()) {
                ChatPrompt may = model.chatTemplate().render(CHAT.formatted(TOOLS));
                assertThat(model.chatTemplate().text(CHAT.formatted(TOOLS))).contains("weather");
                assertThat(may.form().plainText()).isFalse();
                read(model, may);
                ChatPrompt must = model.chatTemplate().render(CHAT.formatted(TOOLS + ",\"tool_choice\":\"required\""));
                assertThat(must.form().constrained()).as("required").isNotEqualTo(NOT_REQUIRED.containsKey(name));
                if (UNFIT.containsKey(name)) {
                    assertThatThrownBy(() -> read(model, must)).hasMessageContaining("grammar: refused");
                } else {
                    read(model, must);
                }
            }
        }
    }

    /** What is remembered of one conversation is used for the next. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void rendersTheSameAfterOtherConversations(Path template) throws IOException {
        String other = "{\"messages\":[{\"role\":\"user\",\"content\":\"What else?\"}]%s}";
        List<String> rests = List.of(
                "",
                ",\"enable_thinking\":false",
                ",\"json_schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}",
                TOOLS,
                TOOLS + ",\"tool_choice\":\"required\"",
                TOOLS.replace("city", "place"));
        try (LlamaModel seasoned = model(template)) {
            rests.forEach(rest -> told(seasoned, CHAT.formatted(rest)));
            for (String rest : rests) {
                try (LlamaModel fresh = model(template)) {
                    assertThat(told(seasoned, other.formatted(rest)))
                            .as(rest)
                            .isEqualTo(told(fresh, other.formatted(rest)));
                }
            }
        }
    }

    /** From the third time on a chat of plain texts is rendered in a shorter way. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void rendersPlainChatsTheSameTheThirdTime(Path template) throws IOException {
        List<String> chats = List.of(
                "{\"role\":\"user\",\"content\":\" What\\n else? \"}",
                "{\"role\":\"system\",\"content\":\"Be brief. \"},{\"role\":\"user\",\"content\":\"Hi /no_think\"}",
                "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"<think>b</think> c\"},"
                        + "{\"role\":\"user\",\"content\":\"d\"}",
                "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}",
                "{\"role\":\"system\",\"content\":\"Alone.\"}",
                "{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"\"}");
        try (LlamaModel seasoned = model(template)) {
            for (int i = 0; i < 2; i++) told(seasoned, CHAT.formatted(""));
            for (String chat : chats) {
                String request = "{\"messages\":[" + chat + "]}";
                try (LlamaModel fresh = model(template)) {
                    assertThat(told(seasoned, request)).as(chat).isEqualTo(told(fresh, request));
                }
            }
        }
    }

    /** Chats of texts alone come in a form of their own. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void rendersPlainMessagesAsTheSameInJson(Path template) throws IOException {
        List<List<PlainMessage>> chats = List.of(
                List.of(new PlainMessage("user", " What\n \"else\"? \u00f1\0<|im_end|>")),
                List.of(
                        new PlainMessage("system", "Be brief."),
                        new PlainMessage("user", "Hi"),
                        new PlainMessage("assistant", "<think>b</think> c"),
                        new PlainMessage("user", "")),
                List.of(new PlainMessage("developer", "Be brief."), new PlainMessage("user", "x")),
                List.of(new PlainMessage("user", "a"), new PlainMessage("assistant", "b")),
                List.of(new PlainMessage("no role", "x")),
                List.of());
        try (LlamaModel model = model(template)) {
            for (int i = 0; i < 3; i++) {
                for (List<PlainMessage> chat : chats) {
                    String json = Json.MAPPER.writeValueAsString(Map.of(
                            "messages",
                            chat.stream()
                                    .map(message -> Map.of("role", message.role(), "content", message.text()))
                                    .toList(),
                            "now",
                            1_000_000_000));
                    assertThat(told(() -> model.chatTemplate().render(chat, 1_000_000_000)))
                            .as(json)
                            .isEqualTo(told(() -> model.chatTemplate().render(json)));
                }
            }
        }
    }

    /** The prompt and all that comes with it, or why there is none. */
    private static Object told(LlamaModel model, String request) {
        Object told = told(() -> model.chatTemplate().render(request));
        return told instanceof List<?> ? List.of(model.chatTemplate().text(request), told) : told;
    }

    private static Object told(Supplier<ChatPrompt> rendering) {
        try {
            ChatPrompt prompt = rendering.get();
            return List.of(Arrays.toString(prompt.tokens()), prompt.form());
        } catch (LlamaException e) {
            return e.reason() + ": " + e.getMessage();
        }
    }

    /** Samples and parses a little of an answer. */
    private static void read(LlamaModel model, ChatPrompt prompt) {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                ChatParser parser = new ChatParser(prompt.form());
                Sampler sampler = model.newSampler(
                        SamplerOptions.builder().seed(1).form(prompt.form()).build())) {
            int[] answer = Tiny.generate(context, sampler, 0, 24, 1, 2, 3);
            parser.push(new byte[0], false);
            for (int token : answer) {
                if (model.vocabulary().isEndOfGeneration(token)) {
                    break;
                }
                parser.push(model.vocabulary().piece(token, true), false);
            }
        } catch (LlamaException e) {
            // Noise need not have the form that the template promises.
            if (e.reason() != LlamaException.Reason.PARSE) {
                throw e;
            }
        }
    }
}
