package dev.chasqui.gateway.requests;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Small matters of text. */
public final class Text {
    private Text() {}

    /** JSON can spell half a character, UTF-8 cannot: such a half becomes the replacement character. */
    public static String whole(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                } else {
                    return text.codePoints()
                            .map(p -> p >= Character.MIN_SURROGATE && p <= Character.MAX_SURROGATE ? 0xfffd : p)
                            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                            .toString();
                }
            }
        }
        return text;
    }

    /** As {@link #whole}, and without the zero character, which a database cannot hold. */
    public static String storable(String text) {
        return whole(text).replace('\0', '\ufffd');
    }

    /** The words a field may have, in the order in which an error names them. */
    public static Set<String> ordered(String... words) {
        return new LinkedHashSet<>(List.of(words));
    }
}
