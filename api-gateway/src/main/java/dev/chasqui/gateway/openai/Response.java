package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.Usage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import tools.jackson.databind.JsonNode;

/** A response as it grows, and as it is kept. The event loop owns it. */
final class Response {
    /** Told how the output grows, item by item. */
    interface Growth {
        /** For whom nobody waits. */
        Growth UNSEEN = new Growth() {
            @Override
            public void began(int index, ResponseItem item) {}

            @Override
            public void grew(String more, List<TokenLogprob> logprobs) {}

            @Override
            public void ended(int index, ResponseItem item, String status) {}
        };

        void began(int index, ResponseItem item);

        /** The item that began last. */
        void grew(String more, List<TokenLogprob> logprobs);

        void ended(int index, ResponseItem item, String status);
    }

    private static final List<TokenLogprob> NONE = List.of();
    private static final String[] REPEATED = {
        "instructions",
        "max_output_tokens",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "store",
        "temperature",
        "text",
        "truncation",
        "tool_choice",
        "tools",
        "top_p",
        "top_logprobs",
        "metadata",
        "user"
    };
    private static final String[] UNSAID = {
        "null",
        "null",
        "true",
        "null",
        "{\"effort\":null,\"summary\":null}",
        "true",
        "null",
        "{\"format\":{\"type\":\"text\"}}",
        "\"disabled\"",
        "\"auto\"",
        "[]",
        "null",
        "0",
        "{}",
        "null"
    };

    private final String id;
    private final long created;
    private final boolean background;
    private final byte[] repeated;
    /** With what came before, without instructions. */
    private final List<ChatMessage> conversation;

    /** What was told of it, for those who ask again; null where it is not kept. */
    private final @Nullable ResponseEvents events;

    private final List<ResponseItem> items = new ArrayList<>();
    private final Sinks.Empty<Void> cancelled = Sinks.empty();
    private String status = "in_progress";
    private String model;
    private boolean cut;
    private Completed completed = Completed.getDefaultInstance();
    private @Nullable OpenAiError error;
    private long bytes;
    private int leftOut;

    /**
     * @param id of the response
     * @param created seconds since 1970
     * @param conversation what goes to the model, without instructions
     */
    Response(String id, long created, ResponseRequest request, List<ChatMessage> conversation) {
        this.id = id;
        this.created = created;
        this.background = request.background();
        this.repeated = repeated(request.body());
        this.conversation = conversation;
        // Until a node takes it, the name that was asked for.
        this.model = request.body().path("model").asString("");
        this.events = request.background() && request.stream() ? new ResponseEvents() : null;
        bytes = repeated.length;
        conversation.forEach(message -> bytes += message.getSerializedSize());
    }

    private static byte[] repeated(JsonNode body) {
        JsonBytes out = new JsonBytes(256);
        for (int i = 0; i < REPEATED.length; i++) {
            JsonNode value = body.get(REPEATED[i]);
            String text = value == null || value.isNull() ? UNSAID[i] : value.toString();
            out.raw(",\"").raw(REPEATED[i]).raw("\":").raw(text.getBytes(StandardCharsets.UTF_8));
        }
        return out.toArray();
    }

    String id() {
        return id;
    }

    /** What came before it, without instructions; the model was given all but what was left out. */
    List<ChatMessage> conversation() {
        return conversation;
    }

    /** How many of the oldest messages the model was not given. */
    int leftOut() {
        return leftOut;
    }

    void leaveOut(int messages) {
        leftOut = messages;
    }

    /** What it says, as far as it is. */
    List<ResponseItem> items() {
        return items;
    }

    /** What is told of it, from the first on; null where nobody can ask for it. */
    @Nullable
    ResponseEvents events() {
        return events;
    }

    /** Keeps what is told of it. */
    void keep(JsonBytes told) {
        if (events != null) {
            events.add(told);
            bytes += told.size();
        }
    }

    /** Memory that it takes, about. */
    long bytes() {
        return bytes;
    }

    boolean isRunning() {
        return status.equals("in_progress");
    }

    /** Comes when somebody does not want it any more. */
    Mono<Void> cancelled() {
        return cancelled.asMono();
    }

    boolean isCancelled() {
        return status.equals("cancelled");
    }

    void cancel() {
        if (isRunning()) {
            status = "cancelled";
            cancelled.tryEmitEmpty();
        }
    }

    void fail(Throwable failure) {
        if (isRunning()) {
            status = "failed";
            error = OpenAiError.of(failure);
        }
    }

    /** @param growth told of what the event adds to the output */
    void add(GenerationEvent event, Growth growth) {
        switch (event.getEventCase()) {
            case ADMITTED -> model = event.getAdmitted().getModel();
            case DELTA -> add(event.getDelta(), growth);
            case FINISHED -> cut = event.getFinished().getReason() == FinishReason.FINISH_REASON_LENGTH;
            case COMPLETED -> complete(event.getCompleted(), growth);
            case PROGRESS, EVENT_NOT_SET -> {}
        }
    }

