package dev.chasqui.gateway.conversations;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which conversations are asked for, the last changed first.
 *
 * @param words to be found in titles or messages; empty: any
 * @param deleted whether those that are deleted and can still be brought back
 * @param most of one answer
 * @param beforeTime with {@code beforeId}: behind this one, for the next page
 */
public record ConversationQuery(
        String userId, String words, boolean deleted, int most, long beforeTime, String beforeId) {
    private static final Pattern SPECIAL = Pattern.compile("[!%_]");

    /** The words as a pattern of SQL; empty where any will do. */
    String like() {
        return words.isEmpty()
                ? ""
                : "%" + SPECIAL.matcher(words).replaceAll(found -> "!" + Matcher.quoteReplacement(found.group())) + "%";
    }
}
