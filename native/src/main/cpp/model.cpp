// Models and their vocabularies.
#include "fast_grammar.h"
#include "internal.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace {

struct load_state {
    float   progress;
    int32_t cancel;
};

bool on_progress(float progress, void * data) {
    auto * state = (load_state *) data;
    __atomic_store(&state->progress, &progress, __ATOMIC_RELAXED);
    return __atomic_load_n(&state->cancel, __ATOMIC_RELAXED) == 0;
}

std::string piece_of(const llama_vocab * vocab, llama_token token) {
    char    small[64];
    int32_t n = llama_token_to_piece(vocab, token, small, sizeof(small), 0, true);
    if (n >= 0) return std::string(small, (size_t) n);
    std::string large((size_t) -n, 0);
    n = llama_token_to_piece(vocab, token, large.data(), (int32_t) large.size(), 0, true);
    large.resize((size_t) std::max(n, 0));
    return large;
}

// Of POOLING: how the file says that states become a vector; empty: not said.
std::string pooling(const llama_model * model, const std::string & arch) {
    static const char * const names[] = { "", "MEAN", "CLS", "LAST", "RANK" };
    std::string value = meta_of_arch(model, arch, ".pooling_type");
    size_t index = value.empty() ? 0 : (size_t) atoll(value.c_str());
    return names[index < 5 ? index : 0];
}

void read_vocabulary(cq_model & m) {
    m.vocab   = llama_model_get_vocab(m.model);
    m.n_vocab = llama_vocab_n_tokens(m.vocab);
    m.flags.resize((size_t) m.n_vocab);
    for (llama_token t = 0; t < m.n_vocab; ++t) {
        auto   attr  = (int) llama_vocab_get_attr(m.vocab, t);
        int8_t flags = 0;
        if (llama_vocab_is_eog(m.vocab, t)) flags |= END_OF_GENERATION;
        if (llama_vocab_is_control(m.vocab, t)) flags |= CONTROL;
        if (attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) flags |= HIDDEN;
        m.flags[(size_t) t] = flags;
        // What the tokenizer looks for in text when told to recognise special tokens.
        if (attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN | LLAMA_TOKEN_ATTR_USER_DEFINED)) {
            const char * text = llama_vocab_get_text(m.vocab, t);
            if ((attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) && text && *text) m.control_texts.push_back(text);
        }
    }
}

std::string quantization(const llama_model * model) {
    // "llama 1B Q4_K - Medium": what follows the size
    char desc[256];
    llama_model_desc(model, desc, sizeof(desc));
    std::string text = desc;
    size_t first = text.find(' '), second = first == std::string::npos ? first : text.find(' ', first + 1);
    return second == std::string::npos ? "" : text.substr(second + 1);
}

// A backend that lays weights out in its own way (matrix units, GPUs) has copied them, and the mapped file still takes the same
// memory again. Lets go of its pages; those that are used after all come back from the page cache.
void release_mapped(const std::string & file) {
    std::unique_ptr<char, decltype(&free)> real(realpath(file.c_str(), nullptr), free);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; real && std::getline(maps, line);) {
        std::string name = real.get();
        if (line.size() <= name.size() || line.compare(line.size() - name.size(), name.size(), name) != 0) continue;
        uintptr_t from = 0, to = 0;
        if (sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2) madvise((void *) from, to - from, MADV_DONTNEED);
    }
}

} // namespace

std::string meta(const llama_model * model, const char * key) {
    char    small[256];
    int32_t n = llama_model_meta_val_str(model, key, small, sizeof(small));
    return n < 0 ? "" : std::string(small, std::min<size_t>((size_t) n, sizeof(small) - 1));
}

// What llama.cpp gives no memory of tokens (llama_model::create_memory of the pinned release); it tells only when a context
// is there.
bool keeps_memory(const std::string & arch) {
    static const char * const without[] = { "bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe", "neo-bert",
                                            "eurobert", "wavtokenizer-dec", "modern-bert", "gemma-embedding", "dream", "llada",
                                            "llada-moe", "rnd1" };
    return std::find(std::begin(without), std::end(without), arch) == std::end(without);
}

// Bytes of a token's keys and values in F16: of the layers that keep any.
int64_t kv_bytes(const llama_model * model, const std::string & arch) {
    if (llama_model_is_recurrent(model)) return 0;
    int64_t heads = std::max(llama_model_n_head(model), 1);
    int64_t width = llama_model_n_embd(model) / heads;
    std::string k = meta_of_arch(model, arch, ".attention.key_length"), v = meta_of_arch(model, arch, ".attention.value_length");
    int64_t width_k = k.empty() ? width : atoll(k.c_str());
    int64_t width_v = v.empty() ? width : atoll(v.c_str());
    return (int64_t) llama_model_n_layer(model) * llama_model_n_head_kv(model) * (width_k + width_v) * 2;
}

std::string meta_of_arch(const llama_model * model, const std::string & arch, const char * key) {
    return meta(model, (arch + key).c_str());
}

