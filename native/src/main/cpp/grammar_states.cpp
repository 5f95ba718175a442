#include "grammar_states.h"

#include <algorithm>
#include <map>

namespace {

constexpr size_t MOST_WAYS = 1024;             // stacks of a state
constexpr size_t MOST_WORK = 20 * 1000 * 1000; // of a turn: some tenths of a second
constexpr size_t MOST_KEPT = 1 << 16;          // successors and stacks that are remembered from one turn to the next
constexpr size_t NEW       = 16;               // work that it takes to make one of these
constexpr size_t MOST_CLASSES = 1024;

bool ends(const llama_grammar_element * e) { return e->type == LLAMA_GRETYPE_END || e->type == LLAMA_GRETYPE_ALT; }
bool is_token(const llama_grammar_element * e) { return e->type == LLAMA_GRETYPE_TOKEN || e->type == LLAMA_GRETYPE_TOKEN_NOT; }

bool is_character(const llama_grammar_element * e) {
    return e->type == LLAMA_GRETYPE_CHAR || e->type == LLAMA_GRETYPE_CHAR_NOT || e->type == LLAMA_GRETYPE_CHAR_ANY;
}

// Calls f(least, most) for each range of a class until it is true; returns whether it was.
template <typename F> bool any_range(const llama_grammar_element * e, F && f) {
    do {
        bool range = e[1].type == LLAMA_GRETYPE_CHAR_RNG_UPPER;
        if (f(e->value, range ? e[1].value : e->value)) return true;
        e += range ? 2 : 1;
    } while (e->type == LLAMA_GRETYPE_CHAR_ALT);
    return false;
}

const llama_grammar_element * behind_class(const llama_grammar_element * e) {
    do {
        e += e[1].type == LLAMA_GRETYPE_CHAR_RNG_UPPER ? 2 : 1;
    } while (e->type == LLAMA_GRETYPE_CHAR_ALT);
    return e;
}

// As llama.cpp: what the first bytes of a character may become.
bool fits_partial(const llama_grammar_element * e, llama_partial_utf8 partial) {
    if (partial.n_remain < 0 || (partial.n_remain == 1 && partial.value < 2)) return false;
    if (e->type == LLAMA_GRETYPE_CHAR_ANY) return true;
    uint32_t low  = partial.value << (partial.n_remain * 6);
    uint32_t high = low | ((1u << (partial.n_remain * 6)) - 1);
    if (low == 0 && partial.n_remain == 2) low = 1 << 11;
    if (low == 0 && partial.n_remain == 3) low = 1 << 16;
    bool may = any_range(e, [&](uint32_t least, uint32_t most) { return least <= high && low <= most; });
    return may == (e->type == LLAMA_GRETYPE_CHAR);
}

} // namespace

bool fits(const llama_grammar_element * e, uint32_t c) {
    if (e->type == LLAMA_GRETYPE_CHAR_ANY) return true;
    if (e->type != LLAMA_GRETYPE_CHAR && e->type != LLAMA_GRETYPE_CHAR_NOT) return false;
    return any_range(e, [&](uint32_t least, uint32_t most) { return least <= c && c <= most; }) == (e->type == LLAMA_GRETYPE_CHAR);
}

size_t grammar_states::set_hash::operator()(const std::vector<stack> & set) const {
    size_t hash = set.size();
    for (stack s : set) hash = hash * 1000003 + s;
    return hash;
}

grammar_states::grammar_states(const llama_grammar_rules & rules, const llama_grammar_stacks & stacks) : rules(rules), usual_kinds(USUAL, UNKNOWN) {
    collect_classes();
    forget();
    now = add(stacks);
}

