// Contexts: decoding, the memory of sequences, their states.
#include "internal.h"

#include "ggml-backend.h"
#include "ggml-cpu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

constexpr int32_t MIN_OUTPUTS = 256;

enum option { CONTEXT, SEQUENCES, BATCH, MICRO_BATCH, THREADS, BATCH_THREADS, FLASH, TYPE_K, TYPE_V, UNIFIED, OPTIONS };

ggml_type kv_type(int32_t index) {
    static const ggml_type types[] = { GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q5_1,
                                       GGML_TYPE_Q5_0, GGML_TYPE_Q4_1, GGML_TYPE_Q4_0, GGML_TYPE_IQ4_NL };
    if (index < 0 || index >= (int32_t) (sizeof(types) / sizeof(*types))) refuse("kv type: " + std::to_string(index));
    return types[index];
}

llama_context_params params_from(const int32_t * o, const void * abort_flag) {
    auto p = llama_context_default_params();
    int64_t cells = o[UNIFIED] ? (int64_t) o[CONTEXT] : (int64_t) o[CONTEXT] * o[SEQUENCES];
    if (o[CONTEXT] < 1 || o[SEQUENCES] < 1 || o[SEQUENCES] > (int32_t) llama_max_parallel_sequences() || cells > INT32_MAX / 2) {
        refuse("context: " + std::to_string(o[CONTEXT]) + " tokens for " + std::to_string(o[SEQUENCES]) +
               " sequences (expected: less than 2^30 in all, at most " + std::to_string(llama_max_parallel_sequences()) + " sequences)");
    }
    if (o[BATCH] < o[SEQUENCES] || o[MICRO_BATCH] < 1 || o[THREADS] < 1 || o[BATCH_THREADS] < 1 ||
        std::max(o[THREADS], o[BATCH_THREADS]) > GGML_MAX_N_THREADS) {
        refuse("context: batch or threads out of range");
    }
    p.n_ctx               = (uint32_t) cells;
    p.n_batch             = (uint32_t) o[BATCH];
    p.n_ubatch            = (uint32_t) o[MICRO_BATCH];
    p.n_seq_max           = (uint32_t) o[SEQUENCES];
    // Logits of a whole batch would reserve vocabulary x batch floats that nobody reads.
    p.n_outputs_max       = (uint32_t) std::min(o[BATCH], std::max(o[SEQUENCES], MIN_OUTPUTS));
    p.n_threads           = o[THREADS];
    p.n_threads_batch     = o[BATCH_THREADS];
    p.flash_attn_type     = o[FLASH] == 1 ? LLAMA_FLASH_ATTN_TYPE_ENABLED : o[FLASH] == 2 ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
    p.type_k              = kv_type(o[TYPE_K]);
    p.type_v              = kv_type(o[TYPE_V]);
    p.kv_unified          = o[UNIFIED] != 0;
    p.no_perf             = true;
    p.abort_callback      = abort_wanted;
    p.abort_callback_data = const_cast<void *>(abort_flag);
    return p;
}

// Functions of the CPU library that ggml picked, which this library is not linked with.
template <typename F> F cpu_function(const char * name) {
    auto * reg = ggml_backend_dev_backend_reg(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
    auto   f   = (F) ggml_backend_reg_get_proc_address(reg, name);
    if (!f) throw failure(reason::version_mismatch, std::string("the CPU library has no ") + name);
    return f;
}

void check_sequence(const cq_context * c, int32_t sequence) {
    if (sequence < 0 || sequence >= checked(c)->n_seq) {
        refuse("sequence: " + std::to_string(sequence) + " (expected: 0 to " + std::to_string(c->n_seq - 1) + ")");
    }
}

// Data of a copied stream moves only at the start of the next decode; until then its state cannot be read or overwritten.
void check_no_copy(const cq_context * c, int32_t sequence) {
    if (c->copied_to[(size_t) sequence] || c->copied_from[(size_t) sequence]) {
        refuse("sequence: " + std::to_string(sequence) + " (expected: one not copied since the last decode)");
    }
}

struct batch_view {
    const int32_t * tokens, * positions, * sequences;
    const int8_t *  outputs;
};

batch_view view(const void * batch, int32_t capacity) {
    auto * ints = (const int32_t *) batch;
    return { ints, ints + capacity, ints + 2 * (size_t) capacity, (const int8_t *) (ints + 3 * (size_t) capacity) };
}

void check_batch(const cq_context * c, const batch_view & b, int32_t count) {
    int32_t outputs = 0;
    for (int32_t i = 0; i < count; ++i) {
        if (b.tokens[i] < 0 || b.tokens[i] >= c->model->n_vocab) refuse("token: " + std::to_string(b.tokens[i]));
        if (b.positions[i] < 0) refuse("position: " + std::to_string(b.positions[i]) + " (expected: 0 or more)");
        check_sequence(c, b.sequences[i]);
        outputs += b.outputs[i] != 0;
    }
    if (outputs > c->n_outputs) {
        refuse("outputs: " + std::to_string(outputs) + " (expected: at most " + std::to_string(c->n_outputs) + " in a batch)");
    }
}

} // namespace

