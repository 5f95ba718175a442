package dev.chasqui.node.model;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA adapter to load with the default model.
 *
 * @param name what requests call it: 1 to 64 letters, digits and _ . -
 * @param file its GGUF file
 * @param scale how strongly it works where a request does not say; 1 as it was trained
 */
public record AdapterFile(String name, Path file, float scale) {
    /** Greatest strength, in either direction. */
    public static final float MOST_SCALE = 100;

    private static final Pattern FORM = Pattern.compile("([^=]+)=(.+?)(?::([-+]?[0-9]*\\.?[0-9]+))?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    public AdapterFile {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "lora: " + name + " (expected: a name of 1 to 64 letters, digits and _ . -)");
        }
        if (!(Math.abs(scale) <= MOST_SCALE)) {
            throw new IllegalArgumentException("lora: scale " + scale + " (expected: -100 to 100)");
        }
    }

    /**
     * Reads {@code NAME=FILE} or {@code NAME=FILE:SCALE}; the file by its full path.
     *
     * @throws IllegalArgumentException where it is neither
     */
    public static AdapterFile parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("lora: " + text + " (expected: NAME=FILE or NAME=FILE:SCALE)");
        }
        float scale = form.group(3) == null ? 1 : Float.parseFloat(form.group(3));
        return new AdapterFile(
                form.group(1), Path.of(form.group(2)).toAbsolutePath().normalize(), scale);
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return name + "=" + file + ":" + scale;
    }
}
