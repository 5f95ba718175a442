#include "guard_text.h"

#include <algorithm>
#include <random>

namespace {

constexpr size_t HEAD = 3; // bytes by which texts are looked up

size_t first_character(const std::string & text) {
    unsigned char c = (unsigned char) text[0];
    return std::min<size_t>(c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1, text.size());
}

std::string new_marker() {
    std::random_device random;
    std::string digits;
    while (digits.size() < 27) digits += std::to_string(100000000u + random() % 900000000u);
    return digits;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string piece(const llama_vocab * vocab, llama_token token) {
    char    bytes[256];
    int32_t n = llama_token_to_piece(vocab, token, bytes, sizeof(bytes), 0, true);
    return n > 0 ? std::string(bytes, (size_t) n) : "";
}

// A later piece of a prompt. Some tokenizers put a space in front of every text; a control character that is one token and
// merges with nothing takes that space, and is dropped with it.
void append_piece(std::vector<llama_token> & out, const llama_vocab * vocab, const std::string & text, bool parse_special) {
    auto plain = tokenize(vocab, text, false, parse_special);
    std::string begin = plain.empty() ? "" : piece(vocab, plain.front());
    if (!begin.empty() && begin[0] == ' ' && text[0] != ' ') {
        auto led = tokenize(vocab, "\x01" + text, false, parse_special);
        for (size_t i = 0; i < std::min<size_t>(led.size(), 3); ++i) {
            if (piece(vocab, led[i]) == "\x01") {
                out.insert(out.end(), led.begin() + (std::ptrdiff_t) i + 1, led.end());
                return;
            }
        }
    }
    out.insert(out.end(), plain.begin(), plain.end());
}

} // namespace

text_guard::text_guard(const std::vector<std::string> & special_texts) {
    for (const auto & text : special_texts) {
        all[text] = true;
        by_head[text.substr(0, HEAD)].push_back(text);
        first[(unsigned char) text[0]] = true;
        longest = std::max(longest, text.size());
        for (size_t n = 1; n < text.size(); ++n) {
            prefixes[text.substr(0, n)] = true;
            suffixes[text.substr(n)]    = true;
        }
    }
}

bool text_guard::is_special(const std::string & text) const { return all.count(text) > 0; }

// Adds the cuts for special texts that begin at an offset. One of a single character is cut off on both sides.
size_t text_guard::match(const std::string & text, size_t at, std::vector<size_t> & out) const {
    size_t found = 0;
    for (size_t n = 1; n <= HEAD && at + n <= text.size(); ++n) {
        auto it = by_head.find(text.substr(at, n));
        if (it == by_head.end()) continue;
        for (const auto & special : it->second) {
            if (text.compare(at, special.size(), special) != 0) continue;
            size_t head = first_character(special);
            if (head == special.size()) out.push_back(at);
            out.push_back(at + head);
            ++found;
        }
    }
    return found;
}

std::vector<size_t> text_guard::cuts(const std::string & text) const {
    std::vector<size_t> out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (first[(unsigned char) text[i]]) match(text, i, out);
    }
    // Edges, as they are after trimming.
    size_t begin = 0, end = text.size();
    while (begin < end && is_space(text[begin])) ++begin;
    while (end > begin && is_space(text[end - 1])) --end;
    for (size_t n = 1; n < longest && n <= end - begin; ++n) {
        if (suffixes.count(text.substr(begin, n))) out.push_back(begin);
        if (prefixes.count(text.substr(end - n, n))) out.push_back(end);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

void text_mask::apply(std::string & text) {
    auto cuts = guard.cuts(text);
    if (cuts.empty()) return;
    if (marker.empty()) marker = new_marker();
    std::string marked;
    size_t from = 0;
    for (size_t cut : cuts) {
        marked.append(text, from, cut - from).append(marker);
        from = cut;
    }
    marked.append(text, from);
    text.swap(marked);
}

json text_mask::masked(const json & value, bool & changed) {
    if (value.is_string()) {
        std::string text = value.get<std::string>();
        size_t before = text.size();
        apply(text);
        changed = changed || text.size() != before;
        return json(text);
    }
    if (value.is_object()) {
        json out = json::object();
        for (const auto & it : value.items()) {
            std::string key = it.key();
            size_t before = key.size();
            apply(key);
            changed = changed || key.size() != before;
            out[key] = masked(it.value(), changed);
        }
        return out;
    }
    if (value.is_array()) {
        json out = json::array();
        for (const auto & item : value) out.push_back(masked(item, changed));
        return out;
    }
    return value;
}

void text_mask::apply_json(std::string & text) {
    json value = json::parse_no_throw(text);
    if (value.is_discarded()) {
        apply(text);
        return;
    }
    bool changed = false;
    json out = masked(value, changed);
    if (changed) text = out.dump();
}

std::string text_mask::remove(const std::string & text) const {
    if (marker.empty()) return text;
    std::string out;
    size_t from = 0;
    for (size_t at; (at = text.find(marker, from)) != std::string::npos; from = at + marker.size()) out.append(text, from, at - from);
    return out.append(text, from);
}

std::vector<llama_token> text_mask::tokenize(const std::string & prompt, const cq_model & model) const {
    const llama_vocab * vocab = model.vocab;
    if (marker.empty() || prompt.find(marker) == std::string::npos) return model.pieces.tokenize(vocab, prompt, true);
    std::vector<llama_token> out;
    size_t from = 0;
    for (bool more = true; more;) {
        size_t at = prompt.find(marker, from);
        more = at != std::string::npos;
        std::string text = prompt.substr(from, more ? at - from : at);
        bool parse_special = !(from > 0 && more && guard.is_special(text)); // a special text of one character, cut off
        if (from == 0) {
            auto tokens = ::tokenize(vocab, text, false, true);
            out.insert(out.end(), tokens.begin(), tokens.end());
        } else if (!text.empty()) {
            append_piece(out, vocab, text, parse_special);
        }
        from = more ? at + marker.size() : from;
    }
    return with_ends(vocab, std::move(out));
}

std::string template_message(const std::string & what) {
    size_t at = what.rfind("Error: ");
    std::string text = at == std::string::npos ? what : what.substr(at + 7);
    return text.substr(0, std::min<size_t>(text.find('\n'), 200));
}