llama_context_params context_params(const int32_t * options, int32_t count, const void * abort_flag) {
    if (count != OPTIONS) refuse("context options: " + std::to_string(count));
    return params_from(options, abort_flag);
}

bool abort_wanted(void * flag) { return __atomic_load_n((const int32_t *) flag, __ATOMIC_RELAXED) != 0; }

static double bytes_of(ggml_type type) { return (double) ggml_type_size(type) / (double) ggml_blck_size(type); }

// llama.cpp would take what bookkeeping needs, gigabytes for a huge context, before it finds that the rest cannot be had.
void check_memory(const cq_model * model, const llama_context_params & p) {
    constexpr double BOOKKEEPING = 64; // bytes of a cell
    double needed = (double) p.n_ctx * (BOOKKEEPING + (double) model->kv_bytes / 2 * (bytes_of(p.type_k) + bytes_of(p.type_v)) / 2);
    double present = 0;
    for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(ggml_backend_dev_get(i), &free, &total);
        present += (double) total;
    }
    if (needed > present) {
        char text[160];
        snprintf(text, sizeof(text), "context: %u tokens need about %.1f GiB (expected: less than the %.1f GiB of this machine)", p.n_ctx,
                 needed / (1 << 30), present / (1 << 30));
        throw failure(reason::out_of_memory, text);
    }
}

// Without OpenMP, decodes would start threads each time; a pool keeps them.
ggml_threadpool * new_pool(int32_t threads) {
    auto params = ggml_threadpool_params_default(threads);
    // Some milliseconds, which is longer than between two steps. The default is a third of a second, in which the rest of the
    // machine, that has the next request to bring, waits for these threads.
    params.poll = 1;
    auto * pool = cpu_function<decltype(&ggml_threadpool_new)>("ggml_threadpool_new")(&params);
    if (!pool) throw failure(reason::out_of_memory, "cannot start " + std::to_string(threads) + " threads");
    return pool;
}

void free_pool(ggml_threadpool * pool) {
    if (!pool) return;
    auto free = (decltype(&ggml_threadpool_free)) ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)), "ggml_threadpool_free");
    free(pool);
}

cq_context::~cq_context() {
    if (ctx) llama_free(ctx);
    if (rests) ggml_backend_free(rests);
    if (!own_pools) return;
    if (pool_batch != pool) free_pool(pool_batch);
    free_pool(pool);
}

