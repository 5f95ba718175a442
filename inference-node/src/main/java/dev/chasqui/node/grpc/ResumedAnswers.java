package dev.chasqui.node.grpc;

import dev.chasqui.node.engine.Begun;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.ResumedChoice;
import dev.chasqui.proto.v1.Sampling;
import java.util.HashMap;
import java.util.Map;

/**
 * Where a request begins: anew, or behind what another call had made of it.
 *
 * @param choices by their number; empty: all, from their beginning
 */
record ResumedAnswers(Map<Integer, Choice> choices) {
    static final ResumedAnswers NONE = new ResumedAnswers(Map.of());

    private static final String FIELD = "resume";
    private static final int MOST_AGE_MS = 86_400_000;

    /**
     * One choice.
     *
     * @param learnt by its sampler, behind the last of the tokens
     */
    record Choice(Begun begun, float learnt) {
        private static final Choice NEW = new Choice(Begun.NOTHING, 0);
    }

    /** @param choices that the request wants in all */
    static ResumedAnswers of(Resume resume, Sampling sampling, int choices, LoadedModel model) {
        InvalidRequest.require(
                resume.getModelFingerprint().equals(model.fingerprint()),
                "resume.model_fingerprint",
                "that of another model",
                "that of " + model.name() + " as it is here");
        InvalidRequest.require(sampling.hasSeed(), FIELD, "no sampling.seed", "the seed as in Admitted");
        int age = resume.getAgeMs();
        InvalidRequest.require(
                age >= 0 && age <= MOST_AGE_MS, "resume.age_ms", Integer.toUnsignedString(age), "0 to " + MOST_AGE_MS);
        Map<Integer, Choice> resumed = new HashMap<>();
        for (ResumedChoice choice : resume.getChoicesList()) {
            int number = choice.getChoice();
            InvalidRequest.require(
                    number >= 0 && number < choices,
                    "resume.choices",
                    Integer.toUnsignedString(number),
                    "0 to " + (choices - 1));
            Begun begun = new Begun(tokens(choice, model), age * 1_000_000L);
            boolean again = resumed.put(number, new Choice(begun, choice.getMirostatMu())) != null;
            InvalidRequest.require(!again, "resume.choices", number + " twice", "each choice once");
        }
        InvalidRequest.require(!resumed.isEmpty(), "resume.choices", "none", "at least 1");
        return new ResumedAnswers(resumed);
    }

    private static int[] tokens(ResumedChoice choice, LoadedModel model) {
        int most = model.engine().contextTokens();
        InvalidRequest.require(
                choice.getTokenIdsCount() <= most,
                "resume.choices.token_ids",
                choice.getTokenIdsCount() + " tokens",
                "at most " + most);
        int[] tokens = new int[choice.getTokenIdsCount()];
        for (int i = 0; i < tokens.length; i++) {
            int token = choice.getTokenIds(i);
            boolean fits = token >= 0
                    && token < model.vocabulary().size()
                    && !model.vocabulary().isEndOfGeneration(token);
            InvalidRequest.require(fits, "resume.choices.token_ids", token, "a token that does not end an answer");
            tokens[i] = token;
        }
        return tokens;
    }

    /** Whether a choice is to be answered by this call; else another one has done so. */
    boolean wants(int choice) {
        return choices.isEmpty() || choices.containsKey(choice);
    }

    Choice choice(int number) {
        return choices.getOrDefault(number, Choice.NEW);
    }
}
