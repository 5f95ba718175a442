package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prompts of which pieces came before have the tokens that they would have alone. */
class KnownPiecesTest {
    private static final String[] SPECIAL = {"<|im_start|>", "<|im_end|>", "<s>", "</s>", "<unk>"};
    private static final String[] TEXT = {
        "user\n",
        "assistant\n",
        " ",
        "\n",
        "  x",
        "año",
        "日本",
        "<|im_",
        "start|>",
        "|>",
        "<",
        "s>",
        "hello there",
        "\0",
        "\uD83D\uDE00"
    };

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void haveTheTokensOfTheWholeText(boolean spacePrefix) {
        try (LlamaModel model = model(spacePrefix)) {
            Random random = new Random(3);
            String history = "";
            for (int i = 0; i < 2000; i++) {
                history = (i % 5 == 0 ? "" : history) + text(random);
                assertThat(known(model, history)).as(history).isEqualTo(alone(model, history));
            }
        }
    }

    @Test
    void haveThemAlsoWhereManyAsk() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (LlamaModel model = model(true)) {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                Random random = new Random(t / 2);
                all.add(threads.submit(() -> {
                    for (int i = 0; i < 500; i++) {
                        String text = text(random);
                        assertThat(known(model, text)).as(text).isEqualTo(alone(model, text));
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void haveThemAlsoWhenThereWereTooManyToRemember() {
        try (LlamaModel model = model(false)) {
            for (int i = 0; i < 600; i++) {
                String text = "<|im_start|>user\nwhich is number " + i % 300 + " of " + "many ".repeat(i % 300 * 10)
                        + "<|im_end|>";
                assertThat(known(model, text)).isEqualTo(alone(model, text));
            }
            String huge = "x <|im_end|>".repeat(2) + "y ".repeat(250_000);
            assertThat(known(model, huge)).isEqualTo(alone(model, huge));
            assertThat(known(model, huge)).isEqualTo(alone(model, huge));
        }
    }

    /** Some vocabularies count single bytes among their control tokens, so that plain text has such tokens too. */
    @Test
    void haveThemAlsoWherePlainTextHasControlTokens() throws IOException {
        Path file = Tiny.write(TinyGguf.Options.DEFAULT);
        makeControl(file, TinyGguf.FIRST_BYTE + '\n');
        try (LlamaModel model = taught(Tiny.load(file))) {
            Random random = new Random(4);
            for (int i = 0; i < 2000; i++) {
                String text = text(random) + (i % 2 == 0 ? "\n" : "<0x0A>") + text(random) + "<0x0A>";
                assertThat(known(model, text)).as(text).isEqualTo(alone(model, text));
            }
        }
    }

    private static void makeControl(Path file, int token) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        String key = "tokenizer.ggml.token_type";
        int at = new String(bytes.array(), StandardCharsets.ISO_8859_1).indexOf(key) + key.length();
        // An array (9) of int32 (5), its length, and then the kinds.
        assertThat(bytes.getInt(at)).isEqualTo(9);
        assertThat(bytes.getInt(at + 4)).isEqualTo(5);
        bytes.putInt(at + 16 + 4 * token, 3);
        Files.write(file, bytes.array());
    }

    private static LlamaModel model(boolean spacePrefix) {
        return taught(Tiny.model(TinyGguf.Options.DEFAULT.withSpacePrefix(spacePrefix)));
    }

    /** What a template writes shows where prompts can be cut. */
    private static LlamaModel taught(LlamaModel model) {
        model.chatTemplate().render("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
        return model;
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(8); i >= 0; i--) {
            String[] from = random.nextInt(3) == 0 ? SPECIAL : TEXT;
            text.append(from[random.nextInt(from.length)]);
        }
        return text.toString();
    }

    private static int[] known(LlamaModel model, String text) {
        return model.vocabulary().tokenize(text, true, true);
    }

    private static int[] alone(LlamaModel model, String text) {
        int[] tokens = model.vocabulary().tokenize(text, false, true);
        int[] all = new int[tokens.length + 1];
        all[0] = TinyGguf.BOS;
        System.arraycopy(tokens, 0, all, 1, tokens.length);
        return all;
    }
}
