// Samplers: the fast one where it can do what is asked, else llama.cpp's own with grammars and all.
#include "draws.h"
#include "fast_grammar.h"
#include "fast_sampler.h"
#include "guard_grammar.h"
#include "internal.h"

#include "common.h"
#include "sampling.h"

#include <algorithm>
#include <cmath>
#include <optional>

struct cq_sampler {
    const cq_model *            model = nullptr;
    common_params_sampling      params;
    draws                       numbers{ 0 };
    std::optional<fast_sampler> fast;
    common_sampler_ptr          chain; // where fast is absent
    std::string                 failed; // an error text, with its reason's letter
};

namespace {

enum number { SEED, TEMPERATURE, TOP_K, TOP_P, MIN_P, TYPICAL_P, REPEAT, FREQUENCY, PRESENCE, LAST_N, DRY_MULTIPLIER, DRY_BASE, DRY_ALLOWED,
              DRY_LAST_N, XTC_PROBABILITY, XTC_THRESHOLD, MIROSTAT, MIROSTAT_TAU, MIROSTAT_ETA, IGNORE_EOS, REASONING_BUDGET, CHAIN, NUMBERS };

int32_t checked_token(const cq_model * model, int32_t token, const char * what) {
    if (token < 0 || token >= model->n_vocab) {
        refuse(std::string(what) + ": " + std::to_string(token) + " (expected: 0 to " + std::to_string(model->n_vocab - 1) + ")");
    }
    return token;
}

// Against the end of an answer that is not to end by itself. Finite, so that a form that is complete and lets nothing follow can still end.
constexpr float HARDLY_EVER = -1e9f;

std::vector<llama_logit_bias> read_biases(const json & o, bool ignore_eos, const cq_model * model) {
    std::vector<llama_logit_bias> out;
    json pairs = value_of(o, "logit_bias");
    for (size_t i = 0; pairs.is_array() && i + 1 < pairs.size(); i += 2) {
        float bias = pairs.at(i + 1).is_null() ? -INFINITY : pairs.at(i + 1).get<float>();
        out.push_back({ checked_token(model, pairs.at(i).get<int>(), "logit_bias"), bias });
    }
    if (ignore_eos) {
        for (llama_token t = 0; t < model->n_vocab; ++t) {
            if (model->flags[(size_t) t] & END_OF_GENERATION) out.push_back({ t, HARDLY_EVER });
        }
    }
    return out;
}

void read_triggers(const json & syntax, const cq_model * model, common_params_sampling & p) {
    json all = value_of(syntax, "triggers");
    for (size_t i = 0; all.is_array() && i < all.size(); ++i) {
        common_grammar_trigger t;
        int type = value_or<int>(all.at(i), "type", -1);
        if (type < 0 || type > COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL) refuse("syntax: unknown trigger");
        t.type  = (common_grammar_trigger_type) type;
        t.value = value_or<std::string>(all.at(i), "value", "");
        t.token = value_or<int>(all.at(i), "token", LLAMA_TOKEN_NULL);
        if (t.type == COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN) checked_token(model, t.token, "trigger");
        p.grammar_triggers.push_back(t);
    }
    if (p.grammar_lazy && p.grammar_triggers.empty()) refuse("syntax: a lazy grammar without triggers");
}

void read_thinking(const json & syntax, const cq_model * model, common_params_sampling & p) {
    std::string start = value_or<std::string>(syntax, "thinking_start", "");
    json ends = value_of(syntax, "thinking_ends");
    if (start.empty() || !ends.is_array() || ends.size() == 0) return;
    p.reasoning_budget_start = tokenize(model->vocab, start, false, true);
    for (size_t i = 0; i < ends.size(); ++i) p.reasoning_budget_end.push_back(tokenize(model->vocab, ends.at(i).get<std::string>(), false, true));
    p.reasoning_budget_forced = p.reasoning_budget_end.front();
}

void read_grammar(const json & o, const cq_model * model, common_params_sampling & p) {
    json syntax = value_of(o, "syntax");
    std::string grammar = value_or<std::string>(o, "grammar", "");
    auto kind = COMMON_GRAMMAR_TYPE_USER;
    if (grammar.empty()) {
        grammar = value_or<std::string>(syntax, "grammar", "");
        if (value_or<std::string>(syntax, "grammar_kind", "user") != "user") kind = COMMON_GRAMMAR_TYPE_TOOL_CALLS;
        if (!grammar.empty()) {
            p.grammar_lazy = value_or<bool>(syntax, "grammar_lazy", false);
            read_triggers(syntax, model, p);
            json preserved = value_of(syntax, "preserved");
            for (size_t i = 0; preserved.is_array() && i < preserved.size(); ++i) {
                p.preserved_tokens.insert(checked_token(model, preserved.at(i).get<int>(), "preserved"));
            }
        }
    }
    p.generation_prompt = value_or<std::string>(syntax, "generation_prompt", "");
    if (grammar.empty()) return;
    check_grammar(grammar, model->vocab);
    p.grammar = common_grammar(kind, grammar);
}

common_params_sampling read_numbers(const double * n) {
    common_params_sampling p;
    p.seed                    = (uint32_t) n[SEED];
    p.temp                    = (float) n[TEMPERATURE];
    p.top_k                   = (int32_t) n[TOP_K];
    p.top_p                   = (float) n[TOP_P];
    p.min_p                   = (float) n[MIN_P];
    p.typ_p                   = (float) n[TYPICAL_P];
    p.penalty_repeat          = (float) n[REPEAT];
    p.penalty_freq            = (float) n[FREQUENCY];
    p.penalty_present         = (float) n[PRESENCE];
    p.penalty_last_n          = (int32_t) n[LAST_N];
    p.dry_multiplier          = (float) n[DRY_MULTIPLIER];
    p.dry_base                = (float) n[DRY_BASE];
    p.dry_allowed_length      = (int32_t) n[DRY_ALLOWED];
    p.dry_penalty_last_n      = (int32_t) n[DRY_LAST_N];
    p.xtc_probability         = (float) n[XTC_PROBABILITY];
    p.xtc_threshold           = (float) n[XTC_THRESHOLD];
    p.mirostat                = (int32_t) n[MIROSTAT];
    p.mirostat_tau            = (float) n[MIROSTAT_TAU];
    p.mirostat_eta            = (float) n[MIROSTAT_ETA];
    p.reasoning_budget_tokens = (int32_t) n[REASONING_BUDGET];
    p.no_perf                 = true;
    if (p.mirostat < 0 || p.mirostat > 2) refuse("mirostat: " + std::to_string(p.mirostat) + " (expected: 0 to 2)");
    if (p.top_k < 0 || p.penalty_last_n < 0 || p.dry_penalty_last_n < 0 || !(p.temp >= 0)) refuse("sampling: a value out of range");
    return p;
}

void read_more(const json & o, const cq_model * model, common_params_sampling & p) {
    json breakers = value_of(o, "dry_breakers");
    if (breakers.is_array()) {
        p.dry_sequence_breakers.clear();
        for (size_t i = 0; i < breakers.size(); ++i) p.dry_sequence_breakers.push_back(breakers.at(i).get<std::string>());
    }
    read_grammar(o, model, p);
    read_thinking(value_of(o, "syntax"), model, p);
}

bool needs_chain(const common_params_sampling & p) {
    bool dry = p.dry_multiplier > 0 && p.dry_penalty_last_n > 0;
    bool xtc = p.xtc_probability > 0 && p.xtc_threshold <= 0.5f;
    return !p.grammar.empty() || dry || xtc || p.typ_p < 1 || p.mirostat > 0 || p.reasoning_budget_tokens >= 0;
}

fast_options fast_options_of(const common_params_sampling & p, const cq_model * model) {
    fast_options f;
    f.temperature = p.temp;
    f.top_k       = p.top_k;
    f.top_p       = p.top_p;
    f.min_p       = p.min_p;
    f.repeat      = p.penalty_repeat;
    f.frequency   = p.penalty_freq;
    f.presence    = p.penalty_present;
    f.last_n      = p.penalty_last_n;
    f.biases      = p.logit_bias;
    int32_t n = 0;
    const llama_token * suppressed = llama_vocab_get_suppress_tokens(model->vocab, &n);
    for (int32_t i = 0; i < n; ++i) f.biases.push_back({ suppressed[i], -INFINITY });
    return f;
}

// Accepting a token that a grammar does not allow throws, and the end of text where it wants more would abort the process:
// the chain never offers such a token unless nothing is left, which shows here as a chosen logit of -infinity.
llama_token sample_chain(cq_sampler & s, llama_context * ctx, int32_t row) {
    llama_token token = common_sampler_sample(s.chain.get(), ctx, row);
    auto * candidates = common_sampler_get_candidates(s.chain.get(), false);
    if (token == LLAMA_TOKEN_NULL || candidates->selected < 0 || candidates->size == 0 ||
        !std::isfinite(candidates->data[candidates->selected].logit)) {
        if (!s.params.grammar.empty()) refuse("grammar: no token fits what was written so far (expected: rules by which a text can go on)");
        throw failure(reason::decode_failed, "no token can be chosen: all are banned");
    }
    common_sampler_accept(s.chain.get(), token, true);
    s.numbers.advance();
    return token;
}

llama_token sample_one(cq_context & c, cq_sampler & s, int32_t row) {
    if (s.model != c.model) refuse("sampler: of another model");
    float * logits = logits_of(&c, row);
    if (!s.fast) {
        if (has_nan(logits, c.model->n_vocab)) throw failure(reason::decode_failed, "the logits are no numbers"); // sorting would go astray
        return sample_chain(s, c.ctx, row);
    }
    llama_token token = s.fast->sample(logits, c.model->n_vocab, s.numbers.fraction());
    s.fast->accept(token);
    s.numbers.advance();
    return token;
}

void make_chain(cq_sampler & s) {
    log_capture log; // its messages may name rules
    if (!s.params.grammar.empty()) prepare_grammars(s.model->vocab);
    try {
        s.chain.reset(common_sampler_init(s.model->model, s.params));
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        refuse("grammar: refused (expected: no left recursion, and a beginning that fits the prompt's end)");
    }
    if (!s.chain) refuse("grammar: malformed");
    draw_by_place(common_sampler_get(s.chain.get()), s.params, s.model->n_vocab, s.numbers);
}

void replay(cq_sampler & s, llama_token token) {
    checked_token(s.model, token, "token");
    if (s.model->flags[(size_t) token] & END_OF_GENERATION) refuse("token: one that ends the answer"); // in a grammar it would end the process
    if (s.fast) return s.fast->accept(token);
    try {
        common_sampler_accept(s.chain.get(), token, true);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        refuse("tokens: not an answer that the grammar allows"); // its own message quotes the text
    }
}

std::string letter(reason why, const char * what) { return std::string(1, (char) ('A' + (int) why)) + what; }

} // namespace

