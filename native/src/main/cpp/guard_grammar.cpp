#include "guard_grammar.h"

#include "grammar_states.h"

#include "common.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>

namespace {

constexpr size_t MOST_BYTES      = 1 << 20;
constexpr int    MOST_NESTING    = 200;     // the parser recurses once a level of ( )
constexpr size_t MOST_ELEMENTS   = 1 << 20;
constexpr size_t MOST_ITEMS      = 200000;  // elements that { } make of what stands before them
constexpr size_t MOST_BEGINNINGS = 4096;    // ways in which a rule can begin

// --- what a text shows --------------------------------------------------------------------------------------------------

void check_nesting(const std::string & grammar) {
    int depth = 0;
    for (char c : grammar) {
        if (c == '(' && ++depth > MOST_NESTING) {
            refuse("grammar: nested too deeply (expected: at most " + std::to_string(MOST_NESTING) + " levels)");
        }
        if (c == ')' && depth > 0) --depth;
    }
}

// Characters of what stands before an offset, which a repetition copies: a class or a literal; 1 for a rule or a group.
size_t atom_before(const std::string & g, size_t at) {
    while (at > 0 && (g[at - 1] == ' ' || g[at - 1] == '\t' || g[at - 1] == '\n' || g[at - 1] == '\r')) --at;
    if (at == 0 || (g[at - 1] != ']' && g[at - 1] != '"')) return 1;
    size_t open = at > 1 ? g.find_last_of(g[at - 1] == ']' ? '[' : '"', at - 2) : std::string::npos;
    return open == std::string::npos ? 1 : at - open;
}

size_t number_at(const std::string & g, size_t & at) {
    size_t value = 0;
    while (at < g.size() && g[at] >= '0' && g[at] <= '9') value = std::min<size_t>(value * 10 + (size_t) (g[at++] - '0'), 1u << 30);
    return value;
}

// Repetitions are written out by the parser; {5,3} for ever. Those inside literals are counted too, which does no harm.
void check_repetitions(const std::string & g) {
    size_t items = 0;
    for (size_t at = g.find('{'); at != std::string::npos; at = g.find('{', at + 1)) {
        size_t i = at + 1, digits = i;
        auto skip = [&] { i += strspn(g.c_str() + i, " \t\r\n"); };
        skip();
        digits = i;
        size_t least = number_at(g, i), most = least;
        if (i == digits) continue;
        skip();
        if (i < g.size() && g[i] == ',') {
            ++i;
            skip();
            digits = i;
            most   = number_at(g, i);
            if (i == digits) most = least + 1;
        }
        if (most < least) refuse("grammar: {" + std::to_string(least) + "," + std::to_string(most) + "} (expected: the smaller number first)");
        items += most * atom_before(g, at);
        if (items > MOST_ITEMS) refuse("grammar: its repetitions make more than " + std::to_string(MOST_ITEMS) + " items (expected: fewer)");
    }
}

// --- what its rules show ------------------------------------------------------------------------------------------------

llama_grammar_parser parsed(const std::string & grammar, const llama_vocab * vocab) {
    llama_grammar_parser parser(vocab);
    size_t elements = 0, counted = 0;
    try {
        const char * at = grammar.c_str() + grammar.find_first_not_of(" \t\r\n");
        while (*at == '#') { // comments before the first rule
            at += strcspn(at, "\r\n");
            at += strspn(at, " \t\r\n");
        }
        while (*at) {
            at = parser.parse_rule(at);
            for (; counted < parser.rules.size(); ++counted) elements += parser.rules[counted].size();
            if (elements > MOST_ELEMENTS) refuse("grammar: more than " + std::to_string(MOST_ELEMENTS) + " elements (expected: fewer)");
        }
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const failure &) {
        throw;
    } catch (const std::exception & e) {
        std::string why = e.what();
        // What follows quotes the grammar; a character that was expected is quoted too.
        size_t quotes = string_starts_with(why, "expecting ") ? why.find(" at ") : std::min(why.find(" at "), why.find('\''));
        refuse("grammar: " + string_strip(why.substr(0, quotes)));
    }
    for (const auto & rule : parser.rules) {
        if (rule.empty()) refuse("grammar: a rule is used but not defined");
        for (const auto & element : rule) {
            if (element.type == LLAMA_GRETYPE_RULE_REF && (element.value >= parser.rules.size() || parser.rules[element.value].empty())) {
                refuse("grammar: a rule is used but not defined");
            }
        }
    }
    if (!parser.symbol_ids.count("root")) refuse("grammar: no rule \"root\"");
    return parser;
}

// Calls f(from, to) for each alternative of a rule.
template <typename F> void alternatives(const llama_grammar_rule & rule, F && f) {
    size_t from = 0;
    for (size_t i = 0; i < rule.size(); ++i) {
        if (rule[i].type == LLAMA_GRETYPE_ALT || rule[i].type == LLAMA_GRETYPE_END) {
            f(from, i);
            from = i + 1;
        }
    }
}

// Which rules may be empty: those with an alternative that is empty or made of such rules.
std::vector<bool> empties(const llama_grammar_rules & rules) {
    struct alternative { size_t rule, left; };
    std::vector<alternative>         all;
    std::vector<std::vector<size_t>> uses(rules.size());
    std::vector<bool>                empty(rules.size());
    std::deque<size_t>               found;
    auto mark = [&](size_t rule) {
        if (!empty[rule]) found.push_back(rule);
        empty[rule] = true;
    };
    for (size_t r = 0; r < rules.size(); ++r) {
        alternatives(rules[r], [&](size_t from, size_t to) {
            for (size_t i = from; i < to; ++i) {
                if (rules[r][i].type != LLAMA_GRETYPE_RULE_REF) return;
            }
            for (size_t i = from; i < to; ++i) uses[rules[r][i].value].push_back(all.size());
            if (from == to) mark(r); else all.push_back({ r, to - from });
        });
    }
    while (!found.empty()) {
        size_t rule = found.front();
        found.pop_front();
        for (size_t use : uses[rule]) {
            if (--all[use].left == 0) mark(all[use].rule);
        }
    }
    return empty;
}

// A rule with which another can begin; last: nothing follows it there, so going into it leaves nothing behind.
struct beginning { uint32_t rule; bool last; };

std::vector<std::vector<beginning>> beginnings(const llama_grammar_rules & rules, const std::vector<bool> & empty) {
    std::vector<std::vector<beginning>> out(rules.size());
    for (size_t r = 0; r < rules.size(); ++r) {
        alternatives(rules[r], [&](size_t from, size_t to) {
            for (size_t i = from; i < to && rules[r][i].type == LLAMA_GRETYPE_RULE_REF; ++i) {
                out[r].push_back({ rules[r][i].value, i + 1 == to });
                if (!empty[rules[r][i].value]) break;
            }
        });
    }
    return out;
}

// Finds rules that begin with themselves (Tarjan's components), and in how many ways a rule can begin. A rule that begins with
// itself and leaves nothing behind, as a repetition of what may be empty does, comes to an end; any other would not.
class beginning_check {
  public:
    explicit beginning_check(const llama_grammar_rules & rules)
        : edges(beginnings(rules, empties(rules))), order(rules.size()), low(rules.size()), component(rules.size()), ways(rules.size()) {
        for (size_t r = 0; r < rules.size(); ++r) alternatives(rules[r], [&](size_t, size_t) { ++ways[r]; });
        for (uint32_t r = 0; r < rules.size(); ++r) {
            if (!order[r]) visit(r);
        }
    }

