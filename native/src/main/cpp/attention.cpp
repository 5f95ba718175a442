// Attention on processors with AVX-512 is computed in attend.cpp. This is for all others: how the threads of a graph share out the
// attention of a prompt. ggml works on tiles of 64 rows, tokens of one head, and each costs the same, however many of its rows are in
// use. But it gives each thread an eighth of its part of all rows, wherever that begins: of 64 tokens of nine heads two threads make
// sixteen tiles instead of nine, of 128 twenty-four instead of eighteen. And fewer than 64 tokens it computes without tiles, one row
// after the other, which deep in a context takes twice as long. Only batches of hundreds of tokens come out even; pieces of a prompt
// between the steps of running answers do not.
//
// Here a thread takes a tile at a time. What is no whole tile of a head's is put together with the same tokens of the other heads
// that share its keys and values: 21 tokens of three heads are 63 rows. ggml's own function computes the tile: it is asked as the only thread
// of a pool of its own, for tensors that are this tile. So each row is computed as in a large batch, to the bit.
//
// ggml calls this function through the table of dynamic symbols, so the definition that was opened first is taken; see barrier.cpp.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include <pthread.h>

#include "ggml.h"
#include "attend.h"
#include "originals.h"
#include "vectors.h"

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

// Fewer rows than this are computed sooner without a tile. And a short context is not worth it: there a prompt that is read in one go is to be
// the same, to the bit, as one that came token by token, which ggml computes without tiles.
constexpr int64_t LEAST_ROWS = 24;
constexpr int64_t DEEP       = 512;

std::atomic<bool> used;

using Forward  = void (*)(const ggml_compute_params *, ggml_tensor *);
using ChunkSet = void (*)(ggml_threadpool *, int);
using ChunkAdd = int (*)(ggml_threadpool *, int);

// ggml's own.
struct Ggml {
    Forward  attention;
    ChunkSet set_chunk;
    ChunkAdd add_chunk;

    explicit Ggml(void * caller)
        : attention(original<Forward>(caller, "ggml_compute_forward_flash_attn_ext")),
          set_chunk(original<ChunkSet>(caller, "ggml_threadpool_chunk_set")),
          add_chunk(original<ChunkAdd>(caller, "ggml_threadpool_chunk_add")) {}
};

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
    bool worth = q->ne[1] >= TILE || (q->ne[1] > 1 && k->ne[1] >= DEEP && q->ne[1] * (q->ne[2] / k->ne[2]) >= LEAST_ROWS);
    return !params->use_ref && plain && worth && k->ne[2] == v->ne[2] && v->ne[0] % VECTOR == 0 && max_bias == 0.0f
        && dst->src[4] == nullptr && share(params) >= room(k, v);
}

