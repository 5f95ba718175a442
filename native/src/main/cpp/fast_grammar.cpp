#include "fast_grammar.h"
#include "grammar_states.h"

#include "common.h"
#include "llama_sampler_grammar.h" // taken from llama.cpp's source by the build

#include <algorithm>
#include <cmath>
#include <mutex>

namespace {

// --- the vocabulary as characters ---------------------------------------------------------------------------------------

struct decoded {
    std::vector<uint32_t> characters;
    llama_partial_utf8    partial = { 0, 0 }; // how it goes on after them; n_remain -1: it is no text
};

// As llama.cpp reads a piece behind the first bytes of a character.
decoded decode(const std::string & piece, llama_partial_utf8 begun) {
    static const int lengths[] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4 }; // by a first byte's upper half
    decoded out;
    size_t   at    = 0;
    uint32_t value = begun.value;
    int      left  = begun.n_remain;
    auto next = [&] { return at < piece.size() ? (uint8_t) piece[at] : (uint8_t) 0; };
    while (next() != 0 && left > 0) {
        if (next() >> 6 != 2) return { {}, { 0, -1 } };
        value = (value << 6) + (next() & 0x3F);
        ++at;
        --left;
    }
    if (begun.n_remain > 0 && left == 0) out.characters.push_back(value);
    while (next() != 0) {
        left = lengths[next() >> 4] - 1;
        if (left < 0) return { {}, { 0, -1 } };
        value = next() & ((1u << (7 - left)) - 1);
        ++at;
        for (; next() != 0 && left > 0; ++at, --left) value = (value << 6) + (next() & 0x3F);
        if (left == 0) out.characters.push_back(value);
    }
    out.partial = { value, left };
    return out;
}

// Every token's text, those with a common beginning side by side.
struct pieces {
    struct entry {
        llama_token        token;
        size_t             from, to; // in characters
        size_t             common;   // characters that it begins with as the entry before
        llama_partial_utf8 partial;
    };

    const llama_vocab *      vocab;
    std::vector<std::string> texts;
    std::vector<uint32_t>    characters;
    std::vector<entry>       sorted; // but for those without a text

    explicit pieces(const llama_vocab * vocab) : vocab(vocab) {
        int32_t n = llama_vocab_n_tokens(vocab);
        for (llama_token t = 0; t < n; ++t) {
            texts.push_back(common_token_to_piece(vocab, t, true));
            if (texts.back().empty() || texts.back()[0] == 0) continue;
            decoded d = decode(texts.back(), { 0, 0 });
            sorted.push_back({ t, characters.size(), characters.size() + d.characters.size(), 0, d.partial });
            characters.insert(characters.end(), d.characters.begin(), d.characters.end());
        }
        auto begin = [&](size_t at) { return characters.begin() + (ptrdiff_t) at; };
        std::sort(sorted.begin(), sorted.end(), [&](const entry & a, const entry & b) {
            return std::lexicographical_compare(begin(a.from), begin(a.to), begin(b.from), begin(b.to));
        });
        for (size_t i = 1; i < sorted.size(); ++i) {
            const entry & a = sorted[i - 1];
            entry &       b = sorted[i];
            size_t most = std::min(a.to - a.from, b.to - b.from);
            while (b.common < most && characters[a.from + b.common] == characters[b.from + b.common]) ++b.common;
        }
    }
};

std::mutex                                                                lock; // of the two tables
std::unordered_map<const llama_vocab *, std::shared_ptr<const pieces>>    pieces_of;

std::shared_ptr<const pieces> find_pieces(const llama_vocab * vocab) {
    {
        std::lock_guard<std::mutex> held(lock);
        auto at = pieces_of.find(vocab);
        if (at != pieces_of.end()) return at->second;
    }
    auto made = std::make_shared<const pieces>(vocab);
    std::lock_guard<std::mutex> held(lock);
    return pieces_of.try_emplace(vocab, made).first->second;
}

// --- a sampler ----------------------------------------------------------------------------------------------------------

constexpr size_t FEW = 64; // candidates that are looked at one by one

class follower {
  public:
    explicit follower(llama_grammar & grammar) : grammar(grammar), all(find_pieces(grammar.vocab)), states(grammar.rules, grammar.stacks) {}

    void apply(llama_token_data_array * candidates) {
        states.begin_turn();
        bool one_by_one = candidates->size < FEW || grammar.partial_utf8.n_remain != 0;
        if (!one_by_one) look_at_all();
        for (size_t i = 0; i < candidates->size; ++i) {
            llama_token_data & candidate = candidates->data[i];
            bool may = one_by_one ? behind(candidate.id).may : allowed[(size_t) candidate.id] != 0;
            if (llama_vocab_is_eog(grammar.vocab, candidate.id)) may = states.may_end(states.current());
            if (!may) candidate.logit = -INFINITY;
        }
    }