CQ_API cq_context * cq_context_new(cq_model * model, const int32_t * options, int32_t count, const void * abort_flag,
                                   const cq_context * beside, char ** error) {
    return guarded<cq_context *>(error, nullptr, [&] {
        if (!llama_model_has_decoder(checked(model)->model) || llama_model_has_encoder(model->model)) {
            refuse("model: has an encoder (expected: a decoder only)");
        }
        if (!model->generates) refuse("model: only embeds (expected: one that generates text)");
        auto params = context_params(options, count, checked(abort_flag));
        check_memory(model, params);
        cpu_function<decltype(&ggml_threadpool_free)>("ggml_threadpool_free");
        auto c = std::make_unique<cq_context>();
        log_capture log;
        c->ctx = llama_init_from_model(model->model, params);
        if (!c->ctx) {
            std::string why = log.text();
            bool memory = why.find("alloc") != std::string::npos;
            throw failure(memory ? reason::out_of_memory : reason::invalid_request, "cannot make a context" + (why.empty() ? "" : ": " + why));
        }
        if (!llama_get_memory(c->ctx)) throw failure(reason::internal, "model: keeps no memory of tokens");
        c->model     = model;
        c->n_seq     = (int32_t) llama_n_seq_max(c->ctx);
        c->n_batch   = (int32_t) llama_n_batch(c->ctx);
        c->n_outputs = (int32_t) params.n_outputs_max;
        c->unified   = params.kv_unified;
        c->stream_bytes =
            (int64_t) ((double) llama_n_ctx_seq(c->ctx) * (double) model->kv_bytes / 2 * (bytes_of(params.type_k) + bytes_of(params.type_v)) / 2);
        c->n_seq_id.assign((size_t) c->n_batch, 1);
        c->seq_id.resize((size_t) c->n_batch);
        c->copied_from.resize((size_t) c->n_seq);
        c->copied_to.resize((size_t) c->n_seq);
        c->own_pools  = !beside;
        c->pool       = beside ? beside->pool : new_pool(options[THREADS]);
        c->pool_batch = beside ? beside->pool_batch : options[THREADS] == options[BATCH_THREADS] ? c->pool : new_pool(options[BATCH_THREADS]);
        llama_attach_threadpool(c->ctx, c->pool, c->pool_batch);
        cpu_function<decltype(&ggml_backend_cpu_set_threadpool)>("ggml_backend_cpu_set_threadpool");
        c->rests = ggml_backend_dev_init(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU), nullptr);
        return c.release();
    });
}

CQ_API void cq_context_free(cq_context * context) {
    delete context;
    return_memory();
}

CQ_API void cq_context_rest(cq_context * c) {
    guarded<int>(nullptr, 0, [&] {
        if (!checked(c)->rests) return 0;
        auto set_pool = cpu_function<decltype(&ggml_backend_cpu_set_threadpool)>("ggml_backend_cpu_set_threadpool");
        for (auto * pool : { c->pool, c->pool_batch }) set_pool(c->rests, pool);
        set_pool(c->rests, nullptr);
        return 0;
    });
}

CQ_API int32_t cq_context_limits(const cq_context * context, int32_t * out, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        out[0] = (int32_t) llama_n_ctx_seq(checked(context)->ctx);
        out[1] = context->n_seq;
        out[2] = context->n_batch;
        out[3] = context->model->n_vocab;
        out[4] = context->n_outputs;
        return 0;
    });
}

CQ_API int32_t cq_decode(cq_context * c, const void * batch, int32_t capacity, int32_t count, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        if (count < 1 || count > capacity || count > checked(c)->n_batch) {
            refuse("batch: " + std::to_string(count) + " tokens (expected: 1 to " + std::to_string(checked(c)->n_batch) + ")");
        }
        batch_view b = view(checked(batch), capacity);
        check_batch(c, b, count);
        for (int32_t i = 0; i < count; ++i) c->seq_id[(size_t) i] = const_cast<llama_seq_id *>(b.sequences + i);
        llama_batch in = {};
        in.n_tokens = count;
        in.token    = const_cast<llama_token *>(b.tokens);
        in.pos      = const_cast<llama_pos *>(b.positions);
        in.n_seq_id = c->n_seq_id.data();
        in.seq_id   = c->seq_id.data();
        in.logits   = const_cast<int8_t *>(b.outputs);
        c->rows = 0;
        log_capture log;
        int32_t status = llama_decode(c->ctx, in);
        if (status == -1) refuse("batch: " + log.text());
        std::fill(c->copied_from.begin(), c->copied_from.end(), 0);
        std::fill(c->copied_to.begin(), c->copied_to.end(), 0);
        if (status < 0 || status > 2) {
            throw failure(reason::decode_failed, "decoding failed (" + std::to_string(status) + "): " + log.text());
        }
        if (status == 0) c->rows = count;
        return status;
    });
}

