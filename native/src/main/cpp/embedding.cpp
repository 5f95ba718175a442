// Embeddings: vectors of texts, and scores of pairs, in a context of their own beside the one that generates.
#include "internal.h"

#include "ggml-backend.h"

#include <algorithm>
#include <cmath>
#include <sys/resource.h>

struct cq_embedder {
    llama_context *          ctx = nullptr;
    const cq_model *         model = nullptr;
    struct ggml_threadpool * pool = nullptr;
    int32_t                  threads = 0;      // most
    int32_t                  n_seq = 0, n_batch = 0, n_cells = 0;
    int32_t                  width = 0;        // numbers of a vector
    bool                     ranks = false;
    bool                     whole = false;    // a text is computed in one piece
    std::vector<llama_pos>   positions;
    std::vector<int32_t>     n_seq_id;         // all 1
    std::vector<llama_seq_id>   sequences;
    std::vector<llama_seq_id *> seq_id;
    std::vector<int8_t>      outputs;          // all 1
    std::vector<double>      sums;             // of the texts that are computed now

    ~cq_embedder() {
        if (ctx) llama_free(ctx);
        free_pool(pool);
    }
};

namespace {

enum pooling { MEAN = 1, FIRST, LAST };

constexpr int32_t MOST_SEQUENCES = 64;
constexpr int32_t BATCH = 512;
constexpr int64_t LOGIT_BYTES = 64 << 20; // llama.cpp computes logits beside embeddings, and keeps room for them
constexpr int     NICE = 4;

bool is_causal(const cq_model * model) {
    return model->generates && meta_of_arch(model->model, model->arch, ".attention.causal") != "false";
}

// Where every token sees the whole text, or its score is read at the first token, a text cannot be computed in pieces.
bool needs_whole(const cq_model * model, bool ranks) {
    return !is_causal(model) || (ranks && model->arch.compare(0, 5, "qwen3") != 0);
}

int32_t sliced_batch(const cq_model * model) {
    return (int32_t) std::clamp<int64_t>(LOGIT_BYTES / (4 * (int64_t) model->n_vocab), 32, BATCH);
}

llama_context_params params_of(const cq_embedder & e, int32_t context, const void * abort_flag) {
    auto p = llama_context_default_params();
    bool states = llama_model_is_recurrent(e.model->model) || llama_model_is_hybrid(e.model->model);
    p.n_ctx               = (uint32_t) context;
    p.n_batch             = (uint32_t) (e.whole ? context : std::min(context, sliced_batch(e.model)));
    p.n_ubatch            = p.n_batch;
    p.n_seq_max           = (uint32_t) (states ? 1 : MOST_SEQUENCES);
    p.n_outputs_max       = p.n_batch;
    p.n_threads           = e.threads;
    p.n_threads_batch     = e.threads;
    p.embeddings          = true;
    p.pooling_type        = e.ranks ? LLAMA_POOLING_TYPE_RANK : LLAMA_POOLING_TYPE_NONE;
    p.kv_unified          = true;
    p.no_perf             = true;
    p.abort_callback      = abort_wanted;
    p.abort_callback_data = const_cast<void *>(abort_flag);
    return p;
}

void open_context(cq_embedder & e, const llama_context_params & params) {
    log_capture log;
    e.ctx = llama_init_from_model(const_cast<llama_model *>(e.model->model), params);
    if (!e.ctx) {
        std::string why = log.text();
        bool memory = why.find("alloc") != std::string::npos;
        throw failure(memory ? reason::out_of_memory : reason::invalid_request, "cannot make a context for embeddings" + (why.empty() ? "" : ": " + why));
    }
    e.n_seq   = (int32_t) params.n_seq_max;
    e.n_batch = (int32_t) llama_n_batch(e.ctx);
    e.n_cells = e.whole ? e.n_batch : (int32_t) params.n_ctx;
    e.width   = e.ranks ? 1 : llama_model_n_embd_out(e.model->model);
    e.positions.resize((size_t) e.n_batch);
    e.sequences.resize((size_t) e.n_batch);
    e.n_seq_id.assign((size_t) e.n_batch, 1);
    e.outputs.assign((size_t) e.n_batch, 1);
    e.seq_id.resize((size_t) e.n_batch);
    for (size_t i = 0; i < e.seq_id.size(); ++i) e.seq_id[i] = &e.sequences[i];
    e.pool = new_pool(e.threads);
    llama_attach_threadpool(e.ctx, e.pool, e.pool);
}

void check_texts(const cq_embedder & e, const int32_t * tokens, const int32_t * lengths, int32_t count, int32_t capacity) {
    if (count < 1 || (int64_t) count * e.width > capacity) refuse("texts: " + std::to_string(count));
    int64_t total = 0;
    for (int32_t i = 0; i < count; ++i) {
        if (lengths[i] < 1 || lengths[i] > e.n_cells) {
            refuse("text: " + std::to_string(lengths[i]) + " tokens (expected: 1 to " + std::to_string(e.n_cells) + ")");
        }
        total += lengths[i];
    }
    for (int64_t i = 0; i < total; ++i) {
        if (tokens[i] < 0 || tokens[i] >= e.model->n_vocab) refuse("token: " + std::to_string(tokens[i]));
    }
}

// Texts that are computed together, from one clearing of the memory to the next.
struct group {
    const int32_t * tokens;
    const int32_t * lengths;
    int32_t         count = 0;
    int32_t         total = 0;
};

group next_group(const cq_embedder & e, const int32_t * tokens, const int32_t * lengths, int32_t left) {
    group g{ tokens, lengths };
    while (g.count < left && g.count < e.n_seq && g.total + lengths[g.count] <= e.n_cells) g.total += lengths[g.count++];
    return g;
}

void take_state(cq_embedder & e, int32_t text, int32_t position, int32_t length, int32_t row, int32_t pooling) {
    bool wanted = pooling == MEAN || (pooling == FIRST && position == 0) || (pooling == LAST && position == length - 1);
    if (!wanted) return;
    const float * state = llama_get_embeddings_ith(e.ctx, row);
    if (!state) throw failure(reason::decode_failed, "the model gave no embeddings");
    double * sum = e.sums.data() + (size_t) text * (size_t) e.width;
    for (int32_t i = 0; i < e.width; ++i) sum[i] += state[i];
}

void take_score(cq_embedder & e, int32_t text, int32_t position, int32_t length) {
    if (position != length - 1) return;
    const float * score = llama_get_embeddings_seq(e.ctx, text);
    if (!score) throw failure(reason::decode_failed, "the model gave no score");
    e.sums[(size_t) text] = score[0];
}

// Computes one batch that is filled; 0: done, 2: aborted.
int32_t decode(cq_embedder & e, const int32_t * tokens, int32_t count) {
    llama_batch in = {};
    in.n_tokens = count;
    in.token    = const_cast<llama_token *>(tokens);
    in.pos      = e.positions.data();
    in.n_seq_id = e.n_seq_id.data();
    in.seq_id   = e.seq_id.data();
    in.logits   = e.outputs.data();
    log_capture log;
    int32_t status = llama_decode(e.ctx, in);
    if (status != 0 && status != 2) {
        throw failure(reason::decode_failed, "embedding failed (" + std::to_string(status) + "): " + log.text());
    }
    return status;
}

int32_t compute(cq_embedder & e, const group & g, int32_t pooling) {
    if (auto * memory = llama_get_memory(e.ctx)) llama_memory_clear(memory, false);
    e.sums.assign((size_t) g.count * (size_t) e.width, 0);
    int32_t text = 0, position = 0;
    for (int32_t from = 0; from < g.total; from += e.n_batch) {
        int32_t n = std::min(e.n_batch, g.total - from);
        int32_t first_text = text, first_position = position;
        for (int32_t i = 0; i < n; ++i) {
            e.positions[(size_t) i] = position;
            e.sequences[(size_t) i] = text;
            if (++position == g.lengths[text]) ++text, position = 0;
        }
        if (int32_t status = decode(e, g.tokens + from, n)) return status;
        text = first_text, position = first_position;
        for (int32_t i = 0; i < n; ++i) {
            if (e.ranks) take_score(e, text, position, g.lengths[text]); else take_state(e, text, position, g.lengths[text], i, pooling);
            if (++position == g.lengths[text]) ++text, position = 0;
        }
    }
    return 0;
}

// Of length 1; a score stays as it is.
void write(const cq_embedder & e, const group & g, float * out) {
    for (int32_t t = 0; t < g.count; ++t) {
        const double * sum = e.sums.data() + (size_t) t * (size_t) e.width;
        double square = 0;
        for (int32_t i = 0; i < e.width; ++i) square += sum[i] * sum[i];
        if (!std::isfinite(square)) throw failure(reason::decode_failed, "the model gave no numbers");
        double scale = e.ranks ? 1 : square > 0 ? 1 / std::sqrt(square) : 0;
        for (int32_t i = 0; i < e.width; ++i) out[(size_t) t * (size_t) e.width + (size_t) i] = (float) (sum[i] * scale);
    }
}

} // namespace

