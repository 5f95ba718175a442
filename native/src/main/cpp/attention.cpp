// How the threads of a graph share out the attention of a prompt. ggml works on tiles of 64 tokens of one head, and each costs the
// same, however many of its rows are in use. But it gives each thread an eighth of its part of all rows, wherever that begins: of
// 64 tokens of nine heads two threads make sixteen tiles instead of nine, of 128 twenty-four instead of eighteen. Only batches of
// hundreds of tokens come out even; with pieces of a prompt between the steps of running answers, each costs a third to three
// quarters more.
//
// Here a thread takes a tile of a head at a time, and ggml's own function computes it: it is asked as the only thread of a pool
// of its own, for a view of the tensors that is this tile. So each row is computed as ever, to the bit.
//
// ggml calls this function through the table of dynamic symbols, so the definition that was opened first is taken; see barrier.cpp.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <pthread.h>

#include "ggml.h"

using std::atomic_bool;
using std::atomic_int;
using ggml_mutex_t = pthread_mutex_t;
using ggml_cond_t  = pthread_cond_t;

// As the pinned release has them: taken from its source by the build.
#include "ggml_threadpool.h"
#include "ggml_compute_params.h"
#include "ggml_tile.h"

extern "C" void ggml_barrier(ggml_threadpool * pool);

namespace {

constexpr int64_t TILE = GGML_FA_TILE_Q;

// What it takes for its tiles to be of whole vectors, on all processors.
constexpr int64_t VECTOR = 16;

std::atomic<bool> used;

using Forward  = void (*)(const ggml_compute_params *, ggml_tensor *);
using ChunkSet = void (*)(ggml_threadpool *, int);
using ChunkAdd = int (*)(ggml_threadpool *, int);

// The functions of the library that calls.
struct Ggml {
    Forward  attention = nullptr;
    ChunkSet set_chunk = nullptr;
    ChunkAdd add_chunk = nullptr;

