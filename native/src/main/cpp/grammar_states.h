// Follows a grammar through a text. llama.cpp keeps each way in which a text can be read as a stack of its own, and for each
// token goes through all ways to go on again and again: with n repetitions behind each other that is n over the token's length,
// so that forty bytes of a pattern stop the process for hours. Here stacks are shared where they are alike (a stack is its top
// and the stack below), what a stack leads to is found once, and a set of stacks is a state whose successors are remembered: a
// deterministic automaton, made as far as it is needed. Characters that no class of the grammar tells apart are one kind.
#pragma once

#include "internal.h"

#include "llama-grammar.h"

#include <unordered_map>
#include <unordered_set>

class grammar_states {
  public:
    using element = llama_grammar_element;
    using state   = uint32_t;

    static constexpr state DEAD = 0; // no way to go on

    // rules: outlive this. stacks: what can come first, as llama.cpp has them.
    grammar_states(const llama_grammar_rules & rules, const llama_grammar_stacks & stacks);

    // Where the text stands that was accepted so far.
    state current() const { return now; }
    void  accept(state s) { now = s; }

    // The state behind a character; DEAD: it cannot come. Throws a failure where the work of this turn is too much.
    state step(state from, uint32_t c);

    // The state behind a token that the grammar names as such.
    state step_token(state from, llama_token token);

    bool names_tokens(state s) const { return states[s].names_tokens; }
    bool may_end(state s) const { return states[s].may_end; }

    // The state in which the first bytes of a character have come: the same without ways in which it cannot be that character.
    state begin_character(state from, llama_partial_utf8 partial);

    // What can come next: an element for each way to read the text.
    std::vector<const element *> tops(state s) const;

    // The ways to read the accepted text, as llama.cpp has them.
    llama_grammar_stacks stacks() const;

    // Begins a turn: a step of a token, for which there is so much time and no more.
    void begin_turn();

  private:
    using stack = uint32_t; // 0: empty

    struct frame { const element * top; stack below; };
    struct frame_hash { size_t operator()(const frame & f) const { return std::hash<const void *>()(f.top) * 31 + f.below; } };
    struct frame_equal { bool operator()(const frame & a, const frame & b) const { return a.top == b.top && a.below == b.below; } };
    struct set_hash { size_t operator()(const std::vector<stack> & set) const; };

    struct known_state {
        std::vector<stack> stacks; // sorted
        bool               may_end = false;
        bool               names_tokens = false;
        std::vector<state> behind; // by kind of character; UNKNOWN: not asked for yet
    };

    static constexpr uint32_t UNKNOWN = UINT32_MAX;
    static constexpr uint32_t USUAL   = 0x10000; // characters whose kinds are looked up in an array

    void     collect_classes();
    uint32_t kind_of(uint32_t c);
    uint32_t find_kind(uint32_t c);
    stack push(const element * top, stack below);
    state add(const llama_grammar_stacks & all);
    state add(std::vector<stack> set);
    void  forget();
    void  spend(size_t work);
    void  lead(stack from, std::vector<stack> & out);
    const std::vector<stack> & behind(stack s);
    template <typename F> std::vector<stack> behind_those(state from, F && takes);
    bool  mark(std::vector<uint32_t> & marks, uint32_t stamp, stack s);

    const llama_grammar_rules &                                     rules;
    std::unordered_set<uint32_t>                                    literals; // characters that stand somewhere by themselves
    std::vector<const element *>                                    classes;  // the others, each once
    std::vector<uint32_t>                                           usual_kinds;
    std::unordered_map<uint32_t, uint32_t>                          other_kinds;
    std::unordered_map<std::string, uint32_t>                       kind_by_classes;
    std::vector<frame>                                              frames;
    std::unordered_map<frame, stack, frame_hash, frame_equal>       frame_of;
    std::vector<std::vector<stack>>                                 leads; // by stack: those behind its top
    std::vector<uint8_t>                                            led;   // whether these are known
    std::vector<known_state>                                        states;
    std::unordered_map<std::vector<stack>, state, set_hash>         state_of;
    std::vector<uint32_t>                                           lead_marks, step_marks;
    uint32_t                                                        lead_stamp = 0, step_stamp = 0;
    state                                                           now = DEAD;
    size_t                                                          work = 0, kept = 0;
};

// Whether a character fits the element on top of a stack.
bool fits(const llama_grammar_element * e, uint32_t c);
