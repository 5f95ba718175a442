// Keeps text of messages from becoming role tokens. A prompt is one text in which the tokenizer looks for special tokens, and
// a user who writes "<|im_end|>" would end his own message. So before rendering, each such text in a message gets a marker
// after its first character: digits that nobody can guess, which survive whatever a template does with text (trimming,
// changing case, encoding as JSON). After rendering, the prompt is cut at the markers and its pieces are tokenized alone, so
// that what the template wrote is recognised and what was cut is not. Edges of a text are marked too where they could
// complete a special token together with what the template, or the next part, puts beside them.
#pragma once

#include "internal.h"

#include <unordered_map>

// Finds special tokens' texts. Immutable.
class text_guard {
  public:
    text_guard() = default;
    explicit text_guard(const std::vector<std::string> & special_texts);

    // Offsets in a text at which to cut it; ascending.
    std::vector<size_t> cuts(const std::string & text) const;
    bool is_special(const std::string & text) const;

  private:
    size_t match(const std::string & text, size_t at, std::vector<size_t> & out) const;

    std::unordered_map<std::string, std::vector<std::string>> by_head; // by the first bytes
    std::unordered_map<std::string, bool> all, prefixes, suffixes;     // proper ones
    bool   first[256] = {};
    size_t longest = 0;
};

// Marks the texts of one request and undoes it in what became of them.
class text_mask {
  public:
    explicit text_mask(const text_guard & guard) : guard(guard) {}

    void apply(std::string & text);
    void apply_json(std::string & text); // its strings; a text that is no JSON as a whole
    std::string remove(const std::string & text) const;
    bool used() const { return !marker.empty(); }
    // The tokens of a rendered prompt.
    std::vector<llama_token> tokenize(const std::string & prompt, const cq_model & model) const;

  private:
    json masked(const json & value, bool & changed);

    const text_guard & guard;
    std::string        marker; // empty: nothing was marked
};

// What an error of the template engine says, without the piece of source that it quotes.
std::string template_message(const std::string & what);
