package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;

/** Writes an answer in one piece. No I/O, no clock. */
final class ChatCompletionBody {
    private ChatCompletionBody() {}

    /**
     * All of it.
     *
     * @param reasoningField where it tells what the model thought
     * @param words for calls of tools
     * @param logprobs whether they were asked for
     */
    static byte[] encode(
            Heading heading, String reasoningField, CallWords words, boolean logprobs, CollectedAnswer answer) {
        JsonBytes out = heading.write(new JsonBytes(1024), "chat.completion", answer.model());
        for (int i = 0; i < answer.choices().size(); i++) {
            out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(i).raw(",\"message\":");
            choice(out, reasoningField, words, logprobs, answer.choices().get(i));
            out.raw("}");
        }
        out.raw("],\"usage\":");
        AnswerParts.usage(out, answer.usage());
        out.raw(",\"timings\":");
        AnswerParts.timings(out, answer.usage(), answer.timings());
        return out.raw("}").toArray();
    }

    private static void choice(
            JsonBytes out, String reasoningField, CallWords words, boolean logprobs, CollectedAnswer.Choice choice) {
        out.raw("{\"role\":\"assistant\",\"content\":");
        if (choice.content().isEmpty() && !choice.calls().isEmpty()) {
            out.raw("null");
        } else {
            out.string(choice.content());
        }
        out.raw(",\"refusal\":null");
        if (!choice.reasoning().isEmpty()) {
            out.raw(",\"").raw(reasoningField).raw("\":").string(choice.reasoning());
        }
        words.write(out, choice.calls());
        out.raw("},\"logprobs\":");
        if (!logprobs) {
            out.raw("null");
        } else {
            out.raw("{\"content\":[");
            AnswerParts.logprobs(out, choice.logprobs());
            out.raw("],\"refusal\":null}");
        }
        out.raw(",\"finish_reason\":").string(words.finishReason(choice.reason()));
    }
}
