package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The shown path of a conversation as Markdown for people, which can be read back. A comment that no reader of the text
 * sees marks where a message begins; a line of a message that looks like such a comment gets a backslash in front.
 */
public final class MarkdownChat {
    private static final Pattern WRITTEN =
            Pattern.compile("(?m)^<!-- chasqui: (system|user|assistant) -->\n(?:## .*\n)?");
    private static final Pattern MARKED_LINE = Pattern.compile("(?m)^(\\\\*<!-- chasqui: )");
    private static final Pattern ESCAPED_LINE = Pattern.compile("(?m)^\\\\(\\\\*<!-- chasqui: )");
    private static final Pattern HEADING = Pattern.compile("(?im)^##\\s+(system|user|you|assistant)\\s*$");
    private static final int LONGEST_TITLE = 200;

    private MarkdownChat() {}

    /** Title, system prompt, and the messages of the path that is shown. */
    public static String write(MessageTree tree) {
        StringBuilder out = new StringBuilder("# ")
                .append(
                        tree.conversation().title().isEmpty()
                                ? "Untitled"
                                : tree.conversation().title())
                .append("\n");
        if (!tree.conversation().systemPrompt().isEmpty()) {
            section(out, "system", tree.conversation().systemPrompt());
        }
        for (Message message : tree.currentPath()) {
            section(out, message.role(), message.content());
        }
        return out.toString();
    }

    /**
     * Adds a message.
     *
     * @param role system, user or assistant
     */
    public static void section(StringBuilder out, String role, String text) {
        out.append("\n<!-- chasqui: ")
                .append(role)
                .append(" -->\n## ")
                .append(role.substring(0, 1).toUpperCase(Locale.ROOT))
                .append(role.substring(1))
                .append("\n\n");
        out.append(MARKED_LINE.matcher(text).replaceAll("\\\\$1")).append("\n");
    }

    /** Reads what {@link #write} wrote, or a text with headings {@code ## User} and {@code ## Assistant}. */
    public static MessageTree read(String userId, String text, long now) {
        String whole = Text.storable(text.replace("\r\n", "\n"));
        boolean marked = WRITTEN.matcher(whole).find();
        Matcher heads = (marked ? WRITTEN : HEADING).matcher(whole);
        if (!heads.find()) {
            throw RequestError.badValue("markdown", "no messages (expected: headings ## User and ## Assistant)");
        }
        String title = title(whole.substring(0, heads.start()));
        String id = Answers.id("conv_");
        List<Message> messages = new ArrayList<>();
        StringBuilder system = new StringBuilder();
        boolean more = true;
        while (more) {
            String role = heads.group(1).toLowerCase(Locale.ROOT);
            int from = heads.end();
            more = heads.find();
            add(messages, system, id, role, section(whole, from, more ? heads.start() : whole.length(), marked), now);
        }
        String leaf =
                messages.isEmpty() ? "" : messages.get(messages.size() - 1).id();
        return new MessageTree(
                new Conversation(
                        id, userId, title, Conversation.TitleBy.USER, "", system.toString(), "{}", leaf, now, now, 0),
                messages);
    }

    private static String title(String head) {
        String line = head.strip()
                .lines()
                .findFirst()
                .orElse("")
                .replaceFirst("^#+\\s*", "")
                .strip();
        return line.length() > LONGEST_TITLE ? TitleWriter.words(line) : line;
    }

    /** The text between two marks, without the empty lines that stand around it. */
    private static String section(String whole, int from, int to, boolean marked) {
        String text = whole.substring(from, to);
        String bare = text.replaceFirst("^\n", "");
        bare = bare.endsWith("\n\n") && to < whole.length()
                ? bare.substring(0, bare.length() - 2)
                : bare.endsWith("\n") ? bare.substring(0, bare.length() - 1) : bare;
        return marked ? ESCAPED_LINE.matcher(bare).replaceAll("$1") : bare.strip();
    }

    private static void add(
            List<Message> messages, StringBuilder system, String conversation, String role, String text, long now) {
        if (role.equals("system")) {
            system.append(system.isEmpty() ? "" : "\n").append(text);
            return;
        }
        String parent =
                messages.isEmpty() ? "" : messages.get(messages.size() - 1).id();
        Message question = Message.question(Answers.id("msg_"), conversation, parent, messages.size() + 1, text, now);
        messages.add(role.equals("assistant") ? question.rewrittenAs("assistant") : question);
    }
}