float * logits_of(cq_context * context, int32_t row) {
    if (row < 0 || row >= context->rows) {
        refuse("row: " + std::to_string(row) + " (expected: one of the " + std::to_string(context->rows) + " of the last decode)");
    }
    float * logits = llama_get_logits_ith(context->ctx, row);
    if (!logits) refuse("row: " + std::to_string(row) + " (expected: one with output)");
    return logits;
}

CQ_API cq_sampler * cq_sampler_new(const cq_model * model, const double * numbers, int32_t count, const char * more, int32_t length,
                                   char ** error) {
    return guarded<cq_sampler *>(error, nullptr, [&] {
        if (count != NUMBERS) refuse("sampling: " + std::to_string(count) + " numbers (expected: " + std::to_string(NUMBERS) + ")");
        auto s = std::make_unique<cq_sampler>();
        s->model   = checked(model);
        s->params  = read_numbers(checked(numbers));
        s->numbers = draws(s->params.seed);
        json o = length > 0 ? json::parse(std::string(checked(more), (size_t) length)) : json::object();
        if (length > 0) read_more(o, model, s->params);
        s->params.logit_bias = read_biases(o, numbers[IGNORE_EOS] != 0, model);
        if (!needs_chain(s->params) && numbers[CHAIN] == 0) {
            s->fast.emplace(fast_options_of(s->params, model));
            return s.release();
        }
        // Rules that refer to rules that refer to rules are followed by recursion.
        on_large_stack([&] { make_chain(*s); });
        return s.release();
    });
}

