package dev.chasqui.node.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.ChatDelta;
import dev.chasqui.llama.ChatParser;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.engine.Completion;
import dev.chasqui.node.engine.TokenChunk;
import dev.chasqui.node.engine.TokenLogprob;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.TopLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns one choice's text into deltas: content, reasoning and tool calls. Text of a prompt whose answers have no such parts
 * goes through as it is; other text goes through llama.cpp's parser, which reads the whole answer again each time, so the
 * longer the answer the larger the portions it gets.
 */
final class DeltaEncoder implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DeltaEncoder.class);
    private static final int PORTIONS = 512;

    private final int choice;
    private final Vocabulary vocabulary;
    private final StringBuilder unparsed = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final @Nullable AnswerTool answerTool;
    private @Nullable ChatParser parser;
    private int parsedLength;
    private final TokenIds tokens = new TokenIds();
    private float learnt;
    private int reasoningTokens;
    private boolean calledTools;

    /**
     * @param form null for text that is never parsed
     * @param answerTool the tool whose call is the answer's text; empty: none
     */
    DeltaEncoder(int choice, Vocabulary vocabulary, @Nullable AnswerForm form, String answerTool) {
        this.choice = choice;
        this.vocabulary = vocabulary;
        this.answerTool = answerTool.isEmpty() ? null : new AnswerTool(answerTool);
        this.parser = form == null || form.plainText() ? null : new ChatParser(form);
    }

    /** Tokens of reasoning so far. */
    int reasoningTokens() {
        return reasoningTokens;
    }

    /**
     * Goes through what another call had told of this answer: the parser, which sees the same pieces as it did there, comes to
     * the same state.
     */
    void replay(List<TokenChunk> chunks) {
        Consumer<GenerationEvent> told = event -> {};
        chunks.forEach(chunk -> encode(new Backlog.Portion(chunk), null, told));
        send(parse(false), false, told);
        tokens.take();
    }

    /** Tells the next tokens of the prompt. */
    void encodePrompt(List<TokenLogprob> part, Consumer<GenerationEvent> out) {
        Delta.Builder delta = Delta.newBuilder().setChoice(choice);
        part.forEach(token -> delta.addPromptLogprobs(logprob(token)));
        out.accept(GenerationEvent.newBuilder().setDelta(delta).build());
    }

    /** @param end null while there is more to come */
    void encode(Backlog.Portion portion, @Nullable Completion end, Consumer<GenerationEvent> out) {
        tokens.add(portion.ids());
        learnt = portion.learnt();
        logprobs.addAll(portion.logprobs());
        unparsed.append(portion.text());
        if (end != null || unparsed.length() > parsedLength / PORTIONS) {
            send(parse(end != null), end != null, out);
        }
        if (end != null) {
            out.accept(GenerationEvent.newBuilder().setFinished(finished(end)).build());
        }
    }

    @Override
    public void close() {
        if (parser != null) {
            parser.close();
            parser = null;
        }
    }

    private Delta.Builder plain() {
        String text = unparsed.toString();
        unparsed.setLength(0);
        return Delta.newBuilder().setContent(text);
    }

    /** What the text that has come means, as one delta: whoever has it has all that its tokens say, or nothing of it. */
    private Delta.Builder parse(boolean last) {
        if (parser == null) {
            return plain();
        }
        String text = unparsed.toString();
        try {
            List<ChatDelta> parts = parser.push(text.getBytes(StandardCharsets.UTF_8), last);
            unparsed.setLength(0);
            parsedLength += text.length();
            List<Delta.Builder> told = parts.stream().map(DeltaEncoder::delta).toList();
            return joined(answerTool == null ? told : answerTool.told(told, last));
        } catch (LlamaException e) {
            // The model broke its own form: what is left goes out as it is, rather than not at all.
            log.warn("an answer does not follow its template's form; the rest of it goes out unparsed");
            close();
            return plain();
        }
    }

    private static Delta.Builder joined(List<Delta.Builder> parts) {
        Delta.Builder all = Delta.newBuilder();
        for (Delta.Builder part : parts) {
            all.setContent(all.getContent() + part.getContent())
                    .setReasoning(all.getReasoning() + part.getReasoning())
                    .addAllToolCalls(part.getToolCallsList());
        }
        return all;
    }

    private static Delta.Builder delta(ChatDelta parsed) {
        Delta.Builder delta = Delta.newBuilder();
        if (parsed.content() != null) {
            delta.setContent(parsed.content());
        }
        if (parsed.reasoning() != null) {
            delta.setReasoning(parsed.reasoning());
        }
        if (parsed.toolIndex() >= 0) {
            ToolCallDelta.Builder call = ToolCallDelta.newBuilder().setIndex(parsed.toolIndex());
            if (parsed.toolId() != null) {
                call.setId(parsed.toolId());
            }
            if (parsed.toolName() != null) {
                call.setName(parsed.toolName());
            }
            if (parsed.toolArguments() != null) {
                call.setArguments(parsed.toolArguments());
            }
            delta.addToolCalls(call);
        }
        return delta;
    }

    /** The delta stands for all tokens that came since the one before. */
    private void send(Delta.Builder delta, boolean last, Consumer<GenerationEvent> out) {
        countReasoning(delta);
        calledTools |= delta.getToolCallsCount() > 0;
        boolean empty =
                delta.getContent().isEmpty() && delta.getReasoning().isEmpty() && delta.getToolCallsCount() == 0;
        if (empty && logprobs.isEmpty() && !(last && tokens.size() > 0)) {
            return;
        }
        finish(delta.setChoice(choice), last);
        out.accept(GenerationEvent.newBuilder().setDelta(delta).build());
    }

    /** A portion may hold more than reasoning: then its tokens count by the share of text. */
    private void countReasoning(Delta.Builder delta) {
        long reasoning = delta.getReasoning().length();
        long all = reasoning + delta.getContent().length();
        for (ToolCallDelta call : delta.getToolCallsList()) {
            all += call.getName().length() + call.getArguments().length();
        }
        if (reasoning > 0) {
            reasoningTokens += Math.round((float) tokens.size() * reasoning / all);
        }
    }

    private void finish(Delta.Builder delta, boolean last) {
        int[] covered = tokens.take();
        delta.setTokens(covered.length).setFinal(last);
        for (int i = 0; !last && i < covered.length; i++) {
            delta.addTokenIds(covered[i]);
        }
        if (!last && learnt != 0) {
            delta.setMirostatMu(learnt);
        }
        for (TokenLogprob logprob : logprobs) {
            delta.addLogprobs(logprob(logprob));
        }
        logprobs.clear();
    }

    private dev.chasqui.proto.v1.TokenLogprob.Builder logprob(TokenLogprob source) {
        dev.chasqui.proto.v1.TokenLogprob.Builder target = dev.chasqui.proto.v1.TokenLogprob.newBuilder()
                .setToken(source.token())
                .setPiece(piece(source.token()))
                .setLogprob(source.logprob());
        for (TokenLogprob.Candidate candidate : source.top()) {
            target.addTop(TopLogprob.newBuilder()
                    .setToken(candidate.token())
                    .setPiece(piece(candidate.token()))
                    .setLogprob(candidate.logprob()));
        }
        return target;
    }

    private ByteString piece(int token) {
        return UnsafeByteOperations.unsafeWrap(vocabulary.piece(token, true));
    }

    private Finished.Builder finished(Completion end) {
        Finished.Builder finished = Finished.newBuilder()
                .setChoice(choice)
                .setCompletionTokens(end.completionTokens())
                .setReasoningTokens(reasoningTokens);
        if (end.stop() != null) {
            finished.setStop(end.stop());
        }
        return finished.setReason(
                switch (end.reason()) {
                    case END_OF_ANSWER ->
                        calledTools ? FinishReason.FINISH_REASON_TOOL_CALLS : FinishReason.FINISH_REASON_STOP;
                    case STOP_STRING -> FinishReason.FINISH_REASON_STOP;
                    case MAX_TOKENS, CONTEXT_FULL -> FinishReason.FINISH_REASON_LENGTH;
                });
    }
}
