package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.ResumedChoice;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The beginning of a stream, as a caller has it whose node is gone. */
record BrokenOff(List<GenerationEvent> told) {

    /** All beginnings of a stream behind each of which something is still to come. */
    static List<BrokenOff> everywhere(Answer whole) {
        List<BrokenOff> all = new ArrayList<>();
        List<GenerationEvent> events = whole.events();
        for (int end = 1; end < events.size() - 1; end++) {
            BrokenOff off = new BrokenOff(events.subList(0, end));
            boolean begun = off.told.stream().anyMatch(GenerationEvent::hasAdmitted);
            if (begun && off.choices(whole).size() > off.finished().size()) {
                all.add(off);
            }
        }
        return all;
    }

    ChatRequest goOn(ChatRequest request) {
        ChatRequest.Builder next = request.toBuilder().setResume(resume(Math.max(1, request.getChoices())));
        next.getSamplingBuilder().setSeed(admitted().getSeed());
        return next.build();
    }

    GenerateRequest goOn(GenerateRequest request) {
        GenerateRequest.Builder next = request.toBuilder().setResume(resume(Math.max(1, request.getChoices())));
        next.getSamplingBuilder().setSeed(admitted().getSeed());
        return next.build();
    }

    private Resume resume(int choices) {
        Resume.Builder resume =
                Resume.newBuilder().setModelFingerprint(admitted().getModelFingerprint());
        for (int i = 0; i < choices; i++) {
            ResumedChoice.Builder choice = ResumedChoice.newBuilder().setChoice(i);
            for (Delta delta : kept()) {
                if (delta.getChoice() == i) {
                    choice.addAllTokenIds(delta.getTokenIdsList()).setMirostatMu(delta.getMirostatMu());
                }
            }
            if (!finished().containsKey(i)) {
                resume.addChoices(choice);
            }
        }
        return resume.build();
    }

    private Admitted admitted() {
        return told.stream()
                .filter(GenerationEvent::hasAdmitted)
                .findFirst()
                .orElseThrow()
                .getAdmitted();
    }

    private Map<Integer, Finished> finished() {
        return told.stream()
                .filter(GenerationEvent::hasFinished)
                .map(GenerationEvent::getFinished)
                .collect(Collectors.toMap(Finished::getChoice, finished -> finished));
    }

    private Map<Integer, Finished> choices(Answer whole) {
        return new BrokenOff(whole.events()).finished();
    }

    /** A choice's last delta is worth nothing without its end. */
    private List<Delta> kept() {
        return told.stream()
                .filter(GenerationEvent::hasDelta)
                .map(GenerationEvent::getDelta)
                .filter(delta -> !delta.getFinal() || finished().containsKey(delta.getChoice()))
                .toList();
    }

    /** What a client has that saw this, and then the rest. */
    List<Said> with(Answer rest) {
        List<Delta> deltas = new ArrayList<>(kept());
        deltas.addAll(rest.deltas());
        Map<Integer, Finished> ends = new TreeMap<>(finished());
        ends.putAll(new BrokenOff(rest.events()).finished());
        return said(deltas, ends);
    }

    /** What a client has of an answer that nothing interrupted. */
    static List<Said> said(Answer answer) {
        return said(answer.deltas(), new TreeMap<>(new BrokenOff(answer.events()).finished()));
    }

    private static List<Said> said(List<Delta> deltas, Map<Integer, Finished> ends) {
        return ends.values().stream()
                .map(end -> {
                    List<Delta> own = deltas.stream()
                            .filter(delta -> delta.getChoice() == end.getChoice())
                            .toList();
                    return new Said(
                            own.stream().map(Delta::getContent).collect(Collectors.joining()),
                            own.stream().map(Delta::getReasoning).collect(Collectors.joining()),
                            calls(own),
                            own.stream()
                                    .flatMap(delta -> delta.getLogprobsList().stream())
                                    .map(TokenLogprob::getToken)
                                    .toList(),
                            own.stream().mapToInt(Delta::getTokens).sum(),
                            end.getReasoningTokens(),
                            end.toBuilder().clearReasoningTokens().build());
                })
                .toList();
    }

    /** Calls by their place, with as many headers as came. Ids are drawn anew, so only their number counts. */
    private static Map<Integer, String> calls(List<Delta> deltas) {
        Map<Integer, String> calls = new TreeMap<>();
        for (Delta delta : deltas) {
            for (ToolCallDelta call : delta.getToolCallsList()) {
                String header = call.getId().isEmpty() ? "" : call.getName() + ": ";
                calls.merge(call.getIndex(), header + call.getArguments(), String::concat);
            }
        }
        return calls;
    }

    /** One choice. */
    record Said(
            String content,
            String reasoning,
            Map<Integer, String> calls,
            List<Integer> logprobs,
            int tokens,
            int reasoningTokens,
            Finished end) {}
}