// The tokenizer takes time by the square of the special tokens in a text.
static void check_special_tokens(const llama_vocab * vocab, const std::string & text, bool parse_special) {
    constexpr size_t HARMLESS = 64 << 10; // bytes of text
    constexpr size_t MOST     = 16384;
    if (text.size() <= HARMLESS) return;
    int    wanted = LLAMA_TOKEN_ATTR_USER_DEFINED | (parse_special ? LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN : 0);
    size_t found  = 0;
    for (llama_token t = 0; t < llama_vocab_n_tokens(vocab); ++t) {
        if (!((int) llama_vocab_get_attr(vocab, t) & wanted)) continue;
        std::string special = llama_vocab_get_text(vocab, t);
        if (special.empty()) continue;
        for (size_t at = text.find(special); at != std::string::npos; at = text.find(special, at + special.size())) {
            if (++found > MOST) refuse("text: too many special tokens (expected: at most " + std::to_string(MOST) + ")");
        }
    }
}

std::vector<llama_token> tokenize(const llama_vocab * vocab, const std::string & text, bool add_special, bool parse_special) {
    if (text.size() > (size_t) INT32_MAX / 2) refuse("text: " + std::to_string(text.size()) + " bytes (expected: less than 1 GiB)");
    check_special_tokens(vocab, text, parse_special);
    std::vector<llama_token> tokens(text.size() / 2 + 16);
    int32_t n = llama_tokenize(vocab, text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(), add_special, parse_special);
    if (n == INT32_MIN) refuse("text: too long to tokenize");
    if (n < 0) {
        tokens.resize((size_t) -n);
        n = llama_tokenize(vocab, text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(), add_special, parse_special);
    }
    tokens.resize((size_t) std::max(n, 0));
    return tokens;
}

std::vector<llama_token> with_ends(const llama_vocab * vocab, std::vector<llama_token> && tokens) {
    if (llama_vocab_get_add_bos(vocab) && llama_vocab_bos(vocab) != LLAMA_TOKEN_NULL) tokens.insert(tokens.begin(), llama_vocab_bos(vocab));
    if (llama_vocab_get_add_eos(vocab) && llama_vocab_eos(vocab) != LLAMA_TOKEN_NULL) tokens.push_back(llama_vocab_eos(vocab));
    return std::move(tokens);
}

int32_t count_gpus() {
    int32_t count = 0;
    for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        auto type = ggml_backend_dev_type(ggml_backend_dev_get(i));
        if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) ++count;
    }
    return count;
}

std::vector<float> device_shares(const float * shares, int32_t count) {
    if (count < 0 || (size_t) count > llama_max_devices()) {
        refuse("tensor-split: " + std::to_string(count) + " shares (expected: at most " + std::to_string(llama_max_devices()) + ")");
    }
    std::vector<float> all;
    if (count > 0) {
        all.assign(checked(shares), shares + count);
        all.resize(llama_max_devices()); // llama.cpp reads that many
    }
    return all;
}

llama_model_params model_params(const int32_t * placement, const std::vector<float> & shares) {
    static const enum llama_split_mode modes[] = { LLAMA_SPLIT_MODE_LAYER, LLAMA_SPLIT_MODE_ROW, LLAMA_SPLIT_MODE_NONE };
    int32_t layers = checked(placement)[0], mode = placement[1], first = placement[2];
    if (mode < 0 || mode > 2) refuse("split-mode: " + std::to_string(mode) + " (expected: 0 to 2)");
    int32_t gpus = count_gpus();
    if (first < 0 || (first > 0 && first >= gpus)) {
        refuse("main-gpu: " + std::to_string(first) + " (expected: less than " + std::to_string(std::max(gpus, 1)) + ", the number of GPUs)");
    }
    auto params = llama_model_default_params();
    params.n_gpu_layers = layers;
    params.split_mode   = modes[mode];
    params.main_gpu     = first;
    params.tensor_split = shares.empty() ? nullptr : shares.data();
    return params;
}

CQ_API cq_model * cq_model_load(const char * path, int32_t length, const int32_t * placement, const float * shares,
                                int32_t share_count, int32_t memory_map, void * progress, char ** error) {
    return guarded<cq_model *>(error, nullptr, [&] {
        std::string file(checked(path), (size_t) length);
        auto share_of = device_shares(shares, share_count);
        auto params = model_params(placement, share_of);
        params.load_mode                   = memory_map ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
        params.progress_callback           = on_progress;
        params.progress_callback_user_data = checked(progress);
        auto m = std::make_unique<cq_model>();
        log_capture log;
        m->model = llama_model_load_from_file(file.c_str(), params);
        if (!m->model) {
            if (__atomic_load_n(&((load_state *) progress)->cancel, __ATOMIC_RELAXED) != 0) {
                throw failure(reason::aborted, "the load was ended");
            }
            std::string why = log.text();
            throw failure(reason::load_failed, "cannot load " + file + (why.empty() ? "" : ": " + why));
        }
        if (llama_vocab_type(llama_model_get_vocab(m->model)) == LLAMA_VOCAB_TYPE_NONE) {
            throw failure(reason::load_failed, "cannot load " + file + ": it has no vocabulary");
        }
        if (memory_map) release_mapped(file);
        read_vocabulary(*m);
        m->arch      = meta(m->model, "general.architecture");
        m->generates = keeps_memory(m->arch);
        m->kv_bytes  = m->generates ? kv_bytes(m->model, m->arch) : 0;
        m->on_host   = params.n_gpu_layers == 0 || count_gpus() == 0;
        return m.release();
    });
}

