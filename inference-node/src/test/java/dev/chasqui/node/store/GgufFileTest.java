package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufFileTest {
    @TempDir
    Path folder;

    private GgufModel read(byte[] bytes) throws IOException {
        return GgufModel.read(Files.write(folder.resolve("m.gguf"), bytes));
    }

    private void refuses(byte[] bytes, String reason) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(BadModelFile.class)
                .hasMessageContaining(reason)
                .extracting(error -> ((StoreException) error).reason())
                .isEqualTo(StoreException.Reason.BAD_FILE);
    }

    @Test
    void sumsUpAModel() throws IOException {
        GgufSummary summary = read(GgufBytes.file()).summary();

        assertThat(summary)
                .isEqualTo(new GgufSummary(
                        3, "llama", "Tiny", "Q4_1", 256, 64, 2, 4, 2, 16, 16, 3, true, "gpt2", 256, 376, 2));
    }

    @Test
    void readsVersionTwo() throws IOException {
        assertThat(read(GgufBytes.model().version(2).weights().bytes())
                        .summary()
                        .version())
                .isEqualTo(2);
    }

    @Test
    void takesTheGreatestOfPerLayerValues() throws IOException {
        byte[] file = new GgufBytes()
                .text("general.architecture", "x")
                .u32("x.context_length", 8)
                .u32("x.embedding_length", 64)
                .u32("x.block_count", 3)
                .whole32s("x.attention.head_count", 4, 8, 0)
                .weights()
                .bytes();

        assertThat(read(file).summary().headCount()).isEqualTo(8);
        assertThat(read(file).summary().headCountKv()).isEqualTo(8);
        assertThat(read(file).summary().keyLength()).isEqualTo(8);
        assertThat(read(file).summary().hasChatTemplate()).isFalse();
        assertThat(read(file).summary().quantization())
                .as("the type most weights have")
                .isEqualTo("F32");
    }

    @Test
    void honoursAnotherAlignment() throws IOException {
        assertThat(read(GgufBytes.model()
                                .u32("general.alignment", 128)
                                .alignment(128)
                                .weights()
                                .bytes())
                        .summary()
                        .tensorCount())
                .isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void knowsTheSizeOfEveryTensorType(TensorType type) throws IOException {
        byte[] file = GgufBytes.model()
                .tensor("w", type.id, new long[] {type.blockElements * 3L, 5}, type.blockBytes * 15)
                .tensor("after", 0, 8, 32)
                .bytes();

        assertThat(read(file).summary().tensorBytes()).isEqualTo(type.blockBytes * 15L + 32);
    }

    @Test
    void refusesWhatIsNoGguf() {
        refuses("<html>".getBytes(StandardCharsets.UTF_8), "not a GGUF file");
        refuses(new byte[0], "not a GGUF file");
        refuses(new byte[3], "not a GGUF file");
        refuses(Arrays.copyOf(GgufBytes.file(), 6), "ends in the middle of its header");
    }

    @Test
    void refusesOtherVersionsAndByteOrders() {
        refuses(GgufBytes.model().version(1).weights().bytes(), "GGUF version 1 (expected: 2 or 3)");
        refuses(GgufBytes.model().version(4).weights().bytes(), "GGUF version 4 (expected: 2 or 3)");
        refuses(GgufBytes.model().version(0x0300_0000).weights().bytes(), "byte order");
    }

    @Test
    void refusesAFileCutAnywhere() throws IOException {
        byte[] whole = GgufBytes.file();
        // The last tensor's padding is not missed.
        for (int length = 0; length < whole.length; length += 1) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> read(cut)).as("%d bytes", length).isInstanceOf(BadModelFile.class);
        }
        assertThat(read(whole)).isNotNull();
    }

    @Test
    void refusesCountsThatNoFileHolds() {
        refuses(GgufBytes.model().weights().bytes(-1, 11), "tensors (expected: at most 65536)");
        refuses(GgufBytes.model().weights().bytes(2, Long.MAX_VALUE), "metadata entries (expected: at most 16384)");
        refuses(GgufBytes.model().weights().bytes(3, 11), "");
        refuses(GgufBytes.model().weights().bytes(2, 12), "");
    }

    @Test
    void refusesBadMetadata() {
        refuses(GgufBytes.model().u32("llama.block_count", 2).weights().bytes(), "llama.block_count: given twice");
        refuses(GgufBytes.model().u32("", 2).weights().bytes(), "has no name");
        refuses(GgufBytes.model().raw("k", 13).weights().bytes(), "k: type 13 (expected: 0 to 12)");
        refuses(GgufBytes.model().raw("k", -1).weights().bytes(), "k: type -1 (expected: 0 to 12)");
        refuses(GgufBytes.model().list("k", GgufBytes.ARRAY, 1, 32).weights().bytes(), "a list of lists");
        refuses(GgufBytes.model().list("k", GgufBytes.U8, 1L << 40, 0).weights().bytes(), "a list of 1099511627776");
        refuses(GgufBytes.model().list("k", GgufBytes.U64, -1, 0).weights().bytes(), "one that fits the file");
        refuses(GgufBytes.model().list("k", GgufBytes.STRING, 1000, 0).weights().bytes(), "one that fits the file");
        refuses(
                GgufBytes.model()
                        .raw(
                                "k",
                                GgufBytes.STRING,
                                (byte) -1,
                                (byte) -1,
                                (byte) -1,
                                (byte) -1,
                                (byte) -1,
                                (byte) -1,
                                (byte) -1,
                                (byte) 127)
                        .weights()
                        .bytes(),
                "a text of 9223372036854775807 bytes");
        refuses(GgufBytes.model().u32("general.alignment", 48).weights().bytes(), "general.alignment: 48");
        refuses(GgufBytes.model().u32("general.alignment", 0).weights().bytes(), "general.alignment: 0");
        refuses(GgufBytes.model().text("general.alignment", "32").weights().bytes(), "not a whole number");
    }

    @Test
    void refusesAVocabularyWithOneTextTwice() {
        refuses(vocabulary("a", "b", "a"), "two tokens of the vocabulary have one text");
        refuses(vocabulary("a\0b", "a\0c"), "two tokens of the vocabulary have one text");
    }

    @Test
    void takesEmptyTokens() throws IOException {
        assertThat(read(vocabulary("", "", "a")).summary().vocabularySize()).isEqualTo(3);
    }

    private static byte[] vocabulary(String... tokens) {
        return new GgufBytes()
                .text("general.architecture", "x")
                .u32("x.context_length", 8)
                .u32("x.embedding_length", 64)
                .u32("x.block_count", 3)
                .texts("tokenizer.ggml.tokens", tokens)
                .weights()
                .bytes();
    }

    @Test
    void refusesBadTensors() {
        GgufBytes twice = GgufBytes.model().weights().tensor("output_norm.weight", 0, 1, 4);
        refuses(twice.bytes(), "tensor output_norm.weight: given twice");
        refuses(GgufBytes.model().tensor("x".repeat(64), 0, 1, 4).bytes(), "64 bytes (expected: at most 63)");
        refuses(GgufBytes.model().tensor("w", 0, new long[5], 4).bytes(), "5 dimensions (expected: at most 4)");
        refuses(GgufBytes.model().tensor("w", 0, -1, 4).bytes(), "a dimension of -1");
        refuses(GgufBytes.model().tensor("w", 4, 32, 4).bytes(), "tensor type 4");
        refuses(GgufBytes.model().tensor("w", 43, 32, 4).bytes(), "tensor type 43");
        refuses(GgufBytes.model().tensor("w", 12, 255, 144).bytes(), "a multiple of 256 for Q4_K");
        refuses(
                GgufBytes.model()
                        .tensor("w", 0, new long[] {1L << 40, 1L << 40}, 4)
                        .bytes(),
                "larger than any file can be");
        refuses(GgufBytes.model().tensor("w", 0, 1L << 61, 4).bytes(), "larger than any file can be");
        refuses(GgufBytes.model().tensor("w", 0, 1L << 60, 4).bytes(), "it is cut off or damaged");
        refuses(
                GgufBytes.model().tensorAt("w", 0, new long[] {8}, 32, 32).bytes(),
                "tensor w: offset 32 (expected: 0)");
        refuses(GgufBytes.model().tensorAt("w", 0, new long[] {8}, -32, 32).bytes(), "(expected: 0)");
    }

    @Test
    void refusesWhatIsNoModel() {
        refuses(GgufBytes.model().bytes(), "holds no weights");
        refuses(new GgufBytes().weights().bytes(), "general.architecture: missing");
        refuses(GgufBytes.model().text("general.type", "adapter").weights().bytes(), "adapter (expected: a model)");
        refuses(new GgufBytes().text("general.architecture", "clip").weights().bytes(), "image part");
        refuses(
                new GgufBytes().text("general.architecture", "llama").weights().bytes(),
                "llama.context_length: missing");
    }

    @Test
    void readsAModelInParts() throws IOException {
        write("big-00001-of-00002.gguf", part(0, 2, 3).tensor("a", 0, 8, 32).bytes());
        write(
                "big-00002-of-00002.gguf",
                new GgufBytes()
                        .u16("split.no", 1)
                        .u16("split.count", 2)
                        .tensor("b", 0, 8, 32)
                        .tensor("c", 0, 8, 32)
                        .bytes());

        GgufModel model = GgufModel.read(folder.resolve("big-00001-of-00002.gguf"));

        assertThat(model.files()).hasSize(2);
        assertThat(model.summary().parameters()).isEqualTo(24);
        assertThat(model.summary().tensorCount()).isEqualTo(3);
    }

    @Test
    void refusesPartsThatDoNotFit() throws IOException {
        Path first = write(
                "big-00001-of-00002.gguf", part(0, 2, 2).tensor("a", 0, 8, 32).bytes());
        assertThatThrownBy(() -> GgufModel.read(first))
                .hasMessage("big-00002-of-00002.gguf is missing (expected: 2 files in all)");

        write("big-00002-of-00002.gguf", part(0, 2, 2).tensor("b", 0, 8, 32).bytes());
        assertThatThrownBy(() -> GgufModel.read(first)).hasMessageContaining("part 1 (expected: 2 by its name)");

        write("big-00002-of-00002.gguf", part(1, 3, 2).tensor("b", 0, 8, 32).bytes());
        assertThatThrownBy(() -> GgufModel.read(first)).hasMessageContaining("one of 3 parts (expected: 2");

        write(
                "big-00002-of-00002.gguf",
                part(1, 2, 2).tensor("b", 0, 8, 32).tensor("c", 0, 8, 32).bytes());
        assertThatThrownBy(() -> GgufModel.read(first)).hasMessageContaining("3 tensors (expected: 2)");

        refuses(part(0, 2, 1).tensor("a", 0, 8, 32).bytes(), "one of 2 parts (expected: 1 by its name");
    }

    private static GgufBytes part(int number, int count, int tensors) {
        return GgufBytes.model()
                .u16("split.no", number)
                .u16("split.count", count)
                .u32("split.tensors.count", tensors);
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    /** Whatever a file holds, it is a model or a {@link BadModelFile}, and costs no more memory than its own size and a buffer. */
    @Test
    void survivesAMillionMutations() throws IOException {
        byte[] whole = GgufBytes.model()
                .whole32s("llama.layers", 1, 2, 3)
                .list("scores", GgufBytes.F32, 4, 16)
                .weights()
                .bytes();
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Random random = new Random(20_260_711);
        int refused = 0;
        long mostAllocated = 0;
        for (int i = 0; i < 1_000_000; i++) {
            byte[] mutated = mutated(whole, random);
            long before = memory.getCurrentThreadAllocatedBytes();
            try {
                GgufFile head = GgufFile.read(new BytesChannel(mutated), "m.gguf");
                long bytes = GgufModel.check("m.gguf", List.of(head)).tensorBytes();
                if (bytes < 0 || bytes > whole.length + 64) {
                    throw new AssertionError("mutation " + i + ": tensors of " + bytes + " bytes");
                }
            } catch (BadModelFile e) {
                String reason = String.valueOf(e.getMessage());
                if (!reason.startsWith("m.gguf") || reason.length() >= 500) {
                    throw new AssertionError("mutation " + i + ": " + reason);
                }
                refused++;
            }
            mostAllocated = Math.max(mostAllocated, memory.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(refused).isBetween(200_000, 990_000);
        // Objects for what the file does hold, in Java's sizes.
        assertThat(mostAllocated).isLessThan(GgufInput.BUFFER_BYTES + 64L * whole.length);
    }

    private static byte[] mutated(byte[] whole, Random random) {
        int head = whole.length - 640;
        byte[] bytes = whole.clone();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int at = random.nextInt(random.nextInt(4) == 0 ? bytes.length : Math.min(head, bytes.length));
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) 0xff);
                case 3 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) 0);
                case 4 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                default -> {
                    int from = random.nextInt(bytes.length);
                    int count = Math.min(random.nextInt(32), bytes.length - Math.max(at, from));
                    System.arraycopy(bytes, from, bytes, at, count);
                }
            }
        }
        return bytes;
    }

    @Test
    void claimsOfHugeSizeCostNoMemory() throws IOException {
        Path path = Files.createFile(folder.resolve("m.gguf"));
        Runtime runtime = Runtime.getRuntime();
        // A sparse file makes the claims fit it.
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.write(
                    ByteBuffer.wrap(GgufBytes.model()
                            .list("tokenizer.ggml.scores", GgufBytes.F32, 1L << 29, 0)
                            .bytes(2, 12)),
                    0);
            channel.write(ByteBuffer.wrap(new byte[1]), 3L << 30);
        }
        long before = runtime.totalMemory() - runtime.freeMemory();
        assertThatThrownBy(() -> GgufModel.read(path)).isInstanceOf(BadModelFile.class);
        assertThat(runtime.totalMemory() - runtime.freeMemory() - before).isLessThan(64 << 20);
    }
}
