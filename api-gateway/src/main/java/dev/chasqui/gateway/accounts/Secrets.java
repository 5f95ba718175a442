package dev.chasqui.gateway.accounts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * Random words that open doors: {@code chq_} begins a key and {@code chs_} a session's token. 32 letters and digits
 * follow (190 bits), and six more that are a checksum, so that a slip of the pen or a guess needs no look into the
 * database.
 */
final class Secrets {
    private static final String KEY = "chq_";
    private static final String TOKEN = "chs_";
    private static final String ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int PREFIX = 4;
    private static final int RANDOM = 32;
    private static final int CHECK = 6;
    private static final int HINT_ENDS = 4;
    private static final SecureRandom SOURCE = new SecureRandom();

    private Secrets() {}

    static String newKey() {
        return fresh(KEY);
    }

    static String newToken() {
        return fresh(TOKEN);
    }

    /** A name that nobody can guess. */
    static String newId(String prefix) {
        byte[] bytes = new byte[12];
        SOURCE.nextBytes(bytes);
        return prefix + HexFormat.of().formatHex(bytes);
    }

    static boolean isKey(String offered) {
        return isGenuine(KEY, offered);
    }

    /** Whether it begins as our keys do, whatever follows. */
    static boolean looksLikeKey(String offered) {
        return offered.startsWith(KEY);
    }

    static boolean isToken(String offered) {
        return isGenuine(TOKEN, offered);
    }

    static boolean looksLikeToken(String offered) {
        return offered.startsWith(TOKEN);
    }

    /** How it begins and ends. */
    static String hint(String secret) {
        return secret.substring(0, PREFIX + HINT_ENDS) + "…" + secret.substring(secret.length() - HINT_ENDS);
    }

    /** SHA-256 in hexadecimal; slow hashes are for what people think up. */
    static String hash(String secret) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private static String fresh(String prefix) {
        StringBuilder secret = new StringBuilder(prefix);
        for (int i = 0; i < RANDOM; i++) {
            secret.append(ALPHABET.charAt(SOURCE.nextInt(ALPHABET.length())));
        }
        return secret + check(secret.toString());
    }

    private static boolean isGenuine(String prefix, String offered) {
        int end = PREFIX + RANDOM;
        return offered.length() == end + CHECK
                && offered.startsWith(prefix)
                && offered.substring(end).equals(check(offered.substring(0, end)));
    }

    private static String check(String text) {
        CRC32 crc = new CRC32();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        StringBuilder digits = new StringBuilder();
        long rest = crc.getValue();
        for (int i = 0; i < CHECK; i++) {
            digits.append(ALPHABET.charAt((int) (rest % ALPHABET.length())));
            rest /= ALPHABET.length();
        }
        return digits.toString();
    }
}
