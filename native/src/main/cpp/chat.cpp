// Conversations: rendering a model's template, parsing its answers, grammars.
#include "internal.h"
#include "guard_grammar.h"
#include "guard_text.h"

#include "chat-auto-parser.h"
#include "chat.h"
#include "common.h"
#include "json-schema-to-grammar.h"
#include "llama-grammar.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <unordered_set>

// Whether a chat of plain texts can be rendered at once, see render_at_once.
enum class at_once { untried, fits, differs };

// What a rendering gave beside the prompt.
struct answer_form {
    int64_t              number = 0;        // no other of this template's forms has it; from 1
    std::string          generation_prompt; // as the template alone writes it
    std::string          begun;             // what is written behind the prompt for the model
    std::string          told;              // JSON, as cq_templates_apply gives it
    std::atomic<at_once> once{ at_once::untried };
};

// Forms of late. `common` finds out by some forty renderings how a template writes answers, each time anew.
class known_forms {
  public:
    std::shared_ptr<answer_form> find(const std::string & key);
    // Also gives it its number.
    void keep(const std::string & key, const std::shared_ptr<answer_form> & form);

  private:
    static constexpr size_t MOST = 8, MOST_BYTES = 512 << 10; // of each with its key

    std::mutex                                                      mutex;
    std::list<std::pair<std::string, std::shared_ptr<answer_form>>> forms; // the last used first
    int64_t                                                         last = 0;
};

struct cq_templates {
    common_chat_templates_ptr templates;
    const cq_model *          model = nullptr;
    std::string               given;
    text_guard                guard;
    bool                      general = false; // `common` has no code of its own for it
    bool                      calls_at_once = false; // it knows several calls in one answer
    std::optional<common_chat_template> alone; // the same, without what `common` does beside
    mutable known_forms       known;
};

struct cq_parser {
    common_chat_parser_params  params;
    common_chat_msg            message;
    std::string                text, pending; // pending: a character whose last bytes are not there yet
    int                        depth = 0;
    bool                       one_call = false; // what a model calls beyond the first is dropped
    std::vector<std::string>   ids;
    std::unordered_set<size_t> announced;     // tool calls whose id and name are told
};

