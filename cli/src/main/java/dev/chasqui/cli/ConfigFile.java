package dev.chasqui.cli;

import dev.chasqui.node.store.FileFaults;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * The configuration file as it stands: keys with their values and lines. Whether a value makes sense is {@link ConfigCheck}'s to
 * say.
 *
 * @param path of the file
 * @param entries in the file's order, each key once
 * @param problems what could not be read
 */
record ConfigFile(Path path, List<Entry> entries, List<Problem> problems) {
    private static final int LONGEST = 1 << 20;

    /**
     * One setting.
     *
     * @param value as a flag would say it: lists with commas; empty: not set
     * @param list whether it is written as a list
     * @param line from 1
     */
    record Entry(String key, String value, boolean list, int line) {}

    /**
     * What is wrong.
     *
     * @param line from 1
     */
    record Problem(int line, String message) {}

    /** @throws Failure where the file cannot be read */
    static ConfigFile read(Path path) {
        try {
            if (Files.size(path) > LONGEST) {
                throw new Failure(path + ": " + Files.size(path) + " bytes (expected: at most " + LONGEST + ")", 2);
            }
            return parse(path, Files.readString(path, StandardCharsets.UTF_8));
        } catch (NoSuchFileException absent) {
            throw new Failure("config: " + path + " (expected: a file that is there)", 2);
        } catch (MalformedInputException bytes) {
            throw new Failure(path + ": is not UTF-8 text (expected: YAML)", 2);
        } catch (IOException problem) {
            throw new Failure(path + " cannot be read: " + FileFaults.reason(problem), 2);
        }
    }

    static ConfigFile parse(Path path, String text) {
        List<Problem> problems = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        LoaderOptions options = new LoaderOptions();
        options.setMaxAliasesForCollections(0);
        try {
            Node root = new Yaml(new SafeConstructor(options)).compose(new StringReader(text));
            if (root instanceof MappingNode mapping) {
                readMapping(mapping, entries, problems);
            } else if (!text.lines()
                    .allMatch(line -> line.isBlank() || line.strip().startsWith("#"))) {
                problems.add(
                        new Problem(root == null ? 1 : line(root), "no setting (expected: lines such as port: 8080)"));
            }
        } catch (MarkedYAMLException wrong) {
            Mark mark = wrong.getProblemMark();
            problems.add(new Problem(
                    mark == null ? 1 : mark.getLine() + 1,
                    wrong.getProblem() + " (expected: YAML, such as port: 8080)"));
        } catch (YAMLException wrong) {
            problems.add(new Problem(1, "not YAML: " + wrong.getMessage()));
        }
        return new ConfigFile(path, List.copyOf(entries), List.copyOf(problems));
    }

    private static void readMapping(MappingNode mapping, List<Entry> entries, List<Problem> problems) {
        Map<String, Integer> seen = new LinkedHashMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            int line = line(tuple.getKeyNode());
            String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "";
            if (key.isEmpty()) {
                problems.add(new Problem(line, "a name is missing (expected: lines such as port: 8080)"));
                continue;
            }
            Integer before = seen.putIfAbsent(key, line);
            if (before != null) {
                problems.add(new Problem(line, key + ": said on line " + before + " already (expected: once)"));
                continue;
            }
            String value = text(tuple.getValueNode());
            if (value == null) {
                problems.add(new Problem(line, key + ": a block of its own (expected: a value, or a list of them)"));
            } else {
                entries.add(new Entry(key, value, tuple.getValueNode() instanceof SequenceNode, line));
            }
        }
    }

    /** Null where it is neither a value nor a list of values. */
    private static @Nullable String text(Node node) {
        if (node instanceof ScalarNode scalar) {
            return node.getTag().equals(Tag.NULL) ? "" : scalar.getValue();
        }
        if (!(node instanceof SequenceNode sequence)) {
            return null;
        }
        List<String> values = new ArrayList<>();
        for (Node element : sequence.getValue()) {
            if (!(element instanceof ScalarNode scalar)) {
                return null;
            }
            values.add(scalar.getValue());
        }
        return String.join(",", values);
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    /** By key; empty values are left out. */
    Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        for (Entry entry : entries) {
            if (!entry.value().isEmpty()) {
                values.put(entry.key(), entry.value());
            }
        }
        return values;
    }
}
