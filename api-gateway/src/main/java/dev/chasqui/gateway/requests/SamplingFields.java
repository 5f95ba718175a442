package dev.chasqui.gateway.requests;

import dev.chasqui.proto.v1.Dry;
import dev.chasqui.proto.v1.Mirostat;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Xtc;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The fields that say how tokens are chosen: OpenAI's, and those that llama.cpp's server added to them. */
public final class SamplingFields {
    private static final int MOST_BIASES = 1024;
    private static final int MOST_BREAKERS = 64;

    private final Fields fields;
    private final Sampling.Builder sampling = Sampling.newBuilder();

    private SamplingFields(Fields fields) {
        this.fields = fields;
    }

    /** @throws RequestError where one of them is not as it must be */
    public static Sampling parse(Fields fields) {
        SamplingFields parser = new SamplingFields(fields);
        parser.truncation();
        parser.penalties();
        parser.dry();
        parser.xtc();
        parser.mirostat();
        parser.logitBias();
        parser.seed();
        parser.sampling.setIgnoreEos(fields.isTrue("ignore_eos"));
        return parser.sampling.build();
    }

    private void truncation() {
        number("temperature", 0, 2, sampling::setTemperature);
        // -1 is llama.cpp's other word for "off".
        integer("top_k", -1, Integer.MAX_VALUE, k -> sampling.setTopK(Math.max(0, k)));
        number("top_p", 0, 1, sampling::setTopP);
        number("min_p", 0, 1, sampling::setMinP);
        number("typical_p", 0, 1, sampling::setTypicalP);
    }

    private void penalties() {
        number("repetition_penalty", Float.MIN_NORMAL, 10, sampling::setRepeatPenalty);
        number("repeat_penalty", Float.MIN_NORMAL, 10, sampling::setRepeatPenalty);
        number("frequency_penalty", -2, 2, sampling::setFrequencyPenalty);
        number("presence_penalty", -2, 2, sampling::setPresencePenalty);
        integer("repeat_last_n", -1, Integer.MAX_VALUE, sampling::setPenaltyLastN);
    }

    private void dry() {
        Dry.Builder dry = Dry.newBuilder();
        number("dry_multiplier", 0, 100, dry::setMultiplier);
        number("dry_base", 1, 100, dry::setBase);
        integer("dry_allowed_length", 0, Integer.MAX_VALUE, dry::setAllowedLength);
        integer("dry_penalty_last_n", -1, Integer.MAX_VALUE, n -> dry.setLastN(Math.max(0, n)));
        List<JsonNode> breakers = fields.array("dry_sequence_breakers", MOST_BREAKERS);
        for (int i = 0; i < breakers.size(); i++) {
            if (!breakers.get(i).isString()) {
                throw fields.bad("dry_sequence_breakers[" + i + "]", breakers.get(i), "a string");
            }
            dry.addSequenceBreakers(breakers.get(i).stringValue());
        }
        if (dry.getMultiplier() > 0) {
            sampling.setDry(dry);
        }
    }

    private void xtc() {
        Xtc.Builder xtc = Xtc.newBuilder();
        number("xtc_probability", 0, 1, xtc::setProbability);
        number("xtc_threshold", 0, 1, xtc::setThreshold);
        if (xtc.getProbability() > 0) {
            sampling.setXtc(xtc);
        }
    }

    private void mirostat() {
        Mirostat.Builder mirostat = Mirostat.newBuilder();
        integer("mirostat", 0, 2, mirostat::setVersion);
        number("mirostat_tau", 0, 100, mirostat::setTau);
        number("mirostat_eta", 0, 1, mirostat::setEta);
        if (mirostat.getVersion() > 0) {
            sampling.setMirostat(mirostat);
        }
    }

    /** OpenAI's object from token to bias, or llama.cpp's array of pairs, where {@code false} bans a token. */
    private void logitBias() {
        JsonNode value = fields.any("logit_bias");
        if (value == null) {
            return;
        }
        if (value.size() > MOST_BIASES) {
            throw RequestError.badValue(
                    "logit_bias", value.size() + " entries (expected: at most " + MOST_BIASES + ")");
        }
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> entry : value.properties()) {
                bias(entry.getKey(), entry.getValue());
            }
        } else if (value.isArray()) {
            for (JsonNode pair : value.values()) {
                if (!pair.isArray() || pair.size() != 2 || !pair.get(0).isIntegralNumber()) {
                    throw fields.bad("logit_bias", pair, "pairs of a token and a bias");
                }
                bias(pair.get(0).toString(), pair.get(1));
            }
        } else {
            throw fields.bad("logit_bias", value, "an object from token to bias");
        }
    }

    private void bias(String token, JsonNode bias) {
        int id;
        try {
            id = Integer.parseInt(token);
        } catch (NumberFormatException e) {
            id = -1;
        }
        if (id < 0) {
            throw RequestError.badValue(
                    "logit_bias",
                    (token.length() < 20 ? "\"" + token + "\"" : "a long key") + " (expected: the number of a token)");
        }
        boolean banned = bias.isBoolean() && !bias.booleanValue();
        double number = banned ? Double.NEGATIVE_INFINITY : bias.isNumber() ? bias.doubleValue() : Double.NaN;
        if (!banned && !(Math.abs(number) <= 100)) {
            throw fields.bad("logit_bias." + id, bias, "-100 to 100");
        }
        sampling.putLogitBias(id, (float) number);
    }

    /** Any whole number is a seed; -1 is llama.cpp's word for a random one. */
    private void seed() {
        Long seed = fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        if (seed != null && seed != -1) {
            boolean fits = seed >>> 32 == 0;
            sampling.setSeed(fits ? seed.intValue() : (int) (seed ^ seed >>> 32));
        }
    }

    private void number(String name, double least, double most, Consumer<Float> set) {
        @Nullable Float value = fields.number(name, least, most);
        if (value != null) {
            set.accept(value);
        }
    }

    private void integer(String name, long least, long most, IntConsumer set) {
        @Nullable Long value = fields.integer(name, least, most);
        if (value != null) {
            set.accept(value.intValue());
        }
    }
}