namespace {

constexpr int    MAX_NESTING = 100;           // of brackets; each level is a level of recursion
constexpr size_t MAX_TEMPLATE = 1 << 20;

// Counts brackets wherever they stand, which is more than there are levels, and refuses too many.
void count_nesting(const char * text, size_t n, int & depth, const char * open, const char * close, reason why, const char * what) {
    for (size_t i = 0; i < n; ++i) {
        char c = text[i];
        if (c == 0) continue;
        if (strchr(open, c)) {
            if (++depth > MAX_NESTING) {
                throw failure(why, std::string(what) + " nested too deeply (expected: at most " + std::to_string(MAX_NESTING) + " levels)");
            }
        } else if (strchr(close, c) && depth > 0) {
            --depth;
        }
    }
}

// Refuses what the template engine would recurse into too deep; null is no template.
void check_template(const char * source) {
    if (!source) return;
    int depth = 0;
    if (strlen(source) > MAX_TEMPLATE) throw failure(reason::templ, "the chat template is larger than 1 MiB");
    count_nesting(source, strlen(source), depth, "([{", ")]}", reason::templ, "the chat template");
}

// --- the request --------------------------------------------------------------------------------------------------------

void check_role(const std::string & role) {
    bool ok = !role.empty() && role.size() <= 32;
    for (char c : role) ok = ok && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-');
    if (!ok) refuse("role: malformed (expected: 1 to 32 letters, digits, _ or -)");
}

json schema_of(const json & body) {
    json schema = value_of(body, "json_schema");
    json format = value_of(body, "response_format");
    if (format.is_object()) {
        std::string type = value_or<std::string>(format, "type", "");
        if (type == "json_object") {
            schema = format.contains("schema") ? format.at("schema") : json::object();
        } else if (type == "json_schema") {
            json wrapper = value_of(format, "json_schema");
            schema = wrapper.is_object() && wrapper.contains("schema") ? wrapper.at("schema") : json::object();
        } else if (!type.empty() && type != "text") {
            refuse("response_format.type: unknown (expected: text, json_object or json_schema)");
        }
    }
    if (schema.is_object() && schema.empty()) schema["type"] = std::string("object");
    return schema;
}

template <typename F> auto or_refuse(F && f) -> decltype(f()) {
    try {
        return f();
    } catch (const failure &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception & e) {
        refuse(e.what());
    }
}

void read_template_arguments(const json & body, common_chat_templates_inputs & in) {
    in.enable_thinking = value_or<bool>(body, "enable_thinking", true);
    json arguments = value_of(body, "chat_template_kwargs");
    if (arguments.is_object()) {
        for (const auto & it : arguments.items()) in.chat_template_kwargs[it.key()] = it.value().dump();
    }
    // These are what the template is rendered from; only the request's own fields may say what they are.
    for (const char * reserved : { "messages", "tools", "bos_token", "eos_token", "add_generation_prompt" }) {
        if (in.chat_template_kwargs.count(reserved)) refuse(std::string("chat_template_kwargs: ") + reserved + " (expected: another name)");
    }
    auto thinking = in.chat_template_kwargs.find("enable_thinking");
    if (thinking != in.chat_template_kwargs.end()) {
        if (thinking->second != "true" && thinking->second != "false") refuse("chat_template_kwargs.enable_thinking: no boolean (expected: true or false)");
        in.enable_thinking = thinking->second == "true";
    }
    std::string effort = value_or<std::string>(body, "reasoning_effort", "");
    if (effort == "none") {
        in.enable_thinking = false;
        in.chat_template_kwargs.erase("reasoning_effort");
    } else if (!effort.empty()) {
        in.chat_template_kwargs["reasoning_effort"] = json(effort).dump();
    }
}

void read_continuation(const json & body, common_chat_templates_inputs & in) {
    json wanted = value_of(body, "continue_final_message");
    if (wanted.is_null()) return;
    in.continue_final_message = common_chat_continuation_parse(wanted);
    if (in.continue_final_message == COMMON_CHAT_CONTINUATION_NONE) return;
    in.add_generation_prompt = false;
    if (in.messages.empty() || in.messages.back().role != "assistant" || !in.messages.back().tool_calls.empty()) {
        refuse("continue_final_message: set (expected: a last message of the assistant without tool calls)");
    }
}

common_chat_templates_inputs read_request(const json & body, const cq_templates & t) {
    if (!body.is_object()) refuse("request: no JSON object");
    if (!body.contains("messages") || !body.at("messages").is_array() || body.at("messages").empty()) {
        refuse("messages: absent (expected: at least one)");
    }
    common_chat_templates_inputs in;
    in.messages = common_chat_msgs_parse_oaicompat(body.at("messages"));
    in.tools    = common_chat_tools_parse_oaicompat(value_of(body, "tools"));
    for (const auto & m : in.messages) {
        check_role(m.role);
        for (const auto & call : m.tool_calls) check_json_depth(call.arguments); // a text inside the JSON: not seen so far
    }
    json choice = value_of(body, "tool_choice");
    in.tool_choice = common_chat_tool_choice_parse_oaicompat(choice.is_string() ? choice.get<std::string>() : choice.is_null() ? "auto" : "required");
    if (in.tools.empty()) in.tool_choice = COMMON_CHAT_TOOL_CHOICE_NONE;
    json schema    = schema_of(body);
    in.json_schema = schema.is_null() ? "" : schema.dump();
    in.grammar     = value_or<std::string>(body, "grammar", "");
    if (!in.grammar.empty() && !in.json_schema.empty()) refuse("grammar: set (expected: not together with a JSON schema)");
    if (!in.grammar.empty() && in.tool_choice != COMMON_CHAT_TOOL_CHOICE_NONE) refuse("grammar: set (expected: not together with tools)");
    in.parallel_tool_calls   = value_or<bool>(body, "parallel_tool_calls", t.calls_at_once);
    in.add_generation_prompt = value_or<bool>(body, "add_generation_prompt", true);
    in.reasoning_format      = COMMON_REASONING_FORMAT_DEEPSEEK;
    read_continuation(body, in);
    read_template_arguments(body, in);
    int64_t now = value_or<int64_t>(body, "now", -1);
    if (now >= 0) in.now = std::chrono::system_clock::from_time_t((time_t) now);
    return in;
}

// Pairs of a role and a text; nothing else is set.
common_chat_templates_inputs read_plain(const char * messages, int32_t length, int64_t now, const cq_templates & t) {
    common_chat_templates_inputs in;
    const char * end = checked(messages) + length;
    auto text = [&] {
        int32_t size = -1;
        if (end - messages >= (ptrdiff_t) sizeof size) memcpy(&size, messages, sizeof size);
        if (size < 0 || end - messages - (ptrdiff_t) sizeof size < size) refuse("messages: cut off (expected: as many bytes as each says)");
        const char * begin = messages + sizeof size;
        messages = begin + size;
        return std::string(begin, messages);
    };
    while (messages < end) {
        auto & m = in.messages.emplace_back();
        m.role = text();
        check_role(m.role);
        m.content = text();
    }
    if (in.messages.empty()) refuse("messages: absent (expected: at least one)");
    in.tool_choice         = COMMON_CHAT_TOOL_CHOICE_NONE;
    in.parallel_tool_calls = t.calls_at_once;
    in.reasoning_format    = COMMON_REASONING_FORMAT_DEEPSEEK;
    in.now                 = std::chrono::system_clock::from_time_t((time_t) now);
    return in;
}

// Every text in the request that its sender chose.
void mask_request(common_chat_templates_inputs & in, text_mask & mask) {
    for (auto & m : in.messages) {
        mask.apply(m.content);
        for (auto & part : m.content_parts) mask.apply(part.text);
        mask.apply(m.reasoning_content);
        mask.apply(m.tool_name);
        mask.apply(m.tool_call_id);
        for (auto & call : m.tool_calls) {
            mask.apply(call.name);
            mask.apply(call.id);
            mask.apply_json(call.arguments);
        }
    }
    for (auto & tool : in.tools) {
        mask.apply(tool.name);
        mask.apply(tool.description);
        mask.apply_json(tool.parameters);
    }
    for (auto & argument : in.chat_template_kwargs) mask.apply_json(argument.second);
}

// --- the result ---------------------------------------------------------------------------------------------------------

json strings(const std::vector<std::string> & values, const text_mask & mask) {
    json out = json::array();
    for (const auto & value : values) out.push_back(mask.remove(value));
    return out;
}

// A word that is one token in this vocabulary triggers by that token.
json triggers(const std::vector<common_grammar_trigger> & all, const llama_vocab * vocab, const text_mask & mask) {
    json out = json::array();
    for (const auto & t : all) {
        json o = json::object();
        auto type = t.type;
        std::string value = mask.remove(t.value);
        if (type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD) {
            auto ids = tokenize(vocab, value, false, true);
            if (ids.size() == 1) {
                type = COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN;
                o["token"] = ids[0];
            }
        } else if (type == COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN) {
            o["token"] = t.token;
        }
        o["type"]  = (int) type;
        o["value"] = value;
        out.push_back(o);
    }
    return out;
}

json preserved(const std::vector<std::string> & texts, const llama_vocab * vocab) {
    json out = json::array();
    for (const auto & text : texts) {
        auto ids = tokenize(vocab, text, false, true);
        if (ids.size() == 1) out.push_back(ids[0]);
    }
    return out;
}

const char * grammar_kind(const common_chat_templates_inputs & in) {
    if (!in.grammar.empty()) return "user";
    return "tool_calls"; // whatever `common` makes begins with what the template has written already
}

json syntax_of(const common_chat_params & p, const common_chat_templates_inputs & in, const llama_vocab * vocab, const text_mask & mask) {
    json s = json::object();
    s["format"]            = (int) p.format;
    s["parser"]            = mask.remove(p.parser);
    s["generation_prompt"] = mask.remove(p.generation_prompt);
    s["parse_tool_calls"]  = in.tool_choice != COMMON_CHAT_TOOL_CHOICE_NONE;
    s["is_continuation"]   = in.continue_final_message != COMMON_CHAT_CONTINUATION_NONE;
    s["grammar"]           = mask.remove(p.grammar);
    s["grammar_kind"]      = std::string(grammar_kind(in));
    s["grammar_lazy"]      = p.grammar_lazy;
    s["triggers"]          = triggers(p.grammar_triggers, vocab, mask);
    s["preserved"]         = preserved(p.preserved_tokens, vocab);
    s["thinking_start"]    = mask.remove(p.thinking_start_tag);
    s["thinking_ends"]     = strings(p.thinking_end_tags, mask);
    return s;
}

std::unique_ptr<cq_parser> new_parser(const json & s) {
    auto p = std::make_unique<cq_parser>();
    int format = value_or<int>(s, "format", 0);
    if (format < 0 || format >= COMMON_CHAT_FORMAT_COUNT) refuse("syntax: unknown format");
    p->params.format            = (common_chat_format) format;
    p->params.reasoning_format  = COMMON_REASONING_FORMAT_DEEPSEEK;
    p->params.generation_prompt = value_or<std::string>(s, "generation_prompt", "");
    p->params.parse_tool_calls  = value_or<bool>(s, "parse_tool_calls", false);
    p->params.is_continuation   = value_or<bool>(s, "is_continuation", false);
    p->one_call                 = value_or<bool>(s, "one_call", false);
    std::string arena = value_or<std::string>(s, "parser", "");
    if (!arena.empty()) or_refuse([&] { p->params.parser.load(arena); return 0; });
    return p;
}

common_chat_msg parse(const cq_parser & p, const std::string & text, bool partial) {
    try {
        return common_chat_parse(text, partial, p.params);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        // its message quotes the answer
        throw failure(reason::parse, "the answer does not have the form that the template promises");
    }
}

// Whether the answer is content and nothing else: no tools, no reasoning, and probes come back unchanged.
bool is_plain(const json & syntax) {
    if (value_or<bool>(syntax, "parse_tool_calls", false) || value_or<bool>(syntax, "is_continuation", false) ||
        !value_or<std::string>(syntax, "thinking_start", "").empty() || value_of(syntax, "thinking_ends").size() > 0) {
        return false;
    }
    auto parser = new_parser(syntax);
    for (const char * probe : { " \n a\n ", "<think>\na\n</think>\n\nb", "x<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>y", "[TOOL_CALLS]", "{\"a\": 1}" }) {
        try {
            auto m = common_chat_parse(probe, false, parser->params);
            if (m.content != probe || !m.reasoning_content.empty() || !m.tool_calls.empty()) return false;
        } catch (const std::exception &) {
            return false;
        }
    }
    return true;
}

// Whether a grammar lets an answer begin so; false also for one that will be refused when it is used.
bool can_begin(const std::string & grammar, const std::string & text, const llama_vocab * vocab) {
    try {
        check_grammar(grammar, vocab);
        bool fits = false;
        on_large_stack([&] {
            log_capture log;
            std::unique_ptr<llama_grammar, decltype(&llama_grammar_free_impl)> g(
                llama_grammar_init_impl(vocab, grammar.c_str(), "root", false, nullptr, 0, nullptr, 0), llama_grammar_free_impl);
            if (!g) return;
            llama_grammar_accept_str(*g, text);
            fits = !g->stacks.empty();
        });
        return fits;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

// A grammar for required calls lets the answer begin with any text, and a weak model may never come to the call. So the text
// with which calls begin is written for it, where the template has one and no thinking comes first.
std::string begin_of_call(const cq_templates & t, const common_chat_templates_inputs & in, const common_chat_params & p) {
    bool thinks = in.enable_thinking && (!p.thinking_start_tag.empty() || !p.thinking_end_tags.empty());
    if (in.tool_choice != COMMON_CHAT_TOOL_CHOICE_REQUIRED || p.grammar.empty() || p.grammar_lazy || thinks || !in.add_generation_prompt) return "";
    auto may = in;
    may.tool_choice = COMMON_CHAT_TOOL_CHOICE_AUTO; // its trigger is that text
    auto probe = common_chat_templates_apply(t.templates.get(), may);
    if (probe.grammar_triggers.empty() || probe.grammar_triggers.front().type != COMMON_GRAMMAR_TRIGGER_TYPE_WORD) return "";
    const std::string & begin = probe.grammar_triggers.front().value;
    return can_begin(p.grammar, p.generation_prompt + begin, t.model->vocab) ? begin : "";
}

// All of a request that its answer's form follows from, where that is not the messages; empty: it may follow from these as well.
std::string form_key(const cq_templates & t, const common_chat_templates_inputs & in, const text_mask & mask, bool one_call) {
    if (!t.general || mask.used() || in.continue_final_message != COMMON_CHAT_CONTINUATION_NONE) return "";
    json key = json::array();
    for (const auto & tool : in.tools) {
        for (const auto * text : { &tool.name, &tool.description, &tool.parameters }) key.push_back(*text);
    }
    for (const auto & it : in.chat_template_kwargs) {
        key.push_back(it.first);
        key.push_back(it.second);
    }
    for (const auto * text : { &in.json_schema, &in.grammar }) key.push_back(*text);
    for (int value : { (int) in.tools.size(), (int) in.tool_choice, (int) in.parallel_tool_calls, (int) in.enable_thinking,
                       (int) in.add_generation_prompt, (int) one_call }) {
        key.push_back(value);
    }
    return key.dump();
}

// Whether `common` changes nothing of the messages before it renders them.
bool is_simple(const cq_templates & t, const common_chat_templates_inputs & in) {
    // What a template writes in front of an answer may follow from whose the last message is.
    if (!t.alone || !in.add_generation_prompt || !in.tools.empty() || in.messages.back().role != "user") return false;
    bool systems = t.alone->original_caps().supports_system_role;
    for (const auto & m : in.messages) {
        bool known = m.role == "user" || m.role == "assistant" || (m.role == "system" && systems);
        bool text  = m.content_parts.empty() && m.tool_calls.empty() && m.reasoning_content.empty() && m.tool_name.empty() && m.tool_call_id.empty();
        if (!known || !text) return false;
    }
    return true;
}

// `common` renders three times, to see what a template writes in front of an answer. That is a quarter of a millisecond each.
std::string render_at_once(const cq_templates & t, const common_chat_templates_inputs & in) {
    autoparser::generation_params params;
    params.messages              = json::array();
    params.add_generation_prompt = true;
    params.enable_thinking       = in.enable_thinking;
    params.now                   = in.now;
    params.add_bos               = llama_vocab_get_add_bos(t.model->vocab);
    params.add_eos               = llama_vocab_get_add_eos(t.model->vocab);
    params.extra_context         = json::object();
    for (const auto & m : in.messages) {
        json one = json::object();
        one["role"]    = m.role;
        one["content"] = m.content;
        params.messages.push_back(one);
    }
    for (const auto & argument : in.chat_template_kwargs) params.extra_context[argument.first] = json::parse(argument.second);
    return common_chat_template_direct_apply(*t.alone, params);
}

// Where the form is known, the prompt alone is rendered, and the form holds if the answer is begun as it was then; else NULL.
std::shared_ptr<answer_form> apply_known(const cq_templates & t, const common_chat_templates_inputs & in, const std::string & key, std::string & prompt) {
    auto form = t.known.find(key);
    if (!form) return nullptr;
    at_once once = form->once;
    bool simple = once != at_once::differs && is_simple(t, in);
    if (simple && once == at_once::fits) {
        prompt = render_at_once(t, in);
        if (!form->generation_prompt.empty() && string_ends_with(prompt, form->generation_prompt)) {
            prompt += form->begun;
            return form;
        }
    }
    auto only_prompt = in;
    only_prompt.force_pure_content = true;
    only_prompt.json_schema.clear(); // they shape the answer, not the prompt
    only_prompt.grammar.clear();
    auto p = common_chat_templates_apply(t.templates.get(), only_prompt);
    if (p.generation_prompt != form->generation_prompt) return nullptr;
    if (simple) form->once = render_at_once(t, in) == p.prompt ? at_once::fits : at_once::differs;
    prompt = p.prompt + form->begun;
    return form;
}

std::shared_ptr<answer_form> apply_whole(const cq_templates & t, const common_chat_templates_inputs & in, const text_mask & mask, bool one_call, std::string & prompt) {
    auto p = common_chat_templates_apply(t.templates.get(), in);
    auto form = std::make_shared<answer_form>();
    form->generation_prompt = p.generation_prompt;
    form->begun             = begin_of_call(t, in, p);
    p.generation_prompt    += form->begun;
    prompt                  = p.prompt + form->begun;
    json syntax             = syntax_of(p, in, t.model->vocab, mask);
    syntax["one_call"]      = one_call; // not all of `common`'s grammars keep to it
    json told = json::object();
    told["plain_text"]       = is_plain(syntax);
    told["constrained"]      = !p.grammar.empty();
    told["additional_stops"] = strings(p.additional_stops, mask);
    told["preserved"]        = syntax["preserved"];
    told["syntax"]           = syntax.dump_safe();
    form->told = told.dump_safe();
    return form;
}

struct rendered_chat {
    std::string                  text; // empty: not wanted
    std::vector<llama_token>     tokens;
    std::shared_ptr<answer_form> form;
};

rendered_chat apply(const cq_templates & t, common_chat_templates_inputs && in, bool one_call, bool with_text) {
    text_mask mask(t.guard);
    mask_request(in, mask);
    std::string prompt, key = form_key(t, in, mask, one_call);
    rendered_chat out;
    try {
        out.form = apply_known(t, in, key, prompt);
        if (!out.form) {
            out.form = apply_whole(t, in, mask, one_call, prompt);
            t.known.keep(key, out.form);
        }
    } catch (const failure &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception & e) {
        throw failure(reason::templ, std::string("the chat template refuses the messages: ") + mask.remove(template_message(e.what())));
    }
    out.tokens = mask.tokenize(prompt, *t.model);
    if (with_text) out.text = mask.remove(prompt);
    return out;
}

// Gives it to the caller, who has to free it; `text` may be NULL.
int32_t * handed_over(const rendered_chat & chat, int64_t * form, char ** told, char ** text, int32_t * count) {
    auto kept = [](char * bytes) { return std::unique_ptr<char, decltype(&cq_free)>(bytes, cq_free); };
    auto ids   = kept(copy_text({ (const char *) chat.tokens.data(), chat.tokens.size() * sizeof(llama_token) }));
    auto news  = kept(*checked(form) == chat.form->number ? nullptr : copy_text(chat.form->told));
    auto words = kept(text ? copy_text(chat.text) : nullptr);
    *checked(count) = (int32_t) chat.tokens.size();
    *form           = chat.form->number;
    *checked(told)  = news.release();
    if (text) *text = words.release();
    return (int32_t *) ids.release();
}

// Whether `common` takes the template for one of those that it has code of its own for, which may look at messages too.
bool is_general(const common_chat_templates * templates) {
    for (const char * variant : { "", "tool_use" }) {
        std::string source = common_chat_templates_source(templates, variant);
        if (source.empty()) continue;
        try {
            common_chat_template probe(source, "", "");
            autoparser::generation_params params;
            params.messages = json::array();
            if (common_chat_try_specialized_template(probe, source, params)) return false;
        } catch (const std::exception &) {
            return false; // it was one, and wanted to see messages
        }
    }
    return true;
}

// `common` trims the messages of one template, which is told by these words.
constexpr const char * TRIMMED = "You have access to the following functions in JSONSchema format";

std::optional<common_chat_template> template_alone(const common_chat_templates * templates, const llama_vocab * vocab) {
    std::string source = common_chat_templates_source(templates, "");
    if (source.empty() || source.find(TRIMMED) != std::string::npos) return std::nullopt;
    auto piece = [&](llama_token token) { return token == LLAMA_TOKEN_NULL ? std::string() : common_token_to_piece(vocab, token, true); };
    return std::optional<common_chat_template>(std::in_place, source, piece(llama_vocab_bos(vocab)), piece(llama_vocab_eos(vocab)));
}

// --- the answer ---------------------------------------------------------------------------------------------------------

// Length without a character that is cut at the end.
size_t whole_characters(const std::string & text) {
    size_t n = text.size();
    for (size_t i = 1; i <= 4 && i <= n; ++i) {
        unsigned char c = (unsigned char) text[n - i];
        if ((c & 0xC0) == 0x80) continue;
        size_t wanted = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return wanted > i ? n - i : n;
    }
    return n;
}

std::string random_id() {
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    thread_local std::mt19937_64 rng{ std::random_device{}() };
    std::string id(32, ' ');
    for (auto & c : id) c = letters[rng() % 62];
    return id;
}

json delta_json(const common_chat_msg_diff & d) {
    json o = json::object();
    if (!d.reasoning_content_delta.empty()) o["reasoning"] = d.reasoning_content_delta;
    if (!d.content_delta.empty()) o["content"] = d.content_delta;
    if (d.tool_call_index != std::string::npos) {
        o["index"] = (int64_t) d.tool_call_index;
        if (!d.tool_call_delta.id.empty()) o["id"] = d.tool_call_delta.id;
        if (!d.tool_call_delta.name.empty()) o["name"] = d.tool_call_delta.name;
        if (!d.tool_call_delta.arguments.empty()) o["arguments"] = d.tool_call_delta.arguments;
    }
    return o;
}

void announce(cq_parser & p, size_t index, std::vector<common_chat_msg_diff> & out) {
    common_chat_msg_diff header;
    header.tool_call_index      = index;
    header.tool_call_delta.id   = p.message.tool_calls[index].id;
    header.tool_call_delta.name = p.message.tool_calls[index].name;
    out.push_back(std::move(header));
    p.announced.insert(index);
}

// A call's name may still grow until its arguments begin, so it is told then, once.
std::vector<common_chat_msg_diff> with_whole_names(cq_parser & p, std::vector<common_chat_msg_diff> && all, bool last) {
    std::vector<common_chat_msg_diff> out;
    auto announce_if = [&](const std::function<bool(size_t)> & due) {
        for (size_t i = 0; i < p.message.tool_calls.size(); ++i) {
            if (!p.announced.count(i) && !p.message.tool_calls[i].name.empty() && due(i)) announce(p, i, out);
        }
    };
    for (auto & d : all) {
        // What is still to come of an earlier call comes before the next one is told.
        announce_if([&](size_t i) { return i < d.tool_call_index || (i == d.tool_call_index && !d.tool_call_delta.arguments.empty()); });
        if (d.tool_call_index == std::string::npos) {
            out.push_back(std::move(d));
        } else if (p.announced.count(d.tool_call_index) && !d.tool_call_delta.arguments.empty()) {
            d.tool_call_delta.name.clear();
            d.tool_call_delta.id.clear();
            out.push_back(std::move(d));
        }
    }
    if (last) announce_if([](size_t) { return true; });
    return out;
}

json push(cq_parser & p, const std::string & text, bool last) {
    count_nesting(text.data(), text.size(), p.depth, "[{", "]}", reason::parse, "the answer");
    p.pending += text;
    size_t whole = last ? p.pending.size() : whole_characters(p.pending);
    p.text.append(p.pending, 0, whole);
    p.pending.erase(0, whole);
    json deltas = json::array();
    if (whole == 0 && !last) return deltas;
    auto message = parse(p, p.text, !last);
    if (message.empty()) return deltas;
    if (p.one_call && message.tool_calls.size() > 1) message.tool_calls.resize(1);
    message.set_tool_call_ids(p.ids, random_id);
    auto before = std::move(p.message);
    p.message = std::move(message);
    std::vector<common_chat_msg_diff> diffs;
    try {
        diffs = common_chat_msg_diff::compute_diffs(before, p.message);
    } catch (const std::exception &) {
        throw failure(reason::parse, "the answer's parts changed while it grew");
    }
    for (auto & d : with_whole_names(p, std::move(diffs), last)) deltas.push_back(delta_json(d));
    return deltas;
}

} // namespace

std::shared_ptr<answer_form> known_forms::find(const std::string & key) {
    if (key.empty()) return nullptr;
    std::lock_guard<std::mutex> lock(mutex);
    auto found = std::find_if(forms.begin(), forms.end(), [&](const auto & one) { return one.first == key; });
    if (found == forms.end()) return nullptr;
    forms.splice(forms.begin(), forms, found);
    return found->second;
}

void known_forms::keep(const std::string & key, const std::shared_ptr<answer_form> & form) {
    std::lock_guard<std::mutex> lock(mutex);
    form->number = ++last;
    if (key.empty() || key.size() + form->told.size() > MOST_BYTES) return;
    forms.remove_if([&](const auto & one) { return one.first == key; });
    forms.emplace_front(key, form);
    if (forms.size() > MOST) forms.pop_back();
}

CQ_API cq_templates * cq_templates_new(const cq_model * model, const char * given, int32_t length, char ** error) {
    return guarded<cq_templates *>(error, nullptr, [&] {
        auto t = std::make_unique<cq_templates>();
        t->model = checked(model);
        t->given = std::string(length > 0 ? checked(given) : "", (size_t) std::max(length, 0));
        check_template(t->given.c_str());
        check_template(llama_model_chat_template(model->model, nullptr));
        check_template(llama_model_chat_template(model->model, "tool_use"));
        try {
            t->templates = common_chat_templates_init(model->model, t->given);
        } catch (const std::bad_alloc &) {
            throw;
        } catch (const std::exception &) {
            // `common` slices the message away; a second parse tells it
            const char * source = t->given.empty() ? llama_model_chat_template(model->model, nullptr) : t->given.c_str();
            try {
                common_chat_template probe(source ? source : "", "", "");
            } catch (const std::exception & e) {
                throw failure(reason::templ, std::string("the model's chat template is malformed: ") + template_message(e.what()));
            }
            throw failure(reason::templ, "the model's chat template is malformed");
        }
        t->guard = text_guard(model->control_texts);
        t->general = is_general(t->templates.get());
        t->calls_at_once = common_chat_templates_get_caps(t->templates.get())["supports_parallel_tool_calls"];
        if (t->general) t->alone = template_alone(t->templates.get(), model->vocab);
        return t.release();
    });
}

CQ_API void cq_templates_free(cq_templates * templates) { delete templates; }

CQ_API char * cq_templates_info(const cq_templates * t, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        auto caps = common_chat_templates_get_caps(checked(t)->templates.get());
        json out = json::object();
        bool explicitly        = common_chat_templates_was_explicit(t->templates.get());
        out["source"]          = std::string(!t->given.empty() ? "GIVEN" : explicitly ? "MODEL" : "CHATML");
        out["tools"]           = caps["supports_tools"]; // some render earlier calls, but do not tell the tools
        out["parallelTools"]   = caps["supports_parallel_tool_calls"];
        out["systemRole"]      = caps["supports_system_role"];
        out["reasoning"]       = caps["supports_preserve_reasoning"] || common_chat_templates_support_enable_thinking(t->templates.get());
        out["reasoningSwitch"] = common_chat_templates_support_enable_thinking(t->templates.get());
        return copy_text(out.dump_safe());
    });
}