CQ_API void cq_sampler_free(cq_sampler * sampler) { delete sampler; }

CQ_API int32_t cq_sampler_accept(cq_sampler * s, int32_t token, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        checked_token(checked(s)->model, token, "token");
        if (s->fast) s->fast->accept(token); else common_sampler_accept(s->chain.get(), token, false);
        return 0;
    });
}

CQ_API int32_t cq_sampler_replay(cq_sampler * s, const int32_t * tokens, int32_t count, float mu, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        checked(s);
        on_large_stack([&] {
            log_capture log; // its messages may name rules
            for (int32_t i = 0; i < count; ++i) replay(*s, tokens[i]);
        });
        s->numbers.advance((size_t) count);
        if (s->params.mirostat > 0) s->numbers.mu = mu;
        return 0;
    });
}

CQ_API float cq_sampler_mu(const cq_sampler * s) { return s ? s->numbers.mu : 0; }

CQ_API char * cq_sampler_failure(cq_sampler * s) {
    return guarded<char *>(nullptr, nullptr, [&]() -> char * { return s && !s->failed.empty() ? copy_text(s->failed) : nullptr; });
}

CQ_API int32_t cq_sample(cq_context * c, int32_t count, cq_sampler * const * samplers, const int32_t * rows, int32_t * out, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        checked(c);
        for (int32_t i = 0; i < count; ++i) {
            cq_sampler & s = *checked(samplers[i]);
            try {
                out[i] = sample_one(*c, s, rows[i]);
            } catch (const failure & e) {
                out[i]   = -1;
                s.failed = letter(e.why, e.what());
            } catch (const std::exception &) {
                out[i]   = -1; // the message of a grammar's exception quotes the text
                s.failed = letter(reason::decode_failed, "the grammar does not allow what was sampled");
            }
        }
        return 0;
    });
}

CQ_API int32_t cq_sampler_probabilities(cq_sampler * s, const float * logits, int32_t count, float * out, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        if (count != checked(s)->model->n_vocab) refuse("logits: " + std::to_string(count));
        if (s->fast) {
            std::vector<float> copy(logits, logits + count);
            s->fast->probabilities(copy.data(), count, out);
            return 0;
        }
        std::vector<llama_token_data> data((size_t) count);
        for (int32_t i = 0; i < count; ++i) data[(size_t) i] = { i, logits[i], 0 };
        llama_token_data_array all = { data.data(), data.size(), -1, false };
        llama_sampler_apply(common_sampler_get(s->chain.get()), &all);
        std::fill(out, out + count, 0.0f);
        for (size_t i = 0; i < all.size; ++i) out[all.data[i].id] = all.data[i].p;
        return 0;
    });
}

CQ_API int32_t cq_logprobs(cq_context * c, int32_t row, int32_t token, int32_t top, int32_t * ids, float * values, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        checked_token(checked(c)->model, token, "token");
        if (top < 0) refuse("top: " + std::to_string(top) + " (expected: 0 or more)");
        return log_probabilities(logits_of(c, row), c->model->n_vocab, token, top, ids, values);
    });
}
