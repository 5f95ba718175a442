// What the shim's files share: handles, errors, and how a function is guarded.
#pragma once

#include "chasqui_llama.h"

#include "ggml-backend.h"
#include "json.h"
#include "known_pieces.h"
#include "llama.h"

#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using json = common_json;

// In the order of LlamaException.Reason.
enum class reason : char {
    invalid_request,
    templ,
    parse,
    load_failed,
    aborted,
    out_of_memory,
    unsupported_platform,
    version_mismatch,
    decode_failed,
    internal,
};

struct failure : std::runtime_error {
    reason why;
    failure(reason why, const std::string & what) : std::runtime_error(what), why(why) {}
};

[[noreturn]] inline void refuse(const std::string & what) { throw failure(reason::invalid_request, what); }

char * copy_text(const std::string & text);              // for cq_free; throws std::bad_alloc
char * error_text(reason why, const char * what) noexcept;

// Runs f; an exception becomes *error and the value `failed`.
template <typename R, typename F> R guarded(char ** error, R failed, F && f) noexcept {
    char * text = nullptr;
    try {
        if (error) *error = nullptr;
        return f();
    } catch (const failure & e) {
        text = error_text(e.why, e.what());
    } catch (const common_json_error &) {
        text = error_text(reason::invalid_request, "malformed JSON"); // its own message quotes the text
    } catch (const std::bad_alloc &) {
        text = error_text(reason::out_of_memory, "out of memory");
    } catch (const std::exception & e) {
        text = error_text(reason::internal, e.what());
    } catch (...) {
        text = error_text(reason::internal, "unknown exception");
    }
    if (error) *error = text; else cq_free(text);
    return failed;
}

template <typename T> T * checked(T * handle) {
    if (!handle) refuse("handle: null");
    return handle;
}

// Flags of a token, as in cq_vocab_pieces.
constexpr int8_t END_OF_GENERATION = 1, CONTROL = 2, HIDDEN = 4;

struct cq_model {
    llama_model *       model = nullptr;
    const llama_vocab * vocab = nullptr;
    int32_t             n_vocab = 0;
    int64_t             kv_bytes = 0;          // of a token, with keys and values in F16
    bool                on_host = true;        // nothing of it is on a GPU
    std::string         arch;
    bool                generates = true;      // keeps a memory of tokens; else it sees a whole text at once, and only embeds
    std::vector<int8_t> flags;                 // by token
    std::vector<llama_adapter_lora *> adapters; // freed with the model
    std::vector<std::string> control_texts;    // texts that the tokenizer would turn into special tokens
    mutable known_pieces pieces;

    ~cq_model() { if (model) llama_model_free(model); }
};

struct cq_context {
    llama_context *      ctx = nullptr;
    const cq_model *     model = nullptr;
    struct ggml_threadpool * pool = nullptr;
    struct ggml_threadpool * pool_batch = nullptr; // the same where both have as many threads
    bool                 own_pools = true;     // else they are those of the context beside which it was made
    int32_t              n_seq = 0;
    int32_t              n_batch = 0;
    int32_t              n_outputs = 0;        // most rows with output in a batch
    bool                 unified = false;
    int32_t              rows = 0;             // of the last decode that succeeded
    std::vector<int32_t> n_seq_id;             // all 1
    std::vector<llama_seq_id *> seq_id;
    std::vector<uint8_t> copied_from, copied_to; // by sequence: in a copy whose data moves with the next decode
    std::vector<float>   scratch;              // shared by the samplers
    int64_t              stream_bytes = 0;     // of one sequence's cells, used or not
    ggml_backend_t       rests = nullptr;      // computes nothing: a pool that is taken away from it sleeps
    std::vector<uint8_t> moving;               // a sequence on its way between two contexts

    ~cq_context();
};

// runtime.cpp: what llama.cpp logs on this thread while this lives, for the reason of a failure.
struct log_capture {
    log_capture();
    ~log_capture();
    std::string text() const; // errors and warnings, one line

  private:
    log_capture * outer;
    std::string   lines;
    friend void   cq_log(enum ggml_log_level, const char *, void *);
};

// Runs work on a thread of its own with a stack for deep recursion, and waits. Exceptions come back.
void on_large_stack(const std::function<void()> & work);

// JSON from outside, refused when nested so deeply that the recursion of its users could overflow the stack.
json parse_json(const char * text, int32_t length);
void check_json_depth(const std::string & text);

template <typename T> T value_or(const json & object, const char * key, T fallback) {
    if (!object.is_object() || !object.contains(key) || object.at(key).is_null()) return fallback;
    return object.at(key).get<T>();
}
inline json value_of(const json & object, const char * key) {
    return object.is_object() && object.contains(key) ? object.at(key) : json();
}

std::vector<llama_token> tokenize(const llama_vocab * vocab, const std::string & text, bool add_special, bool parse_special);
// A prompt's tokens with those around them that begin and end one, where the vocabulary wants them.
std::vector<llama_token> with_ends(const llama_vocab * vocab, std::vector<llama_token> && tokens);

// context.cpp: what contexts need of the machine.
struct ggml_threadpool * new_pool(int32_t threads);
void free_pool(struct ggml_threadpool * pool); // null: nothing
bool abort_wanted(void * flag);
llama_context_params context_params(const int32_t * options, int32_t count, const void * abort_flag); // checked
void check_memory(const cq_model * model, const llama_context_params & params);

// model.cpp: of the model's file; empty where it says nothing. The key follows the architecture's name.
std::string meta_of_arch(const llama_model * model, const std::string & arch, const char * key);
std::string meta(const llama_model * model, const char * key);
bool keeps_memory(const std::string & arch); // of tokens; else it sees a whole text at once
int64_t kv_bytes(const llama_model * model, const std::string & arch); // of a token's keys and values in F16

// runtime.cpp: what was freed goes back to the system, instead of waiting in the allocator for who comes next.
void return_memory();

// lazy_zero.cpp: once, before the first model.
void zero_lazily();

int32_t count_gpus();
std::vector<float> device_shares(const float * shares, int32_t count); // checked, and as long as llama.cpp reads
llama_model_params model_params(const int32_t * placement, const std::vector<float> & shares); // which have to stay
const char * device_kind(ggml_backend_dev_t device);

// sampler.cpp: logits of a row of the last decode.
float * logits_of(cq_context * context, int32_t row);