CQ_API int32_t cq_model_add_adapter(cq_model * model, const char * path, int32_t length, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        std::string file(checked(path), (size_t) length);
        log_capture log;
        llama_adapter_lora * adapter = llama_adapter_lora_init(checked(model)->model, file.c_str());
        if (!adapter) {
            std::string why = log.text();
            throw failure(reason::load_failed, "cannot load adapter " + file + (why.empty() ? "" : ": " + why));
        }
        model->adapters.push_back(adapter);
        return (int32_t) model->adapters.size() - 1;
    });
}

CQ_API void cq_model_free(cq_model * model) {
    if (model) forget_pieces(model->vocab);
    delete model;
    return_memory();
}

CQ_API char * cq_model_info(const cq_model * model, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        const llama_model * m = checked(model)->model;
        char desc[256];
        llama_model_desc(m, desc, sizeof(desc));
        json out = json::object();
        out["description"]     = std::string(desc);
        out["architecture"]    = model->arch;
        out["name"]            = meta(m, "general.name");
        out["quantization"]    = quantization(m);
        out["sizeBytes"]       = (int64_t) llama_model_size(m);
        out["parameters"]      = (int64_t) llama_model_n_params(m);
        out["vocabSize"]       = model->n_vocab;
        out["trainedContext"]  = llama_model_n_ctx_train(m);
        out["embedding"]       = llama_model_n_embd(m);
        out["layers"]          = llama_model_n_layer(m);
        out["headsKv"]         = llama_model_n_head_kv(m);
        out["swaWindow"]       = llama_model_n_swa(m);
        out["recurrent"]       = llama_model_is_recurrent(m);
        out["hybrid"]          = llama_model_is_hybrid(m);
        out["hasEncoder"]      = llama_model_has_encoder(m);
        out["hasChatTemplate"] = llama_model_chat_template(m, nullptr) != nullptr;
        out["addBos"]          = llama_vocab_get_add_bos(model->vocab);
        out["bos"]             = llama_vocab_bos(model->vocab);
        out["eos"]             = llama_vocab_eos(model->vocab);
        out["sep"]             = llama_vocab_get_add_sep(model->vocab) ? llama_vocab_sep(model->vocab) : LLAMA_TOKEN_NULL;
        out["addEos"]          = llama_vocab_get_add_eos(model->vocab);
        out["kvBytesPerToken"] = model->kv_bytes;
        out["generates"]       = model->generates;
        out["pooling"]         = pooling(m, model->arch);
        out["embeddingWidth"]  = llama_model_n_embd_out(m);
        const char * rerank    = llama_model_chat_template(m, "rerank");
        out["rerankTemplate"]  = std::string(rerank ? rerank : "");
        return copy_text(out.dump_safe());
    });
}

CQ_API int32_t cq_vocab_pieces(const cq_model * model, int32_t * ends, int8_t * flags, char * bytes, int32_t capacity, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        int32_t end = 0;
        for (llama_token t = 0; t < checked(model)->n_vocab; ++t) {
            std::string piece = piece_of(model->vocab, t);
            if ((int64_t) end + (int64_t) piece.size() > INT32_MAX) refuse("vocabulary: more than 2 GiB of text");
            if ((int64_t) end + (int64_t) piece.size() <= capacity) memcpy(bytes + end, piece.data(), piece.size());
            end += (int32_t) piece.size();
            ends[t]  = end;
            flags[t] = model->flags[(size_t) t];
        }
        return end;
    });
}

CQ_API int32_t cq_tokenize(const cq_model * model, const char * text, int32_t length, int32_t add_special, int32_t parse_special,
                           int32_t * out, int32_t capacity, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        std::string given(checked(text), (size_t) length);
        bool prompt = add_special != 0 && parse_special != 0;
        auto tokens = prompt ? checked(model)->pieces.tokenize(model->vocab, given, false)
                             : tokenize(checked(model)->vocab, given, add_special != 0, parse_special != 0);
        if (tokens.size() <= (size_t) capacity) std::copy(tokens.begin(), tokens.end(), out);
        return (int32_t) tokens.size();
    });
}

CQ_API int32_t cq_detokenize(const cq_model * model, const int32_t * tokens, int32_t count, char * out, int32_t capacity, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        for (int32_t i = 0; i < count; ++i) {
            if (tokens[i] < 0 || tokens[i] >= checked(model)->n_vocab) refuse("token: " + std::to_string(tokens[i]));
        }
        int32_t n = llama_detokenize(checked(model)->vocab, tokens, count, out, capacity, false, true);
        if (n < 0) refuse("text: " + std::to_string(-n) + " bytes (expected: at most " + std::to_string(capacity) + ")");
        return n;
    });
}
