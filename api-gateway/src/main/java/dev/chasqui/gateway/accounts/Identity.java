package dev.chasqui.gateway.accounts;

/**
 * Somebody as another place knows him.
 *
 * @param provider the place: {@code github} or {@code apple}
 * @param subject what he is called there for ever
 * @param email that he has shown there to be his; empty: none
 * @param name may be empty
 */
public record Identity(String provider, String subject, String email, String name) {
    private static final int LONGEST_SUBJECT = 255;
    private static final int LONGEST_EMAIL = 254;
    private static final int LONGEST_NAME = 100;

    public Identity {
        if (subject.isBlank() || subject.length() > LONGEST_SUBJECT) {
            throw new IllegalArgumentException(
                    "subject: " + subject.length() + " characters (expected: 1 to " + LONGEST_SUBJECT + ")");
        }
        email = email.length() > LONGEST_EMAIL ? "" : email;
        name = oneLine(name);
    }

    private static String oneLine(String name) {
        String line = name.replaceAll("\\p{Cntrl}+", " ").strip();
        return line.codePointCount(0, line.length()) <= LONGEST_NAME
                ? line
                : line.substring(0, line.offsetByCodePoints(0, LONGEST_NAME)).strip();
    }

    /** Who it is stays out of logs. */
    @Override
    public String toString() {
        return "Identity[" + provider + "]";
    }
}