    void accept(llama_token token) {
        states.begin_turn();
        if (llama_vocab_is_eog(grammar.vocab, token)) {
            if (!states.may_end(states.current())) throw std::runtime_error("the grammar does not end here");
            return;
        }
        place to = behind(token);
        if (!to.may) throw std::runtime_error("the grammar does not allow this token");
        states.accept(to.state);
        grammar.partial_utf8 = to.partial;
    }

    // llama.cpp's own books, as they would be.
    void write_back() { grammar.stacks = states.stacks(); }

  private:
    struct place {
        bool                  may = false;
        grammar_states::state state = grammar_states::DEAD;
        llama_partial_utf8    partial = { 0, 0 };
    };

    place behind(llama_token token) {
        grammar_states::state from = states.current();
        const std::string & text = all->texts[(size_t) token];
        if (text.empty() || text[0] == 0) return {};
        if (states.names_tokens(from)) {
            grammar_states::state named = states.step_token(from, token);
            if (named != grammar_states::DEAD) return { true, named, { 0, 0 } };
        }
        decoded d = decode(text, grammar.partial_utf8);
        for (uint32_t c : d.characters) {
            from = states.step(from, c);
            if (from == grammar_states::DEAD) return {};
        }
        if (d.partial.n_remain != 0) from = states.begin_character(from, d.partial);
        return { from != grammar_states::DEAD, from, d.partial };
    }

    // Each character of a beginning that tokens have in common is taken once.
    void look_at_all() {
        allowed.assign(all->texts.size(), 0);
        path.assign(1, states.current());
        bool named = states.names_tokens(states.current());
        for (const auto & e : all->sorted) {
            path.resize(std::min(e.common, path.size() - 1) + 1);
            while (path.back() != grammar_states::DEAD && path.size() <= e.to - e.from) {
                path.push_back(states.step(path.back(), all->characters[e.from + path.size() - 1]));
            }
            bool may = path.back() != grammar_states::DEAD;
            if (may && e.partial.n_remain != 0) may = states.begin_character(path.back(), e.partial) != grammar_states::DEAD;
            if (!may && named) may = states.step_token(states.current(), e.token) != grammar_states::DEAD;
            allowed[(size_t) e.token] = may;
        }
    }

    llama_grammar &                    grammar;
    std::shared_ptr<const pieces>      all;
    grammar_states                     states;
    std::vector<uint8_t>               allowed; // by token
    std::vector<grammar_states::state> path;    // behind each character of the entry at hand
};

std::unordered_map<const void *, std::unique_ptr<follower>> followers; // by sampler

llama_grammar * grammar_of(const llama_sampler * s) { return static_cast<llama_sampler_grammar *>(s->ctx)->grammar; }

follower & follower_of(const llama_sampler * s) {
    {
        std::lock_guard<std::mutex> held(lock);
        auto at = followers.find(s->ctx);
        if (at != followers.end()) return *at->second;
    }
    auto made = std::make_unique<follower>(*grammar_of(s));
    std::lock_guard<std::mutex> held(lock);
    return *(followers[s->ctx] = std::move(made));
}

void forget_follower(const llama_sampler * s) {
    std::lock_guard<std::mutex> held(lock);
    followers.erase(s->ctx);
}

llama_sampler_i own; // llama.cpp's functions

void apply(llama_sampler * s, llama_token_data_array * candidates) {
    if (grammar_of(s) && !grammar_of(s)->awaiting_trigger) follower_of(s).apply(candidates);
}

// Until it is triggered llama.cpp looks for what triggers it, and then takes what came since.
void accept(llama_sampler * s, llama_token token) {
    if (!grammar_of(s)) return;
    if (grammar_of(s)->awaiting_trigger) own.accept(s, token); else follower_of(s).accept(token);
}

void reset(llama_sampler * s) {
    forget_follower(s);
    own.reset(s);
}

llama_sampler * clone(const llama_sampler * s) {
    if (grammar_of(s) && !grammar_of(s)->awaiting_trigger) follower_of(s).write_back();
    return own.clone(s);
}

void free_sampler(llama_sampler * s) {
    forget_follower(s);
    own.free(s);
}

// All grammar samplers share one table of functions, which their owner lets others write to.
void take_over(const llama_vocab * vocab) {
    llama_sampler * any = llama_sampler_init_grammar(vocab, "root ::= \"a\"", "root");
    if (!any) throw failure(reason::internal, "cannot make a sampler with a grammar");
    own = *any->iface;
    any->iface->accept = accept;
    any->iface->apply  = apply;
    any->iface->reset  = reset;
    any->iface->clone  = clone;
    any->iface->free   = free_sampler;
    llama_sampler_free(any);
}

} // namespace

void prepare_grammars(const llama_vocab * vocab) {
    static std::once_flag once;
    std::call_once(once, take_over, vocab);
    find_pieces(vocab);
}

void forget_pieces(const llama_vocab * vocab) {
    std::lock_guard<std::mutex> held(lock);
    pieces_of.erase(vocab);
}