void grammar_states::collect_classes() {
    std::map<std::vector<uint32_t>, const element *> all;
    for (const auto & rule : rules) {
        for (const element & e : rule) {
            if (!is_character(&e)) continue;
            bool single = e.type == LLAMA_GRETYPE_CHAR && behind_class(&e) == &e + 1;
            if (single) literals.insert(e.value);
            if (single) continue;
            std::vector<uint32_t> ranges{ (uint32_t) e.type };
            if (e.type != LLAMA_GRETYPE_CHAR_ANY) {
                any_range(&e, [&](uint32_t least, uint32_t most) {
                    ranges.insert(ranges.end(), { least, most });
                    return false;
                });
            }
            all.try_emplace(std::move(ranges), &e);
        }
    }
    for (const auto & one : all) classes.push_back(one.second);
    if (classes.size() > MOST_CLASSES) {
        refuse("grammar: " + std::to_string(classes.size()) + " classes of characters (expected: at most " + std::to_string(MOST_CLASSES) + ")");
    }
}

// By the classes that a character is in; one that stands somewhere by itself is a kind of its own.
uint32_t grammar_states::find_kind(uint32_t c) {
    if (literals.count(c)) return kind_by_classes.try_emplace("=" + std::to_string(c), (uint32_t) kind_by_classes.size()).first->second;
    std::string in(classes.size(), '0');
    for (size_t i = 0; i < classes.size(); ++i) in[i] = fits(classes[i], c) ? '1' : '0';
    return kind_by_classes.try_emplace(std::move(in), (uint32_t) kind_by_classes.size()).first->second;
}

uint32_t grammar_states::kind_of(uint32_t c) {
    if (c < USUAL) {
        if (usual_kinds[c] == UNKNOWN) usual_kinds[c] = find_kind(c);
        return usual_kinds[c];
    }
    auto known = other_kinds.find(c);
    return known != other_kinds.end() ? known->second : other_kinds.emplace(c, find_kind(c)).first->second;
}

void grammar_states::forget() {
    frames.assign(1, { nullptr, 0 });
    frame_of.clear();
    leads.clear();
    led.clear();
    states.assign(1, known_state());
    state_of.clear();
    kept = 0;
}

void grammar_states::begin_turn() {
    work = 0;
    if (kept > MOST_KEPT) {
        llama_grammar_stacks all = stacks();
        forget();
        now = add(all);
    }
}

void grammar_states::spend(size_t more) {
    work += more;
    if (work > MOST_WORK) refuse("grammar: it takes too long to see what may come next (expected: fewer repetitions within and behind each other)");
}

grammar_states::stack grammar_states::push(const element * top, stack below) {
    auto [at, added] = frame_of.try_emplace({ top, below }, (stack) frames.size());
    if (added) {
        frames.push_back({ top, below });
        ++kept;
        spend(NEW);
    }
    return at->second;
}

grammar_states::state grammar_states::add(const llama_grammar_stacks & all) {
    std::vector<stack> set;
    for (const auto & one : all) {
        stack s = 0;
        for (const element * e : one) s = push(e, s);
        set.push_back(s);
    }
    return add(std::move(set));
}

grammar_states::state grammar_states::add(std::vector<stack> set) {
    if (set.empty()) return DEAD;
    if (set.size() > MOST_WAYS) {
        refuse("grammar: ambiguous (expected: one in which a text can be read in at most " + std::to_string(MOST_WAYS) + " ways at once)");
    }
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    spend(set.size() + NEW);
    auto [at, added] = state_of.try_emplace(set, (state) states.size());
    if (added) {
        known_state made;
        for (stack s : set) {
            made.may_end      = made.may_end || s == 0;
            made.names_tokens = made.names_tokens || (s != 0 && is_token(frames[s].top));
        }
        kept += set.size();
        made.stacks = std::move(set);
        states.push_back(std::move(made));
    }
    return at->second;
}

bool grammar_states::mark(std::vector<uint32_t> & marks, uint32_t stamp, stack s) {
    if (marks.size() < frames.size()) marks.resize(frames.size() + 64);
    if (marks[s] == stamp) return false;
    marks[s] = stamp;
    return true;
}