ggml_tensor view(const ggml_tensor * whole, int64_t row, int64_t rows, int64_t head, int64_t stream) {
    ggml_tensor part = *whole;
    part.ne[1] = rows;
    part.ne[2] = 1;
    part.ne[3] = 1;
    part.data  = row_of(whole, row, head, stream);
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

// What is to be computed, in tiles: first those of one head each, then those that heads with the same keys share.
struct Tiles {
    const ggml_tensor * q;
    const ggml_tensor * k;
    const ggml_tensor * v;
    const ggml_tensor * mask;
    const ggml_tensor * dst;

    int64_t group; // heads that share keys and values
    int64_t whole; // tiles of a head
    int64_t rest;  // tokens that make none
    int64_t mixed; // tiles of a group's rest

    explicit Tiles(const ggml_tensor * dst)
        : q(dst->src[0]), k(dst->src[1]), v(dst->src[2]), mask(dst->src[3]), dst(dst), group(q->ne[2] / k->ne[2]), whole(q->ne[1] / TILE),
          rest(q->ne[1] % TILE), mixed((rest * group + TILE - 1) / TILE) {}

    int64_t own() const { return whole * q->ne[2] * q->ne[3]; }
    int64_t all() const { return own() + mixed * k->ne[2] * q->ne[3]; }
};

ggml_tensor keys(const Tiles & tiles, const ggml_tensor * of, int64_t head, int64_t stream) {
    return view(of, 0, of->ne[1], head / tiles.group, stream / (tiles.q->ne[3] / of->ne[3]));
}

// As the only thread of a pool of its own.
void compute(const Ggml & ggml, const ggml_compute_params * params, ggml_tensor * part) {
    static thread_local ggml_threadpool alone {};
    alone.n_graph.store(1, std::memory_order_relaxed);

    char *              own = static_cast<char *>(params->wdata) + params->ith * share(params);
    ggml_compute_params one = { 0, 1, share(params), own, &alone, false };
    ggml.attention(&one, part);
}

// A tile of one head.
void compute_own(const Ggml & ggml, const ggml_compute_params * params, const Tiles & tiles, int64_t unit) {
    int64_t row    = unit % tiles.whole * TILE;
    int64_t head   = unit / tiles.whole % tiles.q->ne[2];
    int64_t stream = unit / tiles.whole / tiles.q->ne[2];

    ggml_tensor part    = answer(tiles.dst, row, TILE, head, stream);
    ggml_tensor queries = view(tiles.q, row, TILE, head, stream);
    ggml_tensor k       = keys(tiles, tiles.k, head, stream);
    ggml_tensor v       = keys(tiles, tiles.v, head, stream);
    ggml_tensor seen;
    part.src[0] = &queries;
    part.src[1] = &k;
    part.src[2] = &v;
    if (tiles.mask != nullptr) {
        seen        = view(tiles.mask, row, TILE, head % tiles.mask->ne[2], stream % tiles.mask->ne[3]);
        part.src[3] = &seen;
    }
    compute(ggml, params, &part);
}

// Rows one behind the other.
ggml_tensor rows(const ggml_tensor * like, int64_t width, size_t bytes, std::vector<char> & memory) {
    memory.resize(TILE * bytes);
    ggml_tensor made = *like;
    made.ne[0] = width;
    made.ne[1] = TILE;
    made.ne[2] = 1;
    made.ne[3] = 1;
    made.nb[1] = bytes;
    made.nb[2] = TILE * bytes;
    made.nb[3] = TILE * bytes;
    made.data  = memory.data();
    return made;
}

// A tile of the last tokens of all heads that share keys. Rows that are left over are the last one again, for nothing.
void compute_mixed(const Ggml & ggml, const ggml_compute_params * params, const Tiles & tiles, int64_t unit) {
    static thread_local std::vector<char> asked, looked, told;

    int64_t first  = unit % tiles.mixed * TILE;
    int64_t pair   = unit / tiles.mixed % tiles.k->ne[2];
    int64_t stream = unit / tiles.mixed / tiles.k->ne[2];
    int64_t last   = tiles.rest * tiles.group - 1;

    size_t      seen_bytes = tiles.k->ne[1] * sizeof(ggml_fp16_t);
    ggml_tensor part       = rows(tiles.dst, tiles.v->ne[0], tiles.v->ne[0] * sizeof(float), told);
    ggml_tensor queries    = rows(tiles.q, tiles.q->ne[0], tiles.q->ne[0] * sizeof(float), asked);
    ggml_tensor k          = keys(tiles, tiles.k, pair * tiles.group, stream);
    ggml_tensor v          = keys(tiles, tiles.v, pair * tiles.group, stream);
    ggml_tensor seen       = tiles.mask == nullptr ? queries : rows(tiles.mask, tiles.k->ne[1], seen_bytes, looked);
    for (int64_t i = 0; i < TILE; ++i) {
        int64_t row  = std::min(first + i, last);
        int64_t head = pair * tiles.group + row / tiles.rest;
        int64_t at   = tiles.whole * TILE + row % tiles.rest;
        std::memcpy(asked.data() + i * queries.nb[1], row_of(tiles.q, at, head, stream), queries.nb[1]);
        if (tiles.mask != nullptr) {
            const char * mask = row_of(tiles.mask, at, head % tiles.mask->ne[2], stream % tiles.mask->ne[3]);
            std::memcpy(looked.data() + i * seen_bytes, mask, seen_bytes);
        }
    }
    // The answer's heads stand where a head's rows do elsewhere: there is one.
    part.ne[1]  = 1;
    part.ne[2]  = TILE;
    part.src[0] = &queries;
    part.src[1] = &k;
    part.src[2] = &v;
    part.src[3] = tiles.mask == nullptr ? nullptr : &seen;
    compute(ggml, params, &part);

    for (int64_t row = first; row <= std::min(first + TILE - 1, last); ++row) {
        int64_t head = pair * tiles.group + row / tiles.rest;
        int64_t at   = tiles.whole * TILE + row % tiles.rest;
        std::memcpy(answer(tiles.dst, at, 1, head, stream).data, told.data() + (row - first) * part.nb[1], part.nb[1]);
    }
}

} // namespace

#define CQ_EXPORT extern "C" __attribute__((visibility("default")))

CQ_EXPORT void ggml_compute_forward_flash_attn_ext(const ggml_compute_params * params, ggml_tensor * dst) {
    static const Ggml ours(__builtin_return_address(0));
    bool by_us = attends(params, dst);
    if (!by_us && !apart(params, dst)) {
        ours.attention(params, dst);
        return;
    }
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
    if (by_us) {
        attend(params, dst, { ours.set_chunk, ours.add_chunk });
        return;
    }

    Tiles tiles(dst);
    if (params->ith == 0) ours.set_chunk(params->threadpool, params->nth);
    ggml_barrier(params->threadpool);
    for (int64_t unit = params->ith; unit < tiles.all(); unit = ours.add_chunk(params->threadpool, 1)) {
        if (unit < tiles.own()) {
            compute_own(ours, params, tiles, unit);
        } else {
            compute_mixed(ours, params, tiles, unit - tiles.own());
        }
    }
}

// Whether any attention was computed here: tests that ggml takes it.
CQ_EXPORT int32_t cq_attention_used() {
    return used.load(std::memory_order_relaxed);
}

// Whether a row of attention depends on nothing else in the batch, on this processor.
CQ_EXPORT int32_t cq_attention_exact() {
    return has_vectors();
}
