package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** A model's file, or all the files of one that was split, checked to be a model that text can be generated with. */
record GgufModel(List<Path> files, long sizeBytes, GgufSummary summary) {
    private static final Pattern ARCHITECTURE = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    /** Every part of the model that has this file, whether it is there or not. */
    static List<String> partNames(String fileName) {
        FileNames.Part part = FileNames.part(fileName);
        if (part == null) {
            return List.of(fileName);
        }
        return IntStream.rangeClosed(1, part.count()).mapToObj(part::fileName).toList();
    }

    /**
     * Reads the head of the file and of its other parts, which lie beside it.
     *
     * @throws BadModelFile where one of them is bad or missing
     * @throws IOException where one of them cannot be read
     */
    static GgufModel read(Path file) throws IOException {
        String fileName = file.getFileName().toString();
        return read(
                fileName, partNames(fileName).stream().map(file::resolveSibling).toList());
    }

    /** The same for files that do not have their final names yet; {@code files} are the parts in order. */
    static GgufModel read(String fileName, List<Path> files) throws IOException {
        List<String> names = partNames(fileName);
        List<GgufFile> heads = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            if (!Files.isRegularFile(files.get(i))) {
                throw new BadModelFile(names.get(i) + " is missing (expected: "
                        + (names.size() == 1 ? "a file" : names.size() + " files in all") + ")");
            }
            try (SeekableByteChannel file = Files.newByteChannel(files.get(i))) {
                heads.add(GgufFile.read(file, names.get(i)));
            }
        }
        return new GgufModel(
                List.copyOf(files), heads.stream().mapToLong(GgufFile::length).sum(), check(fileName, heads));
    }

    /** Holds the heads of all parts against each other and their names. */
    static GgufSummary check(String fileName, List<GgufFile> heads) {
        List<String> names = partNames(fileName);
        for (int i = 0; i < names.size(); i++) {
            checkPart(names.get(i), heads.get(i), i + 1, names.size());
        }
        checkModel(fileName, heads);
        return summary(heads);
    }

    private static void checkPart(String file, GgufFile head, int number, int count) {
        long splitCount = head.whole("split.count", 1);
        long splitNumber = head.whole("split.no", 0);
        if (splitCount != count && !(splitCount == 0 && count == 1)) {
            throw new BadModelFile(file + ": one of " + splitCount + " parts (expected: " + count
                    + " by its name, which has to end in -00001-of-0000N.gguf)");
        }
        if (splitNumber != number - 1) {
            throw new BadModelFile(file + ": part " + (splitNumber + 1) + " (expected: " + number + " by its name)");
        }
    }

    private static void checkModel(String file, List<GgufFile> heads) {
        GgufFile first = heads.get(0);
        String type = first.text("general.type");
        if (type.equals("adapter") || type.equals("imatrix") || type.equals("mmproj")) {
            throw new BadModelFile(file + ": " + type + " (expected: a model)");
        }
        String architecture = first.text("general.architecture");
        if (!ARCHITECTURE.matcher(architecture).matches()) {
            throw new BadModelFile(file + ": general.architecture: "
                    + (architecture.isEmpty() ? "missing" : FileNames.shown(architecture))
                    + " (expected: a name such as llama)");
        }
        if (architecture.equals("clip")) {
            throw new BadModelFile(file + ": the image part of a model (expected: the model)");
        }
        if (heads.stream().allMatch(head -> head.tensors().isEmpty())) {
            throw new BadModelFile(file + ": holds no weights");
        }
        long promised = first.whole("split.tensors.count", -1);
        long found = heads.stream().mapToLong(head -> head.tensors().size()).sum();
        if (promised >= 0 && promised != found) {
            throw new BadModelFile(file + ": " + found + " tensors (expected: " + promised + ")");
        }
        for (String key : List.of(".context_length", ".embedding_length", ".block_count")) {
            if (first.whole(architecture + key, 0) <= 0) {
                throw new BadModelFile(file + ": " + architecture + key + ": missing (expected: 1 or more)");
            }
        }
    }

    private static GgufSummary summary(List<GgufFile> heads) {
        GgufFile first = heads.get(0);
        String prefix = first.text("general.architecture") + ".";
        Map<TensorType, Long> bytesByType = new EnumMap<>(TensorType.class);
        long parameters = 0;
        long tensorCount = 0;
        for (GgufFile head : heads) {
            for (GgufFile.Tensor tensor : head.tensors()) {
                bytesByType.merge(tensor.type(), tensor.bytes(), Long::sum);
                parameters += tensor.elements();
                tensorCount++;
            }
        }
        TensorType mostUsed = bytesByType.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
        long embedding = first.whole(prefix + "embedding_length", 0);
        long headCount = first.whole(prefix + "attention.head_count", 0);
        long headLength = headCount > 0 ? embedding / headCount : 0;
        return new GgufSummary(
                first.version(),
                first.text("general.architecture"),
                FileNames.shown(first.text("general.name")),
                Quantization.name(first.whole("general.file_type", -1), mostUsed),
                first.whole(prefix + "context_length", 0),
                embedding,
                first.whole(prefix + "block_count", 0),
                headCount,
                first.whole(prefix + "attention.head_count_kv", headCount),
                first.whole(prefix + "attention.key_length", headLength),
                first.whole(prefix + "attention.value_length", headLength),
                Math.max(first.count("tokenizer.ggml.tokens"), first.whole(prefix + "vocab_size", 0)),
                first.value("tokenizer.chat_template") instanceof String,
                first.text("tokenizer.ggml.model"),
                parameters,
                bytesByType.values().stream().mapToLong(Long::longValue).sum(),
                tensorCount);
    }
}
