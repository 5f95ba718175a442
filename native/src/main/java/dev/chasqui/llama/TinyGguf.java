package dev.chasqui.llama;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model of some hundred kB with random weights: real to all code that loads and runs it, and quick. What it says is
 * noise, and often no valid UTF-8, as its tokens are single bytes, a space, and a few special ones. For tests, and for a start
 * that is rehearsed where no other model need be.
 */
public final class TinyGguf {
    public static final int UNKNOWN = 0;
    public static final int BOS = 1;
    public static final int EOS = 2;
    /** The token of byte b is {@code FIRST_BYTE + b}. */
    public static final int FIRST_BYTE = 3;

    public static final int SPACE = FIRST_BYTE + 256;
    public static final int IM_START = SPACE + 1;
    public static final int IM_END = SPACE + 2;
    public static final int VOCAB_SIZE = SPACE + 3;
    public static final int TRAINED_CONTEXT = 2048;

    /** ChatML, with tools as most such models describe them. */
    public static final String CHATML = """
            {%- if tools %}{{ '<|im_start|>system\\n' }}{%- if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{%- endif %}{{ '# Tools\\n<tools>' }}{%- for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{%- endfor %}{{ '\\n</tools>\\n\\nCall a function with a JSON object in <tool_call></tool_call>:\\n<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call><|im_end|>\\n' }}{%- else %}{%- if messages[0].role == 'system' %}{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}{%- endif %}
            {%- for message in messages %}{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- elif message.role == 'assistant' %}{{ '<|im_start|>assistant\\n' }}{%- if message.content %}{{ message.content }}{%- endif %}{%- if message.tool_calls %}{%- for tool_call in message.tool_calls %}{%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}{{ '\\n<tool_call>\\n{"name": "' + tool_call.name + '", "arguments": ' }}{{ tool_call.arguments | tojson }}{{ '}\\n</tool_call>' }}{%- endfor %}{%- endif %}{{ '<|im_end|>\\n' }}{%- elif message.role == 'tool' %}{{ '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}{%- endif %}{%- endfor %}
            {%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}""";

    private static final int F32 = 0;
    private static final int F16 = 1;
    private static final int ALIGNMENT = 32;

    private final Options options;
    private final Random random;
    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final ByteArrayOutputStream tensors = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int keyCount;
    private int tensorCount;

    /**
     * What to write.
     *
     * @param seed of the weights
     * @param chatTemplate null: none
     * @param half weights in F16
     * @param spacePrefix the tokenizer puts a space in front of text, as many do
     * @param layers number of layers
     * @param kind what the model does
     * @param pooling how its file says that it embeds, as llama.cpp numbers it (1 mean, 2 first, 3 last token); 0: not said
     * @param silentLayers layers behind the others that change nothing
     */
    public record Options(
            long seed,
            @Nullable String chatTemplate,
            boolean half,
            boolean spacePrefix,
            int layers,
            Kind kind,
            int pooling,
            int silentLayers) {
        public static final Options DEFAULT = new Options(1, CHATML, false, false, 2, Kind.GENERATOR, 0, 0);

        public Options withTemplate(@Nullable String template) {
            return new Options(seed, template, half, spacePrefix, layers, kind, pooling, silentLayers);
        }

        public Options withSeed(long value) {
            return new Options(value, chatTemplate, half, spacePrefix, layers, kind, pooling, silentLayers);
        }

        public Options withHalf(boolean value) {
            return new Options(seed, chatTemplate, value, spacePrefix, layers, kind, pooling, silentLayers);
        }

        public Options withSpacePrefix(boolean value) {
            return new Options(seed, chatTemplate, half, value, layers, kind, pooling, silentLayers);
        }

        /** More layers make every step slower. */
        public Options withLayers(int value) {
            return new Options(seed, chatTemplate, half, spacePrefix, value, kind, pooling, silentLayers);
        }

        /** More layers that change nothing: slower, and says the same. */
        public Options withSilentLayers(int value) {
            return new Options(seed, chatTemplate, half, spacePrefix, layers, kind, pooling, value);
        }

        public Options withKind(Kind value) {
            return new Options(seed, chatTemplate, half, spacePrefix, layers, value, pooling, silentLayers);
        }

        public Options withPooling(int value) {
            return new Options(seed, chatTemplate, half, spacePrefix, layers, kind, value, silentLayers);
        }
    }

    /** What a model does. */
    public enum Kind {
        /** It generates text (llama). */
        GENERATOR,
        /** It only embeds (bert). */
        EMBEDDER,
        /** It orders documents (bert with a classifier). */
        RERANKER
    }

    private TinyGguf(Options options) {
        this.options = options;
        this.random = new Random(options.seed());
    }