// The stacks with something on top that a text can have, to which a stack leads by way of rules.
void grammar_states::lead(stack from, std::vector<stack> & out) {
    std::vector<stack> open{ from };
    ++lead_stamp;
    while (!open.empty()) {
        stack s = open.back();
        open.pop_back();
        if (!mark(lead_marks, lead_stamp, s)) continue;
        spend(1);
        const element * top = frames[s].top;
        if (!top || top->type != LLAMA_GRETYPE_RULE_REF) {
            out.push_back(s);
            continue;
        }
        stack rest = ends(top + 1) ? frames[s].below : push(top + 1, frames[s].below);
        const element * alternative = rules[top->value].data();
        for (const element * e = alternative;; ++e) {
            if (!ends(e)) continue;
            open.push_back(alternative == e ? rest : push(alternative, rest));
            if (e->type == LLAMA_GRETYPE_END) break;
            alternative = e + 1;
        }
    }
}

const std::vector<grammar_states::stack> & grammar_states::behind(stack s) {
    if (s >= led.size() || !led[s]) {
        const element * top   = frames[s].top;
        const element * after = is_token(top) ? top + 1 : behind_class(top);
        std::vector<stack> out;
        lead(ends(after) ? frames[s].below : push(after, frames[s].below), out);
        kept += out.size();
        if (led.size() < frames.size()) {
            led.resize(frames.size() + 64);
            leads.resize(frames.size() + 64);
        }
        leads[s] = std::move(out);
        led[s]   = true;
    }
    return leads[s];
}

// What comes behind those ways of a state whose top takes what came.
template <typename F> std::vector<grammar_states::stack> grammar_states::behind_those(state from, F && takes) {
    std::vector<stack> set;
    uint32_t stamp = ++step_stamp;
    for (stack s : states[from].stacks) {
        if (s == 0 || !takes(frames[s].top)) continue;
        const auto & next = behind(s);
        spend(next.size());
        for (stack n : next) {
            if (mark(step_marks, stamp, n)) set.push_back(n);
        }
    }
    spend(states[from].stacks.size());
    return set;
}

grammar_states::state grammar_states::step(state from, uint32_t c) {
    uint32_t kind = kind_of(c);
    if (kind < states[from].behind.size() && states[from].behind[kind] != UNKNOWN) return states[from].behind[kind];
    spend(NEW);
    ++kept;
    state to = add(behind_those(from, [&](const element * top) { return fits(top, c); }));
    if (states[from].behind.size() <= kind) {
        size_t more = kind_by_classes.size() / NEW;
        kept += more;
        spend(more);
        states[from].behind.resize(kind_by_classes.size(), UNKNOWN);
    }
    states[from].behind[kind] = to;
    return to;
}

grammar_states::state grammar_states::step_token(state from, llama_token token) {
    return add(behind_those(from, [&](const element * top) {
        bool same = top->value == (uint32_t) token;
        return is_token(top) && same == (top->type == LLAMA_GRETYPE_TOKEN);
    }));
}

grammar_states::state grammar_states::begin_character(state from, llama_partial_utf8 partial) {
    std::vector<stack> set;
    for (stack s : states[from].stacks) {
        if (s != 0 && is_character(frames[s].top) && fits_partial(frames[s].top, partial)) set.push_back(s);
    }
    spend(states[from].stacks.size());
    return add(std::move(set));
}

std::vector<const llama_grammar_element *> grammar_states::tops(state s) const {
    std::vector<const element *> out;
    for (stack one : states[s].stacks) {
        if (one != 0) out.push_back(frames[one].top);
    }
    return out;
}

llama_grammar_stacks grammar_states::stacks() const {
    llama_grammar_stacks out;
    for (stack s : states[now].stacks) {
        llama_grammar_stack one;
        for (; s != 0; s = frames[s].below) one.push_back(frames[s].top);
        std::reverse(one.begin(), one.end());
        out.push_back(std::move(one));
    }
    return out;
}