  private:
    void visit(uint32_t r) {
        order[r] = low[r] = ++visited;
        open.push_back(r);
        for (const auto & e : edges[r]) {
            if (!order[e.rule]) visit(e.rule);
            if (!component[e.rule]) low[r] = std::min(low[r], low[e.rule]);
        }
        if (low[r] == order[r]) close(r);
    }

    // The rules from r on begin with each other, and with nothing else that is still open.
    void close(uint32_t r) {
        size_t from = (size_t) (std::find(open.rbegin(), open.rend(), r).base() - open.begin()) - 1;
        ++components;
        for (size_t i = from; i < open.size(); ++i) component[open[i]] = components;
        size_t sum = 0;
        for (size_t i = from; i < open.size(); ++i) {
            sum += ways[open[i]];
            for (const auto & e : edges[open[i]]) {
                if (component[e.rule] != components) sum += ways[e.rule];
                else if (!e.last) refuse("grammar: left recursion (expected: a rule that begins with something else than itself)");
            }
            if (sum > MOST_BEGINNINGS) refuse("grammar: a rule begins in more than " + std::to_string(MOST_BEGINNINGS) + " ways (expected: fewer)");
        }
        for (size_t i = from; i < open.size(); ++i) ways[open[i]] = sum;
        open.resize(from);
    }

