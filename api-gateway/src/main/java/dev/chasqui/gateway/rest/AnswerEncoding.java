package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.conversations.AnswerStep;
import dev.chasqui.gateway.conversations.ConversationJson;
import dev.chasqui.gateway.conversations.Exchange;
import dev.chasqui.gateway.conversations.Message;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the answer of a stored conversation as it is made, in the words of every chat of this interface: start, token,
 * reasoning, done or error; and says which conversation and messages they are.
 */
final class AnswerEncoding implements AnswerEncoder<AnswerStep> {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Exchange exchange;
    private final JsonBytes out = new JsonBytes(256);

    AnswerEncoding(Exchange exchange) {
        this.exchange = exchange;
    }

    @Override
    public JsonBytes encode(AnswerStep step) {
        out.clear();
        if (step instanceof AnswerStep.Text text) {
            return out.raw(text.reasoning() ? "data: {\"type\":\"reasoning\"" : "data: {\"type\":\"token\"")
                    .raw(",\"content\":")
                    .string(text.text())
                    .raw("}\n\n");
        }
        ObjectNode event =
                step instanceof AnswerStep.Started started ? started(started) : ended((AnswerStep.Ended) step);
        return out.raw("data: ")
                .raw(event.toString().getBytes(StandardCharsets.UTF_8))
                .raw("\n\n");
    }

    private ObjectNode started(AnswerStep.Started started) {
        ObjectNode event = JSON.objectNode().put("type", "start");
        event.put("model", started.answer().model()).put("prompt_tokens", started.promptTokens());
        names(event, started.answer(), exchange.question());
        event.set("left_out", ConversationJson.of(started.answer().leftOut()));
        return event;
    }

    private ObjectNode ended(AnswerStep.Ended ended) {
        Message answer = ended.answer();
        boolean failed = answer.status() == Message.Status.FAILED || answer.status() == Message.Status.INTERRUPTED;
        ObjectNode event = JSON.objectNode().put("type", failed ? "error" : "done");
        if (failed) {
            event.put("error", answer.error());
        } else {
            event.put("finish_reason", answer.finishReason().isEmpty() ? "stop" : answer.finishReason());
        }
        event.put("status", answer.status().word()).put("saved", ended.saved());
        names(event, answer, exchange.question());
        event.set("usage", usage(answer));
        return event;
    }

    private static void names(ObjectNode event, Message answer, @Nullable Message question) {
        event.put("conversation_id", answer.conversationId());
        if (question != null) {
            event.put("question_id", question.id());
        }
        event.put("message_id", answer.id());
    }

    private static ObjectNode usage(Message answer) {
        Message.Tally tally = answer.tally();
        return JSON.objectNode()
                .put("prompt_tokens", tally.promptTokens())
                .put("cached_tokens", tally.cachedTokens())
                .put("completion_tokens", tally.completionTokens())
                .put("total_tokens", tally.promptTokens() + tally.completionTokens())
                .put("prompt_ms", tally.promptMs())
                .put("completion_ms", tally.completionMs());
    }

    /** The whole answer, when it has ended: as any chat in one piece, and which conversation and messages these are. */
    static ObjectNode whole(Exchange exchange, Message answer) {
        ObjectNode data = JSON.objectNode().put("model", answer.model());
        ObjectNode message = data.putObject("message").put("role", "assistant").put("content", answer.content());
        if (!answer.reasoning().isEmpty()) {
            message.put("reasoning_content", answer.reasoning());
        }
        data.put("finish_reason", answer.finishReason().isEmpty() ? "stop" : answer.finishReason());
        data.put("status", answer.status().word());
        names(data, answer, exchange.question());
        data.set("usage", usage(answer));
        data.set("left_out", ConversationJson.of(answer.leftOut()));
        return data;
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return JsonEventEncoder.error(out, failure);
    }
}