    private void complete(Completed end, Growth growth) {
        completed = end;
        status = cut ? "incomplete" : "completed";
        ResponseItem last = last();
        if (last != null) {
            growth.ended(items.size() - 1, last, status);
        }
    }

    private void add(Delta delta, Growth growth) {
        if (!delta.getReasoning().isEmpty()) {
            ResponseItem last = last();
            boolean open = last != null && last.kind == ResponseItem.Kind.REASONING;
            grow(open ? last : begin(ResponseItem.reasoning(), growth), delta.getReasoning(), NONE, growth);
        }
        // The tokens of thoughts and calls have probabilities too, but no place for them.
        boolean alone = delta.getReasoning().isEmpty() && delta.getToolCallsCount() == 0;
        List<TokenLogprob> logprobs = alone ? delta.getLogprobsList() : NONE;
        if (!delta.getContent().isEmpty() || !logprobs.isEmpty()) {
            ResponseItem last = last();
            boolean open = last != null && last.kind == ResponseItem.Kind.MESSAGE;
            grow(open ? last : begin(ResponseItem.message(), growth), delta.getContent(), logprobs, growth);
        }
        for (ToolCallDelta piece : delta.getToolCallsList()) {
            ResponseItem last = last();
            boolean open = last != null && last.call == piece.getIndex();
            ResponseItem call =
                    open ? last : begin(ResponseItem.call(piece.getIndex(), piece.getId(), piece.getName()), growth);
            grow(call, piece.getArguments(), NONE, growth);
        }
    }

    private ResponseItem begin(ResponseItem item, Growth growth) {
        ResponseItem last = last();
        if (last != null) {
            growth.ended(items.size() - 1, last, "completed");
        }
        items.add(item);
        growth.began(items.size() - 1, item);
        return item;
    }

    private void grow(@Nullable ResponseItem item, String more, List<TokenLogprob> logprobs, Growth growth) {
        if (item != null && !(more.isEmpty() && logprobs.isEmpty())) {
            item.add(more, logprobs);
            bytes += 2L * more.length();
            logprobs.forEach(token -> bytes += token.getSerializedSize());
            growth.grew(more, logprobs);
        }
    }

    private @Nullable ResponseItem last() {
        return items.isEmpty() ? null : items.get(items.size() - 1);
    }

    /** Whether the answer was cut by its length. */
    boolean isCut() {
        return cut;
    }

    /** The conversation with this answer at its end, for a response that goes on from it. */
    List<ChatMessage> conversationAfter() {
        ChatMessage.Builder said = ChatMessage.newBuilder().setRole("assistant");
        for (ResponseItem item : items) {
            switch (item.kind) {
                case REASONING -> said.setReasoning(said.getReasoning() + item.text());
                case MESSAGE -> said.addContent(ContentPart.newBuilder().setText(item.text()));
                case CALL ->
                    said.addToolCalls(ToolCall.newBuilder()
                            .setId(item.callId())
                            .setName(item.name())
                            .setArguments(item.text()));
            }
        }
        List<ChatMessage> after = new ArrayList<>(conversation);
        if (!items.isEmpty()) {
            after.add(said.build());
        }
        return after;
    }

    /** The whole of it, as far as it is. */
    JsonBytes write(JsonBytes out) {
        out.raw("{\"id\":")
                .string(id)
                .raw(",\"object\":\"response\",\"created_at\":")
                .number(created);
        out.raw(",\"status\":\"").raw(status).raw("\",\"background\":").raw(background ? "true" : "false");
        out.raw(",\"error\":");
        if (error == null) {
            out.raw("null");
        } else {
            String code = error.code() == null ? "server_error" : error.code();
            out.raw("{\"code\":")
                    .string(code)
                    .raw(",\"message\":")
                    .string(error.message())
                    .raw("}");
        }
        out.raw(",\"incomplete_details\":")
                .raw(status.equals("incomplete") ? "{\"reason\":\"max_output_tokens\"}" : "null");
        out.raw(",\"model\":").string(model).raw(",\"output\":[");
        for (int i = 0; i < items.size(); i++) {
            items.get(i).write(out.raw(i == 0 ? "" : ","), itemStatus(i));
        }
        out.raw("]").raw(repeated).raw(",\"usage\":");
        if (completed.hasUsage()) {
            usage(out, completed.getUsage());
        } else {
            out.raw("null");
        }
        return out.raw("}");
    }

    /** Only the last item can be less than whole. */
    private String itemStatus(int index) {
        boolean whole = index < items.size() - 1 || status.equals("completed");
        return whole ? "completed" : "incomplete";
    }

    private static void usage(JsonBytes out, Usage usage) {
        int input = usage.getPromptTokens();
        int output = usage.getCompletionTokens();
        out.raw("{\"input_tokens\":").number(input);
        out.raw(",\"input_tokens_details\":{\"cached_tokens\":").number(usage.getCachedTokens());
        out.raw(",\"cache_write_tokens\":0},\"output_tokens\":").number(output);
        out.raw(",\"output_tokens_details\":{\"reasoning_tokens\":").number(usage.getReasoningTokens());
        out.raw("},\"total_tokens\":").number(input + output).raw("}");
    }
}
