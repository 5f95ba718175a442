#include "known_pieces.h"

#include "internal.h"

#include <algorithm>

namespace {

constexpr size_t BYTES_BESIDE = 160; // of a piece: its places in a list and in a tree
constexpr size_t LONGEST_END  = 64;  // bytes
constexpr size_t MOST_SPECIAL = 256 << 10; // bytes of all special tokens' texts, each of which is compared with each end

size_t size_of(size_t text_bytes, size_t tokens) { return text_bytes + tokens * sizeof(llama_token) + BYTES_BESIDE; }

// Whether each piece of a text between special tokens has tokens of its own, whatever is around it. The other tokenizers of
// llama.cpp's are left alone.
bool works_by_pieces(const llama_vocab * vocab) {
    auto type = llama_vocab_type(vocab);
    return type == LLAMA_VOCAB_TYPE_SPM || type == LLAMA_VOCAB_TYPE_BPE;
}

bool is_special(const llama_vocab * vocab, llama_token token) {
    return (int) llama_vocab_get_attr(vocab, token) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN | LLAMA_TOKEN_ATTR_USER_DEFINED);
}

// Whether two texts can stand in one so that they share some of it, but not all of `text`.
bool overlap(std::string_view text, std::string_view other) {
    if (other.size() > text.size() && other.find(text) != std::string_view::npos) return true;
    for (size_t n = 1; n < text.size() && n < other.size(); ++n) {
        if (text.substr(0, n) == other.substr(other.size() - n) || text.substr(text.size() - n) == other.substr(0, n)) return true;
    }
    return false;
}

// Whether a special token is found wherever its text is, and has no say in what comes after it. The tokenizer looks for the longest
// first, so one that lies within it changes nothing.
bool ends_pieces(const llama_vocab * vocab, llama_token token) {
    size_t bytes = 0;
    auto attr = (int) llama_vocab_get_attr(vocab, token);
    std::string_view text = llama_vocab_get_text(vocab, token);
    if (!(attr & LLAMA_TOKEN_ATTR_CONTROL) || (attr & LLAMA_TOKEN_ATTR_RSTRIP) || text.empty() || text.size() > LONGEST_END) return false;
    if (isspace((unsigned char) text.front()) || isspace((unsigned char) text.back())) return false; // a neighbour may strip that
    for (llama_token t = 0; t < llama_vocab_n_tokens(vocab); ++t) {
        if (!is_special(vocab, t)) continue;
        std::string_view other = llama_vocab_get_text(vocab, t);
        bytes += other.size();
        if (bytes > MOST_SPECIAL || (t != token && other == text) || overlap(text, other)) return false;
    }
    return true;
}

} // namespace

std::vector<known_pieces::cutting> known_pieces::cut(std::string_view text) const {
    std::vector<cutting> out;
    size_t from = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (!begins_end[(unsigned char) text[i]]) continue;
        for (const auto & end : ends) {
            if (text.compare(i, end.first.size(), end.first) != 0) continue;
            i += end.first.size() - 1;
            out.push_back({ text.substr(from, i + 1 - from), end.second });
            from = i + 1;
            break;
        }
    }
    if (from < text.size()) out.push_back({ text.substr(from), LLAMA_TOKEN_NULL });
    return out;
}

// The pieces of a prompt that are known, and the stretches between them.
std::vector<known_pieces::part> known_pieces::parts(std::string_view prompt) {
    std::lock_guard<std::mutex> lock(mutex);
    std::vector<part> out;
    for (const auto & [text, end] : cut(prompt)) {
        auto found = by_text.find(text);
        if (found != by_text.end()) {
            pieces.splice(pieces.begin(), pieces, found->second);
            out.push_back({ text, true, found->second->tokens });
        } else if (!out.empty() && !out.back().known) {
            out.back().text = std::string_view(out.back().text.data(), out.back().text.size() + text.size());
        } else {
            out.push_back({ text, false, {} });
        }
    }
    return out;
}

void known_pieces::learn_ends(const llama_vocab * vocab, const std::vector<llama_token> & tokens) {
    for (llama_token token : tokens) {
        if (!llama_vocab_is_control(vocab, token) || judged.size() >= MOST_ENDS || !judged.insert(token).second) continue;
        if (!ends_pieces(vocab, token)) continue;
        std::string text = llama_vocab_get_text(vocab, token);
        begins_end[(unsigned char) text[0]] = true;
        ends.emplace_back(text, token);
    }
}

void known_pieces::remember(std::string_view text, const std::vector<llama_token> & tokens) {
    auto is_end = [&](llama_token token) { return std::any_of(ends.begin(), ends.end(), [&](const auto & e) { return e.second == token; }); };
    std::vector<piece> found;
    auto from = tokens.begin();
    for (const auto & one : cut(text)) {
        auto at = std::find_if(from, tokens.end(), is_end);
        llama_token end = at == tokens.end() ? LLAMA_TOKEN_NULL : *at;
        if (end != one.end) return; // not as the text says: then nobody knows which tokens are whose
        if (at != tokens.end()) ++at;
        found.push_back({ std::string(one.text), { from, at } });
        from = at;
    }
    if (from != tokens.end()) return; // some vocabularies make such tokens of plain text too
    for (auto & one : found) keep(std::move(one));
}

void known_pieces::keep(piece && one) {
    size_t size = size_of(one.text.size(), one.tokens.size());
    if (size > MOST_BYTES / 2 || by_text.count(one.text) > 0) return;
    pieces.push_front(std::move(one));
    bytes += size;
    by_text[pieces.front().text] = pieces.begin(); // where that fails it is never found, and goes with the oldest
    for (; bytes > MOST_BYTES && !pieces.empty(); pieces.pop_back()) {
        bytes -= size_of(pieces.back().text.size(), pieces.back().tokens.size());
        by_text.erase(pieces.back().text);
    }
}

std::vector<llama_token> known_pieces::tokenize(const llama_vocab * vocab, const std::string & prompt, bool of_template) {
    if (!works_by_pieces(vocab)) return ::tokenize(vocab, prompt, true, true);
    std::vector<llama_token> out;
    for (auto & part : parts(prompt)) {
        if (!part.known) {
            part.tokens = ::tokenize(vocab, std::string(part.text), false, true);
            std::lock_guard<std::mutex> lock(mutex);
            if (of_template) learn_ends(vocab, part.tokens);
            remember(part.text, part.tokens);
        }
        out.insert(out.end(), part.tokens.begin(), part.tokens.end());
    }
    return with_ends(vocab, std::move(out));
}
