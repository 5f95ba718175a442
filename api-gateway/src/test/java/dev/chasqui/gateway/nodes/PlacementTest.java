package dev.chasqui.gateway.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final int PROMPTS = 4000;

    private record Node(String name, int load, int slots) implements Placement.Place {}

    @Test
    void promptsSpreadOverIdleNodesAsTheirSlotsSay() {
        List<Node> nodes = List.of(new Node("a:1", 0, 4), new Node("b:1", 0, 4), new Node("c:1", 0, 8));
        Map<String, Integer> counts = new HashMap<>();
        for (long prompt = 0; prompt < PROMPTS; prompt++) {
            counts.merge(chosen(nodes, prompt), 1, Integer::sum);
        }

        assertThat(counts.get("a:1")).isBetween(PROMPTS / 5, PROMPTS * 3 / 10);
        assertThat(counts.get("b:1")).isBetween(PROMPTS / 5, PROMPTS * 3 / 10);
        assertThat(counts.get("c:1")).isBetween(PROMPTS * 9 / 20, PROMPTS * 11 / 20);
    }

    @Test
    void whenANodeLeavesOnlyItsPromptsGoElsewhereAndComeBackWithIt() {
        List<Node> all = idle(5);
        for (int gone = 0; gone < all.size(); gone++) {
            List<Node> left = new ArrayList<>(all);
            String name = left.remove(gone).name();
            for (long prompt = 0; prompt < PROMPTS; prompt++) {
                String before = chosen(all, prompt);
                String after = chosen(left, prompt);
                if (before.equals(name)) {
                    assertThat(after).isNotEqualTo(name);
                } else {
                    assertThat(after).isEqualTo(before);
                }
            }
        }
    }

    @Test
    void noNodeGetsMoreThanAQuarterOverItsShareWhateverTheLoad() {
        Random random = new Random(7);
        for (int round = 0; round < 2000; round++) {
            List<Node> nodes = new ArrayList<>();
            int count = 2 + random.nextInt(6);
            for (int i = 0; i < count; i++) {
                nodes.add(new Node("node-" + i + ":9090", random.nextInt(20), 1 + random.nextInt(16)));
            }
            Placement placement = new Placement();
            PromptKey key = new PromptKey(random.nextLong(3), random.nextLong(3));
            // A conversation that was there before gets no more than others.
            placement.choose(nodes, key);
            Node chosen = placement.choose(nodes, key);
            double load = 1 + nodes.stream().mapToInt(Node::load).sum();
            double slots = nodes.stream().mapToInt(Node::slots).sum();

            assertThat((double) chosen.load() + 1).isLessThan(1.25 * load * chosen.slots() / slots + 1);
        }
    }

    @Test
    void aCommonBeginningStaysTogetherUntilItsNodeHasEnough() {
        List<Node> nodes = idle(4);
        Placement placement = new Placement();
        String home = chosen(nodes, 42);
        for (int conversation = 0; conversation < 100; conversation++) {
            assertThat(placement.choose(nodes, new PromptKey(42, conversation)).name())
                    .isEqualTo(home);
        }
        String next = placement
                .choose(loaded(nodes, home, 9), new PromptKey(42, 1000))
                .name();
        assertThat(next).isNotEqualTo(home);
        assertThat(placement
                        .choose(loaded(nodes, home, 9), new PromptKey(42, 1001))
                        .name())
                .isEqualTo(next);
    }

    @Test
    void aConversationThatHadToGoElsewhereStaysThere() {
        List<Node> nodes = idle(4);
        Placement placement = new Placement();
        String home = chosen(nodes, 42);
        PromptKey conversation = new PromptKey(42, 1);
        String other = placement.choose(loaded(nodes, home, 9), conversation).name();

        assertThat(other).isNotEqualTo(home);
        assertThat(placement.choose(nodes, conversation).name()).isEqualTo(other);
        assertThat(placement.choose(nodes, new PromptKey(42, 2)).name()).isEqualTo(home);
    }

    @Test
    void whatHasNoPromptGoesWhereMostIsFree() {
        List<Node> nodes = List.of(new Node("a:1", 3, 4), new Node("b:1", 5, 16), new Node("c:1", 4, 4));
        assertThat(new Placement().choose(nodes, null).name()).isEqualTo("b:1");
    }

    private static String chosen(List<Node> nodes, long prompt) {
        return new Placement().choose(nodes, new PromptKey(prompt, prompt)).name();
    }

    private static List<Node> idle(int count) {
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            nodes.add(new Node("10.0.0." + i + ":9090", 0, 4));
        }
        return nodes;
    }

    private static List<Node> loaded(List<Node> nodes, String name, int load) {
        return nodes.stream()
                .map(node -> node.name().equals(name) ? new Node(name, load, node.slots()) : node)
                .toList();
    }
}