CQ_API int32_t cq_context_set_adapters(cq_context * c, const int32_t * adapters, const float * scales, int32_t count, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        const auto & known = checked(c)->model->adapters;
        if (count < 0 || count > (int32_t) known.size()) {
            refuse("adapters: " + std::to_string(count) + " (expected: at most " + std::to_string(known.size()) + ")");
        }
        std::vector<llama_adapter_lora *> wanted;
        std::vector<float> strengths(scales, scales + count);
        for (int32_t i = 0; i < count; ++i) {
            if (adapters[i] < 0 || adapters[i] >= (int32_t) known.size()) {
                refuse("adapter: " + std::to_string(adapters[i]) + " (expected: 0 to " + std::to_string(known.size() - 1) + ")");
            }
            if (!std::isfinite(scales[i])) refuse("scale: no number (expected: a finite one)");
            auto * adapter = known[(size_t) adapters[i]];
            if (std::find(wanted.begin(), wanted.end(), adapter) != wanted.end()) refuse("adapter: given twice");
            wanted.push_back(adapter);
        }
        if (llama_set_adapters_lora(c->ctx, wanted.data(), wanted.size(), strengths.data()) != 0) {
            throw failure(reason::internal, "adapters cannot be set");
        }
        return 0;
    });
}

CQ_API int32_t cq_memory_remove_tail(cq_context * c, int32_t sequence, int32_t from, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_sequence(c, sequence);
        if (from < 0) refuse("position: " + std::to_string(from) + " (expected: 0 or more)");
        return llama_memory_seq_rm(llama_get_memory(c->ctx), sequence, from, -1) ? 1 : 0;
    });
}

CQ_API int32_t cq_memory_clear(cq_context * c, int32_t sequence, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_sequence(c, sequence);
        if (!llama_memory_seq_rm(llama_get_memory(c->ctx), sequence, -1, -1)) throw failure(reason::internal, "cannot clear a sequence");
        return 0;
    });
}

// llama.cpp copies a whole stream, its unused cells too; what is used is copied in less time through a buffer, in host memory.
static bool copy_used_cells(cq_context * c, int32_t from, int32_t to) {
    if (c->unified || !c->model->on_host || c->copied_to[(size_t) from] || c->copied_to[(size_t) to] || c->copied_from[(size_t) to]) return false;
    size_t size = llama_state_seq_get_size(c->ctx, from);
    if (2 * (int64_t) size > c->stream_bytes) return false;
    std::unique_ptr<uint8_t[]> state(new uint8_t[size]);
    log_capture log;
    return llama_state_seq_get_data(c->ctx, state.get(), size, from) == size && llama_state_seq_set_data(c->ctx, state.get(), size, to) == size;
}

CQ_API int32_t cq_memory_copy(cq_context * c, int32_t from, int32_t to, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_sequence(c, from);
        check_sequence(c, to);
        if (from == to) return 1;
        auto * memory = llama_get_memory(c->ctx);
        llama_memory_seq_rm(memory, to, -1, -1); // in a unified cache a copy adds to what is there
        if (copy_used_cells(c, from, to)) return 1;
        llama_memory_seq_rm(memory, to, -1, -1);
        llama_memory_seq_cp(memory, from, to, -1, -1);
        if (c->unified) return 1;
        c->copied_from[(size_t) from] = 1;
        c->copied_to[(size_t) to]     = 1;
        return 0;
    });
}

// How llama.cpp frames a sequence's state (llama_state_seq_get_data, llama_kv_cache::state_write): 4 bytes each of a magic number,
// the sequence, the number of KV streams, and for each stream how many cells of the sequence it has; behind that number its cells.
constexpr size_t WORD = 4, STATE_HEAD = 3 * WORD;

static size_t streams(const cq_context * c) { return c->unified ? 1 : (size_t) c->n_seq; }

static size_t stream_of(const cq_context * c, int32_t sequence) { return c->unified ? 0 : (size_t) sequence; }