    /** Writes {@code tiny.gguf} into a folder; returns the file. */
    public static Path write(Path dir) {
        return write(dir.resolve("tiny.gguf"), Options.DEFAULT);
    }

    /** Writes a file; returns it. */
    public static Path write(Path file, Options options) {
        try {
            return Files.write(file, new TinyGguf(options).bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a LoRA adapter that changes much of what a tiny generator says; returns the file. */
    public static Path writeLora(Path file, long seed) {
        try {
            TinyGguf gguf = new TinyGguf(new Options(seed, null, false, false, 2, Kind.GENERATOR, 0, 0));
            return Files.write(file, gguf.lora());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte[] lora() throws IOException {
        int rank = 4;
        string("general.type", "adapter");
        string("general.architecture", "llama");
        string("adapter.type", "lora");
        real("adapter.lora.alpha", 2 * rank);
        weights("blk.0.attn_v.weight.lora_a", 0.2, 64, rank);
        weights("blk.0.attn_v.weight.lora_b", 0.2, rank, 32);
        weights("blk.1.ffn_down.weight.lora_a", 0.2, 128, rank);
        weights("blk.1.ffn_down.weight.lora_b", 0.2, rank, 64);
        return assemble();
    }

    private byte[] bytes() throws IOException {
        if (options.kind() != Kind.GENERATOR) {
            return encoder();
        }
        int width = 64;
        int headWidth = 32;
        int inner = 128;
        string("general.architecture", "llama");
        string("general.name", "tiny");
        integer("general.file_type", options.half() ? 1 : 0);
        integer("llama.context_length", TRAINED_CONTEXT);
        integer("llama.embedding_length", width);
        integer("llama.block_count", options.layers() + options.silentLayers());
        integer("llama.feed_forward_length", inner);
        integer("llama.attention.head_count", width / headWidth);
        integer("llama.attention.head_count_kv", 1);
        integer("llama.rope.dimension_count", headWidth);
        real("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        if (options.pooling() != 0) {
            integer("llama.pooling_type", options.pooling());
        }
        vocabulary();
        if (options.chatTemplate() != null) {
            string("tokenizer.chat_template", options.chatTemplate());
        }
        weights("token_embd.weight", 1, width, VOCAB_SIZE);
        for (int layer = 0; layer < options.layers() + options.silentLayers(); layer++) {
            String block = "blk." + layer + ".";
            double scale = layer < options.layers() ? 0.15 : 0;
            ones(block + "attn_norm.weight", width);
            weights(block + "attn_q.weight", scale, width, width);
            weights(block + "attn_k.weight", scale, width, headWidth);
            weights(block + "attn_v.weight", scale, width, headWidth);
            weights(block + "attn_output.weight", scale, width, width);
            ones(block + "ffn_norm.weight", width);
            weights(block + "ffn_gate.weight", scale, width, inner);
            weights(block + "ffn_up.weight", scale, width, inner);
            weights(block + "ffn_down.weight", scale, inner, width);
        }
        ones("output_norm.weight", width);
        weights("output.weight", 0.3, width, VOCAB_SIZE);
        return assemble();
    }

    /** A model that sees a whole text at once. */
    private byte[] encoder() throws IOException {
        int width = 64;
        int inner = 128;
        boolean ranks = options.kind() == Kind.RERANKER;
        string("general.architecture", "bert");
        string("general.name", "tiny");
        integer("general.file_type", options.half() ? 1 : 0);
        integer("bert.context_length", TRAINED_CONTEXT);
        integer("bert.embedding_length", width);
        integer("bert.block_count", options.layers());
        integer("bert.feed_forward_length", inner);
        integer("bert.attention.head_count", 2);
        real("bert.attention.layer_norm_epsilon", 1e-5f);
        bool("bert.attention.causal", false);
        integer("bert.pooling_type", ranks ? 4 : options.pooling() == 0 ? 2 : options.pooling());
        vocabulary();
        integer("tokenizer.ggml.token_type_count", 1);
        integer("tokenizer.ggml.seperator_token_id", EOS);
        bool("tokenizer.ggml.add_eos_token", true);
        weights("token_embd.weight", 1, width, VOCAB_SIZE);
        weights("token_types.weight", 0.1, width, 1);
        weights("position_embd.weight", 0.1, width, TRAINED_CONTEXT);
        norm("token_embd_norm", width);
        for (int layer = 0; layer < options.layers(); layer++) {
            String block = "blk." + layer + ".";
            weights(block + "attn_q.weight", 0.15, width, width);
            weights(block + "attn_k.weight", 0.15, width, width);
            weights(block + "attn_v.weight", 0.15, width, width);
            weights(block + "attn_output.weight", 0.15, width, width);
            norm(block + "attn_output_norm", width);
            weights(block + "ffn_up.weight", 0.15, width, inner);
            weights(block + "ffn_down.weight", 0.15, inner, width);
            norm(block + "layer_output_norm", width);
        }
        if (ranks) {
            weights("cls.weight", 0.15, width, width);
            numbers("cls.bias", 0, width);
            weights("cls.output.weight", 0.15, width, 1);
            numbers("cls.output.bias", 0, 1);
        }
        return assemble();
    }

    private void norm(String name, int width) throws IOException {
        ones(name + ".weight", width);
        numbers(name + ".bias", 0, width);
    }

    private void vocabulary() throws IOException {
        List<String> texts = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256; b++) {
            texts.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        texts.addAll(List.of("\u2581", "<|im_start|>", "<|im_end|>"));
        types.addAll(List.of(1, 3, 3));
        string("tokenizer.ggml.model", "llama");
        array("tokenizer.ggml.tokens", 8, texts.size());
        for (String text : texts) {
            text(keys, text);
        }
        array("tokenizer.ggml.scores", 6, texts.size());
        for (int i = 0; i < texts.size(); i++) {
            keys.write(littleEndian(4).putFloat(-i).array());
        }
        array("tokenizer.ggml.token_type", 5, texts.size());
        for (int type : types) {
            keys.write(littleEndian(4).putInt(type).array());
        }
        integer("tokenizer.ggml.unknown_token_id", UNKNOWN);
        integer("tokenizer.ggml.bos_token_id", BOS);
        integer("tokenizer.ggml.eos_token_id", EOS);
        bool("tokenizer.ggml.add_bos_token", true);
        bool("tokenizer.ggml.add_space_prefix", options.spacePrefix());
    }

    private byte[] assemble() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.write(littleEndian(20)
                .putInt(3)
                .putLong(tensorCount)
                .putLong(keyCount)
                .array());
        keys.writeTo(out);
        tensors.writeTo(out);
        pad(out);
        data.writeTo(out);
        return out.toByteArray();
    }

    private void string(String key, String value) throws IOException {
        key(key, 8);
        text(keys, value);
    }

    private void integer(String key, int value) throws IOException {
        key(key, 4);
        keys.write(littleEndian(4).putInt(value).array());
    }

    private void real(String key, float value) throws IOException {
        key(key, 6);
        keys.write(littleEndian(4).putFloat(value).array());
    }

    private void bool(String key, boolean value) throws IOException {
        key(key, 7);
        keys.write(value ? 1 : 0);
    }

    private void array(String key, int type, int length) throws IOException {
        key(key, 9);
        keys.write(littleEndian(12).putInt(type).putLong(length).array());
    }

    private void key(String key, int type) throws IOException {
        text(keys, key);
        keys.write(littleEndian(4).putInt(type).array());
        keyCount++;
    }

    private void weights(String name, double scale, int columns, int rows) throws IOException {
        tensor(name, options.half() ? F16 : F32, columns, rows);
        ByteBuffer values = littleEndian(columns * rows * (options.half() ? 2 : 4));
        for (int i = 0; i < columns * rows; i++) {
            float value = scale == 0 ? 0 : (float) (random.nextGaussian() * scale);
            if (options.half()) {
                values.putShort(half(value));
            } else {
                values.putFloat(value);
            }
        }
        data.write(values.array());
        pad(data);
    }

    private void ones(String name, int length) throws IOException {
        numbers(name, 1, length);
    }

    private void numbers(String name, float value, int length) throws IOException {
        tensor(name, F32, length);
        ByteBuffer values = littleEndian(length * 4);
        for (int i = 0; i < length; i++) {
            values.putFloat(value);
        }
        data.write(values.array());
        pad(data);
    }

    private void tensor(String name, int type, int... dimensions) throws IOException {
        text(tensors, name);
        tensors.write(littleEndian(4).putInt(dimensions.length).array());
        for (int dimension : dimensions) {
            tensors.write(littleEndian(8).putLong(dimension).array());
        }
        tensors.write(littleEndian(12).putInt(type).putLong(data.size()).array());
        tensorCount++;
    }

    /** A number of ordinary size as IEEE half precision, cut off, not rounded. */
    private static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int exponent = ((bits >>> 23) & 0xFF) - 127 + 15;
        if (exponent <= 0) {
            return (short) sign;
        }
        return (short) (sign | (exponent << 10) | ((bits >>> 13) & 0x3FF));
    }

    private static void text(ByteArrayOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write(littleEndian(8).putLong(bytes.length).array());
        out.write(bytes);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % ALIGNMENT != 0) {
            out.write(0);
        }
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