CQ_API cq_embedder * cq_embedder_new(cq_model * model, int32_t context, int32_t threads, int32_t ranks, const void * abort_flag,
                                     char ** error) {
    return guarded<cq_embedder *>(error, nullptr, [&] {
        if (!llama_model_has_decoder(checked(model)->model) || llama_model_has_encoder(model->model)) {
            refuse("model: has an encoder beside a decoder (expected: one of them)");
        }
        if (context < 1 || context > INT32_MAX / 2 || threads < 1 || threads > GGML_MAX_N_THREADS) refuse("embedder: a value out of range");
        auto e = std::make_unique<cq_embedder>();
        e->model   = model;
        e->threads = threads;
        e->ranks   = ranks != 0;
        e->whole   = needs_whole(model, e->ranks);
        // Where positions are learned, there are no more than these.
        auto params = params_of(*e, std::min(context, std::max(llama_model_n_ctx_train(model->model), 1)), checked(abort_flag));
        check_memory(model, params);
        setpriority(PRIO_PROCESS, 0, NICE); // on Linux of this thread, and of those that it starts
        open_context(*e, params);
        return e.release();
    });
}

CQ_API void cq_embedder_free(cq_embedder * embedder) { delete embedder; }

CQ_API int32_t cq_embedder_limits(const cq_embedder * e, int32_t * out, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        out[0] = checked(e)->n_cells;
        out[1] = e->width;
        return 0;
    });
}

CQ_API int32_t cq_embed(cq_embedder * e, const int32_t * tokens, const int32_t * lengths, int32_t count, int32_t pooling,
                        int32_t threads, float * out, int32_t capacity, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        check_texts(*checked(e), checked(tokens), checked(lengths), count, capacity);
        if (pooling < MEAN || pooling > LAST) refuse("pooling: " + std::to_string(pooling));
        llama_set_n_threads(e->ctx, std::clamp(threads, 1, e->threads), std::clamp(threads, 1, e->threads));
        for (int32_t done = 0; done < count;) {
            group g = next_group(*e, tokens, lengths + done, count - done);
            if (int32_t status = compute(*e, g, pooling)) return status;
            write(*e, g, out + (size_t) done * (size_t) e->width);
            done   += g.count;
            tokens += g.total;
        }
        return 0;
    });
}