// Of a state that `from` framed, as `to` frames it. `begin` leaves room for all of the streams of `to` on both sides.
static std::pair<uint8_t *, size_t> reframe(uint8_t * begin, size_t size, const cq_context * from, int32_t from_sequence,
                                            const cq_context * to, int32_t to_sequence) {
    uint32_t head[3];
    memcpy(head, begin, STATE_HEAD);
    size_t before = STATE_HEAD + WORD * stream_of(from, from_sequence);
    size_t after  = WORD * (streams(from) - 1 - stream_of(from, from_sequence));
    if (head[2] != streams(from) || size < before + WORD + after) throw failure(reason::internal, "a sequence's state is framed otherwise");
    uint8_t * cells  = begin + before;
    size_t    length = size - before - after;
    uint8_t * moved  = cells - STATE_HEAD - WORD * stream_of(to, to_sequence);
    head[2] = (uint32_t) streams(to);
    memset(moved, 0, (size_t) (cells - moved));
    memcpy(moved, head, STATE_HEAD);
    size_t rest = WORD * (streams(to) - 1 - stream_of(to, to_sequence));
    memset(cells + length, 0, rest);
    return { moved, (size_t) (cells - moved) + length + rest };
}

CQ_API int32_t cq_memory_take(cq_context * to, int32_t to_sequence, cq_context * from, int32_t from_sequence, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_sequence(to, to_sequence);
        check_sequence(from, from_sequence);
        check_no_copy(to, to_sequence);
        check_no_copy(from, from_sequence);
        const llama_model * model = to->model->model;
        if (to == from || to->model != from->model) refuse("context: another one of the same model is expected");
        if (llama_model_n_swa(model) > 0 || llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
            refuse("model: its memory is not one cache of cells");
        }
        auto * memory = llama_get_memory(to->ctx);
        llama_memory_seq_rm(memory, to_sequence, -1, -1);
        if (llama_memory_seq_pos_max(llama_get_memory(from->ctx), from_sequence) < 0) return 1;
        size_t size = llama_state_seq_get_size(from->ctx, from_sequence);
        size_t room = WORD * streams(to);
        auto & buffer = (to->unified ? to : from)->moving;
        buffer.resize(room + size + room);
        log_capture log;
        if (llama_state_seq_get_data(from->ctx, buffer.data() + room, size, from_sequence) != size) {
            throw failure(reason::internal, "cannot read a sequence: " + log.text());
        }
        auto [state, length] = reframe(buffer.data() + room, size, from, from_sequence, to, to_sequence);
        if (llama_state_seq_set_data(to->ctx, state, length, to_sequence) > 0) return 1;
        llama_memory_seq_rm(memory, to_sequence, -1, -1);
        return 0;
    });
}

CQ_API int32_t cq_memory_max_position(const cq_context * c, int32_t sequence, char ** error) {
    return guarded<int32_t>(error, -2, [&] {
        check_sequence(c, sequence);
        return llama_memory_seq_pos_max(llama_get_memory(c->ctx), sequence);
    });
}

CQ_API int64_t cq_state_size(cq_context * c, int32_t sequence, char ** error) {
    return guarded<int64_t>(error, -1, [&] {
        check_sequence(c, sequence);
        return (int64_t) llama_state_seq_get_size(c->ctx, sequence);
    });
}

CQ_API int64_t cq_state_save(cq_context * c, int32_t sequence, uint8_t * out, int64_t capacity, char ** error) {
    return guarded<int64_t>(error, -1, [&] {
        check_sequence(c, sequence);
        check_no_copy(c, sequence);
        log_capture log;
        size_t n = llama_state_seq_get_data(c->ctx, checked(out), (size_t) capacity, sequence);
        if (n == 0) throw failure(reason::internal, "cannot save a sequence: " + log.text());
        return (int64_t) n;
    });
}

CQ_API int32_t cq_state_restore(cq_context * c, int32_t sequence, const uint8_t * state, int64_t length, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_sequence(c, sequence);
        check_no_copy(c, sequence);
        auto * memory = llama_get_memory(c->ctx);
        llama_memory_seq_rm(memory, sequence, -1, -1);
        log_capture log;
        if (llama_state_seq_set_data(c->ctx, checked(state), (size_t) length, sequence) > 0) return 1;
        llama_memory_seq_rm(memory, sequence, -1, -1);
        std::string why = log.text();
        // "failed to find 268 available cells in kv cache", "not enough cells in kv cache"
        if (why.find(" available cells") != std::string::npos || why.find("not enough cells") != std::string::npos) return 0;
        refuse("state: " + why);
    });
}