CQ_API int32_t * cq_templates_apply(const cq_templates * t, const char * request, int32_t length, int64_t * form, char ** told, char ** text,
                                    int32_t * count, char ** error) {
    return guarded<int32_t *>(error, nullptr, [&] {
        json body = parse_json(request, length);
        auto in = or_refuse([&] { return read_request(body, *checked(t)); });
        bool one_call = !value_or<bool>(body, "parallel_tool_calls", true);
        return handed_over(apply(*t, std::move(in), one_call, text != nullptr), form, told, text, count);
    });
}

CQ_API int32_t * cq_templates_apply_plain(const cq_templates * t, const char * messages, int32_t length, int64_t now, int64_t * form,
                                          char ** told, int32_t * count, char ** error) {
    return guarded<int32_t *>(error, nullptr, [&] {
        return handed_over(apply(*checked(t), read_plain(messages, length, now, *t), false, false), form, told, nullptr, count);
    });
}

CQ_API cq_parser * cq_parser_new(const char * syntax, int32_t length, char ** error) {
    return guarded<cq_parser *>(error, nullptr, [&] {
        auto p = new_parser(json::parse(std::string(checked(syntax), (size_t) length)));
        if (p->params.is_continuation) p->message = parse(*p, "", true); // what was there already is no delta
        return p.release();
    });
}

CQ_API void cq_parser_free(cq_parser * parser) { delete parser; }

CQ_API char * cq_parser_push(cq_parser * parser, const char * text, int32_t length, int32_t last, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        return copy_text(push(*checked(parser), std::string(length ? checked(text) : "", (size_t) length), last != 0).dump_safe());
    });
}

CQ_API char * cq_grammar_from_schema(const char * schema, int32_t length, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        json parsed = parse_json(schema, length);
        return or_refuse([&] { return copy_text(json_schema_to_grammar(parsed, true)); });
    });
}
