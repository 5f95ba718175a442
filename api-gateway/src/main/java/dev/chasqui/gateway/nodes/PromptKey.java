package dev.chasqui.gateway.nodes;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import dev.chasqui.proto.v1.AdapterUse;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Tool;
import java.util.List;

/**
 * What a prompt begins with, as two hashes: prompts of one key have a beginning in common, which a node that computed it
 * still has. They are the same in every gateway.
 *
 * <p>Of a chat only tools and messages up to the first of a user count, so that all turns of a conversation have the same
 * hashes.
 *
 * @param beginning of the first kilobyte: a system prompt or a text that many prompts begin with
 * @param whole of all of it that counts, 16 KB at most: one conversation
 */
record PromptKey(long beginning, long whole) {
    private static final int BEGINNING = 1024;
    private static final int WHOLE = 16 * 1024;

    static PromptKey of(ChatRequest request) {
        StringBuilder text = new StringBuilder();
        for (Tool tool : request.getToolsList()) {
            add(text, tool.getName());
            add(text, tool.getDescription());
            add(text, tool.getParametersSchema());
        }
        for (ChatMessage message : request.getMessagesList()) {
            add(text, message.getRole());
            for (ContentPart part : message.getContentList()) {
                add(text, part.getText());
            }
            if (message.getRole().equals("user")) {
                break;
            }
        }
        return of(request.getModel(), request.getLoraList(), text);
    }

    /** A prompt that grows at its end as a whole has its beginning only. */
    static PromptKey of(GenerateRequest request) {
        StringBuilder text = new StringBuilder();
        add(text, request.getText());
        request.getTokens().getIdsList().stream().limit(BEGINNING).forEach(id -> text.append((char) id.intValue()));
        text.setLength(Math.min(BEGINNING, text.length()));
        return of(request.getModel(), request.getLoraList(), text);
    }

    private static PromptKey of(String model, List<AdapterUse> adapters, CharSequence text) {
        return new PromptKey(
                hash(model, adapters, text.subSequence(0, Math.min(BEGINNING, text.length()))),
                hash(model, adapters, text));
    }

    private static long hash(String model, List<AdapterUse> adapters, CharSequence text) {
        Hasher hasher = Hashing.murmur3_128().newHasher().putInt(model.length()).putUnencodedChars(model);
        adapters.forEach(adapter -> hasher.putBytes(adapter.toByteArray()));
        return hasher.putUnencodedChars(text).hash().asLong();
    }

    private static void add(StringBuilder text, String more) {
        text.append(more, 0, Math.min(more.length(), WHOLE - text.length())).append('\n');
        text.setLength(Math.min(text.length(), WHOLE));
    }
}