    explicit Ggml(void * caller) {
        Dl_info library;
        if (dladdr(caller, &library) == 0) return;
        void * handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        if (handle == nullptr) return;
        attention = reinterpret_cast<Forward>(dlsym(handle, "ggml_compute_forward_flash_attn_ext"));
        set_chunk = reinterpret_cast<ChunkSet>(dlsym(handle, "ggml_threadpool_chunk_set"));
        add_chunk = reinterpret_cast<ChunkAdd>(dlsym(handle, "ggml_threadpool_chunk_add"));
    }
};

// One processor's library is open in a process, and stays so.
const Ggml & ggml(void * caller) {
    static const Ggml found(caller);
    if (found.attention == nullptr || found.set_chunk == nullptr || found.add_chunk == nullptr) {
        std::fprintf(stderr, "chasqui: the attention of ggml's library cannot be found\n");
        std::abort();
    }
    return found;
}

// Of a thread's part of the memory to work in, what a tile takes.
size_t room(const ggml_tensor * k, const ggml_tensor * v) {
    int64_t floats = TILE * k->ne[0] + 2 * TILE * GGML_FA_TILE_KV + TILE * v->ne[0] + GGML_FA_TILE_KV * (v->ne[0] + k->ne[0]);
    return sizeof(float) * static_cast<size_t>(floats);
}

size_t share(const ggml_compute_params * params) {
    return params->wsize / static_cast<size_t>(params->nth) / GGML_CACHE_LINE * GGML_CACHE_LINE;
}

// Whether tiles can be computed apart: what depends on the number of a head is left to ggml, and what it computes without tiles.
bool apart(const ggml_compute_params * params, const ggml_tensor * dst) {
    const ggml_tensor * q = dst->src[0];
    const ggml_tensor * k = dst->src[1];
    const ggml_tensor * v = dst->src[2];

    float max_bias;
    std::memcpy(&max_bias, dst->op_params + 1, sizeof max_bias);
    bool plain = q->type == GGML_TYPE_F32 && k->type == v->type && (k->type == GGML_TYPE_F16 || k->type == GGML_TYPE_F32);
    return params->nth > 1 && !params->use_ref && plain && q->ne[1] >= TILE && v->ne[0] % VECTOR == 0 && max_bias == 0.0f
        && dst->src[4] == nullptr && share(params) >= room(k, v);
}

ggml_tensor view(const ggml_tensor * whole, int64_t row, int64_t rows, int64_t head, int64_t stream) {
    ggml_tensor part = *whole;
    part.ne[1] = rows;
    part.ne[2] = 1;
    part.ne[3] = 1;
    part.data  = static_cast<char *>(whole->data) + row * whole->nb[1] + head * whole->nb[2] + stream * whole->nb[3];
    return part;
}

// The answer's rows are a head beside the other: it stays among them.
ggml_tensor answer(const ggml_tensor * whole, int64_t row, int64_t rows, int64_t head, int64_t stream) {
    ggml_tensor part = *whole;
    part.ne[2] = rows;
    part.ne[3] = 1;
    part.data  = static_cast<char *>(whole->data) + ((stream * whole->ne[2] + row) * whole->ne[1] + head) * whole->nb[1];
    return part;
}

void compute(const Ggml & ggml, const ggml_compute_params * params, const ggml_tensor * dst, int64_t unit, int64_t tiles) {
    static thread_local ggml_threadpool alone {};
    alone.n_graph.store(1, std::memory_order_relaxed);

    const ggml_tensor * q    = dst->src[0];
    const ggml_tensor * k    = dst->src[1];
    const ggml_tensor * v    = dst->src[2];
    const ggml_tensor * mask = dst->src[3];

    int64_t tile   = unit % tiles;
    int64_t head   = unit / tiles % q->ne[2];
    int64_t stream = unit / tiles / q->ne[2];
    int64_t row    = tile * TILE;
    int64_t rows   = tile + 1 < tiles ? TILE : q->ne[1] - row; // what makes no tile goes with the last

    ggml_tensor part    = answer(dst, row, rows, head, stream);
    ggml_tensor queries = view(q, row, rows, head, stream);
    ggml_tensor keys    = view(k, 0, k->ne[1], head / (q->ne[2] / k->ne[2]), stream / (q->ne[3] / k->ne[3]));
    ggml_tensor values  = view(v, 0, v->ne[1], head / (q->ne[2] / v->ne[2]), stream / (q->ne[3] / v->ne[3]));
    ggml_tensor seen;
    part.src[0] = &queries;
    part.src[1] = &keys;
    part.src[2] = &values;
    if (mask != nullptr) {
        seen        = view(mask, row, rows, head % mask->ne[2], stream % mask->ne[3]);
        part.src[3] = &seen;
    }

    char *              own = static_cast<char *>(params->wdata) + params->ith * share(params);
    ggml_compute_params one = { 0, 1, share(params), own, &alone, false };
    ggml.attention(&one, &part);
}

} // namespace

#define CQ_EXPORT extern "C" __attribute__((visibility("default")))

CQ_EXPORT void ggml_compute_forward_flash_attn_ext(const ggml_compute_params * params, ggml_tensor * dst) {
    const Ggml & ours = ggml(__builtin_return_address(0));
    if (!apart(params, dst)) {
        ours.attention(params, dst);
        return;
    }
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);

    const ggml_tensor * q     = dst->src[0];
    int64_t             tiles = q->ne[1] / TILE;
    int64_t             units = tiles * q->ne[2] * q->ne[3];
    if (params->ith == 0) ours.set_chunk(params->threadpool, params->nth);
    ggml_barrier(params->threadpool);
    for (int64_t unit = params->ith; unit < units; unit = ours.add_chunk(params->threadpool, 1)) {
        compute(ours, params, dst, unit, tiles);
    }
}

// Whether any attention was computed here: tests that ggml takes it.
CQ_EXPORT int32_t cq_attention_used() {
    return used.load(std::memory_order_relaxed);
}
