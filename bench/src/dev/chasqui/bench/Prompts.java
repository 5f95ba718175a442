package dev.chasqui.bench;

import java.util.Random;

/** Texts of any length that do not repeat each other. */
final class Prompts {
    private static final String[] WORDS =
            ("anchor barley copper dragon ember falcon glacier hollow island jasmine kettle"
                            + " lagoon marble nectar orchid pepper quartz ribbon saffron timber umbrella velvet walnut yellow zephyr")
                    .split(" ");

    private Prompts() {}

    /** So many words, each with a blank in front; the same for the same seed. */
    static String words(long seed, int count) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }

    static String tale(long seed, int words) {
        return "Tell a tale of" + words(seed, words) + ".";
    }

    /** A question in the form that ChatML models know, for addresses that take raw text. */
    static String chatMl(String question) {
        return "<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n";
    }
}
