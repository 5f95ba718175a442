// Tokens of text that came before. A chat brings all that was said in it with every turn, and its template writes the same words
// around each message, while a tokenizer takes some 0.35 µs a byte, and 25 µs to begin. So a prompt is cut behind special tokens, and
// the pieces of late are remembered with their tokens.
#pragma once

#include "llama.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// Of one vocabulary. Any thread may ask.
class known_pieces {
  public:
    // What llama_tokenize says of a prompt in which special tokens are recognised, the one that begins it in front. Only what a
    // template has written shows behind which tokens prompts are worth cutting; anybody could fill a raw one with others.
    std::vector<llama_token> tokenize(const llama_vocab * vocab, const std::string & prompt, bool of_template);

  private:
    static constexpr size_t MOST_BYTES = 4 << 20; // of texts and tokens
    static constexpr size_t MOST_ENDS  = 64;      // that are looked at

    struct piece {
        std::string              text;
        std::vector<llama_token> tokens;
    };
    struct cutting {
        std::string_view text;
        llama_token      end; // that it ends with; LLAMA_TOKEN_NULL: none of those
    };
    struct part {
        std::string_view         text;
        bool                     known;
        std::vector<llama_token> tokens;
    };

    std::vector<cutting> cut(std::string_view text) const;
    std::vector<part> parts(std::string_view prompt);
    void learn_ends(const llama_vocab * vocab, const std::vector<llama_token> & tokens);
    void remember(std::string_view text, const std::vector<llama_token> & tokens);
    void keep(piece && one);

    std::mutex                                             mutex;
    std::list<piece>                                       pieces;  // the last used first
    std::map<std::string_view, std::list<piece>::iterator> by_text; // no hashes: who writes prompts could make them all the same
    size_t                                                 bytes = 0;
    std::vector<std::pair<std::string, llama_token>>       ends;    // special tokens behind which a prompt can be cut
    std::set<llama_token>                                  judged;
    bool                                                   begins_end[256] = {}; // by byte
};