    std::vector<std::vector<beginning>> edges;
    std::vector<uint32_t> order, low, component, open;
    std::vector<size_t>   ways;
    uint32_t              visited = 0, components = 0;
};

// --- what a try shows ---------------------------------------------------------------------------------------------------

struct grammar_deleter {
    void operator()(llama_grammar * g) const { llama_grammar_free_impl(g); }
};

uint32_t next_of(const llama_grammar_element * e, std::mt19937 & random) {
    if (e->type != LLAMA_GRETYPE_CHAR) return "aA0 \n\"x"[random() % 7];
    uint32_t least = e->value, most = e[1].type == LLAMA_GRETYPE_CHAR_RNG_UPPER ? e[1].value : least;
    return most > least && random() % 2 ? least + random() % (most - least + 1) : least;
}

// The next character of a walk: of some that may come, one that most ways can take, or any of them now and then.
bool choose(const std::vector<const llama_grammar_element *> & tops, std::mt19937 & random, uint32_t & chosen) {
    size_t most = 0;
    for (int i = 0; i < 8 && !tops.empty(); ++i) {
        uint32_t c = next_of(tops[random() % tops.size()], random);
        auto     n = (size_t) std::count_if(tops.begin(), tops.end(), [&](const auto * e) { return fits(e, c); });
        if (n == 0) continue;
        bool any = most > 0 && random() % 8 == 0;
        if (n > most || any) {
            chosen = c;
            most   = std::max(n, most);
        }
    }
    return most > 0;
}

// Writes some texts by the grammar, which follow what is ambiguous in it: where that takes too long, or goes too many ways at
// once, it is refused now and not in the middle of an answer.
void try_grammar(const llama_grammar_parser & parser, const llama_vocab * vocab) {
    constexpr int WALKS = 24, STEPS = 96;
    constexpr auto TIME = std::chrono::milliseconds(150);
    auto rules = parser.c_rules();
    log_capture log; // its messages may name rules
    std::unique_ptr<llama_grammar, grammar_deleter> first(
        llama_grammar_init_impl(vocab, rules.data(), rules.size(), parser.symbol_ids.at("root")));
    if (!first) refuse("grammar: malformed");
    grammar_states states(first->rules, first->stacks);
    const auto root = states.current();
    std::mt19937 random(7);
    auto end = std::chrono::steady_clock::now() + TIME;
    for (int walk = 0; walk < WALKS && std::chrono::steady_clock::now() < end; ++walk) {
        auto     at = root;
        uint32_t c  = 0;
        for (int step = 0; step < STEPS && choose(states.tops(at), random, c); ++step) at = states.step(at, c);
    }
}

} // namespace

void check_grammar(const std::string & grammar, const llama_vocab * vocab) {
    if (grammar.size() > MOST_BYTES) refuse("grammar: " + std::to_string(grammar.size()) + " bytes (expected: at most 1 MiB)");
    if (grammar.compare(0, 11, "%llguidance") == 0) refuse("grammar: llguidance (expected: GBNF)");
    if (grammar.find('\0') != std::string::npos) refuse("grammar: holds a NUL");
    if (grammar.find_first_not_of(" \t\r\n") == std::string::npos) refuse("grammar: blank");
    check_nesting(grammar);
    check_repetitions(grammar);
    on_large_stack([&] {
        auto parser = parsed(grammar, vocab);
        beginning_check{ parser.rules };
        try_grammar(parser, vocab);
    });
}
