// Attention for processors with AVX-512: softmax(q k^T) v, in one pass over the keys (Milakov and Gimelshein, arXiv:1805.02867), with the
// keys in parts that are put together at the end (Dao and others, "Flash-Decoding", 2023).
//
// ggml has three ways for it: one row of queries after the other, with values added up in 16 bits; tiles of 64 rows for prompts; and for a
// single token a part of the keys for each thread. Which it takes depends on how much else there is to compute, and so an answer's
// words do in the end. Here there is one way, and what is computed of a row depends on nothing but this row and the cells it sees,
// whatever else is in the batch, however many threads there are, and wherever in the cache the cells lie. It is
// faster than all three: the queries of all heads that share a key meet it together, so that it is unpacked once for all of them.
//
// A tile is the queries of some tokens and of all heads that share keys. It goes through the cells in blocks, a block's keys laid out so
// that the cells are beside each other. Where there are few tiles, threads take a part of the cells each.
//
// In a cache that sequences share cells come in any order, so their order must not matter: weights are powers of two of scores less a whole
// number, which changes no digit of them when it grows, and sums have 53 bits. What order does to their last bits is gone when they are
// rounded to 24, but for one sum in some hundred million.
#include "attend.h"
#include "vectors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "ggml.h"

extern "C" void ggml_barrier(ggml_threadpool * pool);

#include "ggml_compute_params.h"

#if defined(__x86_64__)

#define CQ_VECTORS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

namespace {

constexpr int     LANES = 16;        // floats of a register
constexpr int     BLOCK = 4 * LANES; // cells that are computed at once
constexpr int64_t PART  = 256;       // cells between which sums are put together
constexpr int64_t TILE  = 64;        // rows, as far as heads allow
constexpr int     ROWS  = 6;         // whose sums fit into registers
constexpr float   NEVER = -INFINITY; // what has not been seen
constexpr float   LOG2E = 1.44269504f;

// What is added up.
using Sum = double;
constexpr int SUMS = 8; // of a register

// Where a thread has less than so many tiles to itself, they are cut into parts of the cells, as long as these take no more memory than that.
constexpr int64_t FEW_TILES   = 4;
constexpr int64_t MOST_SHARED = 16 << 20;

// Memory of this thread's that is only ever made larger, at the start of a cache line.
template <typename Number> class Numbers {
    std::vector<Number> memory;

public:
    Number * of(int64_t count) {
        size_t wanted = static_cast<size_t>(count) + 64 / sizeof(Number);
        if (memory.size() < wanted) memory.resize(wanted);
        return reinterpret_cast<Number *>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
    }
};

// What is to be computed.
struct Attention {
    const ggml_tensor * q;
    const ggml_tensor * k;
    const ggml_tensor * v;
    const ggml_tensor * mask;
    const ggml_tensor * sinks;
    const ggml_tensor * dst;

    float   scale;
    int64_t key;     // numbers of one
    int64_t value;   // numbers of one
    int64_t cells;
    int64_t tokens;  // of a stream
    int64_t streams; // sequences whose cells lie apart
    int64_t group;   // heads that share keys and values
    int64_t most;    // tokens of a tile
    int64_t tiles;   // of a group of heads
    int64_t parts;

    explicit Attention(const ggml_tensor * dst)
        : q(dst->src[0]), k(dst->src[1]), v(dst->src[2]), mask(dst->src[3]), sinks(dst->src[4]), dst(dst), key(k->ne[0]), value(v->ne[0]),
          cells(k->ne[1]), tokens(q->ne[1]), streams(q->ne[3]), group(q->ne[2] / k->ne[2]), most(std::clamp<int64_t>(TILE / group, 1, tokens)),
          tiles((tokens + most - 1) / most), parts((cells + PART - 1) / PART) {
        std::memcpy(&scale, dst->op_params, sizeof scale);
    }

    int64_t all_tiles() const { return streams * k->ne[2] * tiles; }
    int64_t most_rows() const { return most * group; }
    // A row between two blocks, see Row.
    int64_t row_sums() const { return value + 2; }
    int64_t tile_sums() const { return most_rows() * row_sums(); }
    int64_t all_sums() const { return all_tiles() * parts * tile_sums(); }
};

// Some tokens and all heads of a group. Rows are one token's heads after another's.
struct Tile {
    int64_t stream;
    int64_t pair; // of keys and values
    int64_t token;
    int64_t tokens;
    int64_t rows;

    Tile(const Attention & all, int64_t number)
        : stream(number / all.tiles / all.k->ne[2]), pair(number / all.tiles % all.k->ne[2]), token(number % all.tiles * all.most),
          tokens(std::min(all.most, all.tokens - token)), rows(tokens * all.group) {}

    int64_t head_of(const Attention & all, int64_t row) const { return pair * all.group + row % all.group; }
    int64_t token_of(const Attention & all, int64_t row) const { return token + row / all.group; }

    const char * first_of(const Attention & all, const ggml_tensor * of) const {
        return row_of(of, 0, pair, stream / (all.streams / of->ne[3]));
    }

    const uint16_t * seen_by(const Attention & all, int64_t row) const {
        const ggml_tensor * mask = all.mask;
        return reinterpret_cast<const uint16_t *>(
            row_of(mask, token_of(all, row), head_of(all, row) % mask->ne[2], stream % mask->ne[3]));
    }
};

// 2 to the x - most, for a whole number that is not less than x: x is a whole number and a rest of at most a half, of which the series of
// Taylor up to the seventh power is right to the last bit or two. So another `most` gives the same digits with another power of two.
CQ_VECTORS inline __m512 power_of(__m512 x, __m512 most) {
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_mul_ps(_mm512_sub_ps(x, n), _mm512_set1_ps(0.693147181f));
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    for (float factor : { 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 1.0f / 2, 1.0f, 1.0f }) {
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(factor));
    }
    // What is below the range is no weight at all; minus infinity makes no number of the above.
    __m512    power  = _mm512_sub_ps(n, most);
    __mmask16 within = _mm512_cmp_ps_mask(power, _mm512_set1_ps(-126.0f), _CMP_GE_OQ);
    return _mm512_maskz_scalef_ps(within, p, power);
}

CQ_VECTORS inline __m512 load(const float * from) {
    return _mm512_loadu_ps(from);
}

CQ_VECTORS inline __m512 load(const ggml_fp16_t * from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}

CQ_VECTORS inline __m512 load(const ggml_bf16_t * from) {
    __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

CQ_VECTORS inline void transpose(__m512 * rows) {
    __m512 some[LANES];
    for (int i = 0; i < LANES; i += 4) {
        __m512 a    = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        __m512 b    = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
        __m512 c    = _mm512_unpacklo_ps(rows[i + 2], rows[i + 3]);
        __m512 d    = _mm512_unpackhi_ps(rows[i + 2], rows[i + 3]);
        some[i]     = _mm512_shuffle_ps(a, c, 0x44);
        some[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        some[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        some[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    // Columns i, i + 4, i + 8 and i + 12 of each four rows lie in one register.
    for (int i = 0; i < 4; ++i) {
        __m512 a     = _mm512_shuffle_f32x4(some[i], some[i + 4], 0x88);
        __m512 b     = _mm512_shuffle_f32x4(some[i], some[i + 4], 0xdd);
        __m512 c     = _mm512_shuffle_f32x4(some[i + 8], some[i + 12], 0x88);
        __m512 d     = _mm512_shuffle_f32x4(some[i + 8], some[i + 12], 0xdd);
        rows[i]      = _mm512_shuffle_f32x4(a, c, 0x88);
        rows[i + 8]  = _mm512_shuffle_f32x4(a, c, 0xdd);
        rows[i + 4]  = _mm512_shuffle_f32x4(b, d, 0x88);
        rows[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

// The keys of a block, cells beside each other. Cells that there are none of are zeroes.
template <typename Number> CQ_VECTORS void lay_out(const char * keys, size_t stride, int cells, int64_t width, float * out) {
    for (int cell = 0; cell < BLOCK; cell += LANES) {
        for (int64_t at = 0; at < width; at += LANES) {
            __m512 rows[LANES];
            for (int i = 0; i < LANES; ++i) {
                auto * from = reinterpret_cast<const Number *>(keys + (cell + i) * stride);
                rows[i]     = cell + i < cells ? load(from + at) : _mm512_setzero_ps();
            }
            transpose(rows);
            for (int i = 0; i < LANES; ++i) _mm512_store_ps(out + (at + i) * BLOCK + cell, rows[i]);
        }
    }
}

// Rows that will be asked for soon, into the cache: they lie apart, where the processor does not guess them.
inline void fetch(const char * rows, size_t stride, int count, size_t bytes) {
    for (int row = 0; row < count; ++row) {
        for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(rows + row * stride + at, 0, 2);
    }
}

// What each of some rows has to do with each cell of a block.
template <int COUNT>
CQ_VECTORS void score(const float * keys, int64_t width, const float * const * queries, float * const * scores) {
    constexpr int VECTORS = BLOCK / LANES;
    __m512        sum[COUNT][VECTORS];
    for (int i = 0; i < COUNT; ++i) {
        for (int j = 0; j < VECTORS; ++j) sum[i][j] = _mm512_setzero_ps();
    }
    for (int64_t at = 0; at < width; ++at) {
        __m512 key[VECTORS];
        for (int j = 0; j < VECTORS; ++j) key[j] = _mm512_load_ps(keys + at * BLOCK + j * LANES);
        for (int i = 0; i < COUNT; ++i) {
            __m512 query = _mm512_set1_ps(queries[i][at]);
            for (int j = 0; j < VECTORS; ++j) sum[i][j] = _mm512_fmadd_ps(query, key[j], sum[i][j]);
        }
    }
    for (int i = 0; i < COUNT; ++i) {
        for (int j = 0; j < VECTORS; ++j) _mm512_store_ps(scores[i] + j * LANES, sum[i][j]);
    }
}

CQ_VECTORS inline __m512d load_sums(const float * from) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(from));
}

CQ_VECTORS inline __m512d load_sums(const ggml_fp16_t * from) {
    return _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))));
}

CQ_VECTORS inline __m512d load_sums(const ggml_bf16_t * from) {
    __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
    return _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_slli_epi32(bits, 16)));
}

// Adds some columns of a block's values to those of some rows, each weighed. What was there counts by `keep`.
template <int COUNT, int VECTORS, typename Number>
CQ_VECTORS void weigh(const char * values, size_t stride, int cells, const Sum * const * weights, const Sum * keep, Sum * const * sums,
                      int64_t column) {
    __m512d sum[COUNT][VECTORS];
    for (int i = 0; i < COUNT; ++i) {
        __m512d kept = _mm512_set1_pd(keep[i]);
        for (int j = 0; j < VECTORS; ++j) sum[i][j] = _mm512_mul_pd(kept, _mm512_loadu_pd(sums[i] + column + j * SUMS));
    }
    for (int cell = 0; cell < cells; ++cell) {
        const Number * from = reinterpret_cast<const Number *>(values + cell * stride) + column;
        __m512d        value[VECTORS];
        for (int j = 0; j < VECTORS; ++j) value[j] = load_sums(from + j * SUMS);
        for (int i = 0; i < COUNT; ++i) {
            __m512d weight = _mm512_set1_pd(weights[i][cell]);
            for (int j = 0; j < VECTORS; ++j) sum[i][j] = _mm512_fmadd_pd(weight, value[j], sum[i][j]);
        }
    }
    for (int i = 0; i < COUNT; ++i) {
        for (int j = 0; j < VECTORS; ++j) _mm512_storeu_pd(sums[i] + column + j * SUMS, sum[i][j]);
    }
}

// A row on its way: its values so far, what they were weighed by in all, and a power of two that is not less than any weight.
struct Row {
    Sum *            values;
    Sum &            total;
    Sum &            highest;
    const float *    query;
    const uint16_t * seen; // the mask of a block's cells; null for all

    Row(Sum * memory, int64_t width, const float * query, const uint16_t * seen)
        : values(memory), total(memory[width]), highest(memory[width + 1]), query(query), seen(seen) {}
};

constexpr uint16_t UNSEEN = 0xfc00; // minus infinity in 16 bits

CQ_VECTORS inline __mmask16 there(int cells, int lane) {
    return static_cast<__mmask16>((1u << std::clamp(cells - lane, 0, LANES)) - 1);
}

CQ_VECTORS inline bool sees_any(const uint16_t * seen, int cells) {
    const __m256i unseen = _mm256_set1_epi16(static_cast<int16_t>(UNSEEN));
    for (int lane = 0; lane < cells; lane += LANES) {
        __mmask16 these = there(cells, lane);
        if (_mm256_mask_cmpneq_epi16_mask(these, _mm256_maskz_loadu_epi16(these, seen + lane), unseen) != 0) return true;
    }
    return false;
}

// Turns a row's scores, which are logarithms to base 2, into weights. Returns by how much what was there counts from now on.
CQ_VECTORS Sum soften(const Row & row, int cells, const float * scores, Sum * weights) {
    constexpr int VECTORS = BLOCK / LANES;
    __m512        score[VECTORS];
    __m512        most = _mm512_set1_ps(NEVER);
    for (int j = 0; j < VECTORS; ++j) {
        __mmask16 these = there(cells, j * LANES);
        score[j]        = _mm512_load_ps(scores + j * LANES);
        if (row.seen != nullptr) {
            __m512 seen = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(these, row.seen + j * LANES));
            score[j]    = _mm512_fmadd_ps(seen, _mm512_set1_ps(LOG2E), score[j]);
        }
        score[j] = _mm512_mask_blend_ps(these, _mm512_set1_ps(NEVER), score[j]);
        most     = _mm512_max_ps(most, score[j]);
    }
    Sum     highest = std::max(row.highest, static_cast<Sum>(std::ceil(_mm512_reduce_max_ps(most))));
    Sum     keep    = row.highest == highest ? 1 : std::exp2(row.highest - highest);
    __m512d total   = _mm512_setzero_pd();
    for (int j = 0; j < VECTORS; ++j) {
        __m512  weight = power_of(score[j], _mm512_set1_ps(static_cast<float>(highest)));
        __m512d low    = _mm512_cvtps_pd(_mm512_castps512_ps256(weight));
        __m512d high   = _mm512_cvtps_pd(_mm512_extractf32x8_ps(weight, 1));
        total          = _mm512_add_pd(total, _mm512_add_pd(low, high));
        _mm512_store_pd(weights + j * LANES, low);
        _mm512_store_pd(weights + j * LANES + SUMS, high);
    }
    row.total   = row.total * keep + _mm512_reduce_add_pd(total);
    row.highest = highest;
    return keep;
}

// A block of cells: its keys laid out, and where its values are.
struct Block {
    const float * keys;
    const char *  values;
    size_t        stride; // bytes between a cell's values and the next one's
    int           cells;
};

template <int COUNT, typename Number> CQ_VECTORS void meet(const Attention & all, const Block & block, const Row * rows) {
    alignas(64) float scores[COUNT][BLOCK];
    alignas(64) Sum   weights[COUNT][BLOCK];
    const float *     queries[COUNT];
    float *           scored[COUNT];
    const Sum *       weighed[COUNT];
    Sum *             sums[COUNT];
    Sum               keep[COUNT];
    for (int i = 0; i < COUNT; ++i) {
        queries[i] = rows[i].query;
        scored[i]  = scores[i];
        weighed[i] = weights[i];
        sums[i]    = rows[i].values;
    }
    score<COUNT>(block.keys, all.key, queries, scored);
    for (int i = 0; i < COUNT; ++i) keep[i] = soften(rows[i], block.cells, scores[i], weights[i]);
    int64_t column = 0;
    for (; column + 4 * SUMS <= all.value; column += 4 * SUMS) {
        weigh<COUNT, 4, Number>(block.values, block.stride, block.cells, weighed, keep, sums, column);
    }
    for (; column < all.value; column += SUMS) {
        weigh<COUNT, 1, Number>(block.values, block.stride, block.cells, weighed, keep, sums, column);
    }
}

template <typename Number> void meet(const Attention & all, const Block & block, const Row * rows, size_t count) {
    static_assert(ROWS == 6, "as many as there are cases");
    switch (count) {
        case 1: return meet<1, Number>(all, block, rows);
        case 2: return meet<2, Number>(all, block, rows);
        case 3: return meet<3, Number>(all, block, rows);
        case 4: return meet<4, Number>(all, block, rows);
        case 5: return meet<5, Number>(all, block, rows);
        default: return meet<6, Number>(all, block, rows);
    }
}

// A tile and a part of the cells. `sums` are its rows.
template <typename Number> void attend_part(const Attention & all, const Tile & tile, int64_t part, const float * queries, Sum * sums) {
    static thread_local Numbers<float>   keys;
    static thread_local std::vector<Row> rows;

    float *      laid   = keys.of(all.key * BLOCK);
    const char * key    = tile.first_of(all, all.k);
    const char * value  = tile.first_of(all, all.v);
    int64_t      end    = std::min((part + 1) * PART, all.cells);
    for (int64_t row = 0; row < tile.rows; ++row) {
        Sum * sum = sums + row * all.row_sums();
        std::fill_n(sum, all.value + 1, 0);
        sum[all.value + 1] = NEVER;
    }
    for (int64_t from = part * PART; from < end; from += BLOCK) {
        int  cells = static_cast<int>(std::min<int64_t>(BLOCK, end - from));
        bool sees  = true;
        rows.clear();
        for (int64_t row = 0; row < tile.rows; ++row) {
            const uint16_t * seen = all.mask == nullptr ? nullptr : tile.seen_by(all, row) + from;
            if (seen != nullptr && (row % all.group == 0 || all.mask->ne[2] > 1)) sees = sees_any(seen, cells);
            if (sees) rows.emplace_back(sums + row * all.row_sums(), all.value, queries + row * all.key, seen);
        }
        if (rows.empty()) continue;

        fetch(value + from * all.v->nb[1], all.v->nb[1], cells, all.value * sizeof(Number));
        lay_out<Number>(key + from * all.k->nb[1], all.k->nb[1], cells, all.key, laid);
        int next = static_cast<int>(std::clamp<int64_t>(end - from - BLOCK, 0, BLOCK));
        fetch(key + (from + BLOCK) * all.k->nb[1], all.k->nb[1], next, all.key * sizeof(Number));
        Block block { laid, value + from * all.v->nb[1], all.v->nb[1], cells };
        for (size_t row = 0; row < rows.size(); row += ROWS) {
            meet<Number>(all, block, rows.data() + row, std::min<size_t>(ROWS, rows.size() - row));
        }
    }
}

// The queries of a tile, scaled so that scores are logarithms to base 2.
const float * queries_of(const Attention & all, const Tile & tile) {
    static thread_local Numbers<float> memory;
    float *                            queries = memory.of(all.most_rows() * all.key);
    for (int64_t row = 0; row < tile.rows; ++row) {
        auto from = reinterpret_cast<const float *>(row_of(all.q, tile.token_of(all, row), tile.head_of(all, row), tile.stream));
        for (int64_t i = 0; i < all.key; ++i) queries[row * all.key + i] = from[i] * (all.scale * LOG2E);
    }
    return queries;
}

void attend_part(const Attention & all, const Tile & tile, int64_t part, const float * queries, Sum * sums) {
    switch (all.k->type) {
        case GGML_TYPE_F16: return attend_part<ggml_fp16_t>(all, tile, part, queries, sums);
        case GGML_TYPE_BF16: return attend_part<ggml_bf16_t>(all, tile, part, queries, sums);
        default: return attend_part<float>(all, tile, part, queries, sums);
    }
}

// Puts what was seen in a later part to what was before.
CQ_VECTORS void join(Sum * row, const Sum * later, int64_t width) {
    Sum * total   = row + width;
    Sum * highest = row + width + 1;
    if (later[width + 1] == NEVER) return;
    Sum     most   = std::max(*highest, later[width + 1]);
    Sum     ours   = std::exp2(*highest - most);
    Sum     theirs = std::exp2(later[width + 1] - most);
    __m512d a      = _mm512_set1_pd(ours);
    __m512d b      = _mm512_set1_pd(theirs);
    for (int64_t i = 0; i < width; i += SUMS) {
        _mm512_storeu_pd(row + i, _mm512_fmadd_pd(_mm512_loadu_pd(later + i), b, _mm512_mul_pd(_mm512_loadu_pd(row + i), a)));
    }
    *total   = *total * ours + later[width] * theirs;
    *highest = most;
}

// What was seen of a row becomes the answer's.
void finish(const Attention & all, const Tile & tile, int64_t row, const Sum * seen) {
    int64_t head  = tile.head_of(all, row);
    Sum     total = seen[all.value];
    if (all.sinks != nullptr) {
        // A score that takes its share of the weight, and has no value.
        total += std::exp2(static_cast<const float *>(all.sinks->data)[head] * static_cast<Sum>(LOG2E) - seen[all.value + 1]);
    }
    Sum     scale = total == 0 ? 0 : 1 / total;
    int64_t at    = (tile.stream * all.dst->ne[2] + tile.token_of(all, row)) * all.dst->ne[1] + head;
    auto    out   = reinterpret_cast<float *>(static_cast<char *>(all.dst->data) + at * all.dst->nb[1]);
    for (int64_t i = 0; i < all.value; ++i) out[i] = static_cast<float>(seen[i] * scale);
}

// Whole tiles for this thread.
void attend_tiles(const Attention & all, const ggml_compute_params * params, const Chunks & chunks) {
    static thread_local Numbers<Sum> before, later;

    int64_t count  = all.tile_sums();
    Sum *   sums   = before.of(count);
    Sum *   others = later.of(count);
    for (int64_t unit = params->ith; unit < all.all_tiles(); unit = chunks.add(params->threadpool, 1)) {
        Tile          tile(all, unit);
        const float * queries = queries_of(all, tile);
        attend_part(all, tile, 0, queries, sums);
        for (int64_t part = 1; part < all.parts; ++part) {
            attend_part(all, tile, part, queries, others);
            for (int64_t row = 0; row < tile.rows; ++row) join(sums + row * all.row_sums(), others + row * all.row_sums(), all.value);
        }
        for (int64_t row = 0; row < tile.rows; ++row) finish(all, tile, row, sums + row * all.row_sums());
    }
}

// Tiles whose parts all threads share. `sums` has room for the rows of each tile and part.
void attend_parts(const Attention & all, const ggml_compute_params * params, const Chunks & chunks, Sum * sums) {
    int64_t count = all.tile_sums();
    for (int64_t unit = params->ith; unit < all.all_tiles() * all.parts; unit = chunks.add(params->threadpool, 1)) {
        int64_t number = unit % all.all_tiles();
        int64_t part   = unit / all.all_tiles();
        Tile    tile(all, number);
        attend_part(all, tile, part, queries_of(all, tile), sums + (number * all.parts + part) * count);
    }
    ggml_barrier(params->threadpool);
    int64_t turn = 0;
    for (int64_t number = 0; number < all.all_tiles(); ++number) {
        Tile tile(all, number);
        for (int64_t row = 0; row < tile.rows; ++row, ++turn) {
            if (turn % params->nth != params->ith) continue;
            Sum * seen = sums + number * all.parts * count + row * all.row_sums();
            for (int64_t part = 1; part < all.parts; ++part) join(seen, seen + part * count, all.value);
            finish(all, tile, row, seen);
        }
    }
}

} // namespace

bool attends(const ggml_compute_params * params, const ggml_tensor * dst) {
    const ggml_tensor * q = dst->src[0];
    const ggml_tensor * k = dst->src[1];
    const ggml_tensor * v = dst->src[2];

    float of[3]; // scale, bias of ALiBi, cap
    std::memcpy(of, dst->op_params, sizeof of);
    bool   plain = !params->use_ref && of[1] == 0.0f && of[2] == 0.0f && q->type == GGML_TYPE_F32;
    bool   half  = k->type == GGML_TYPE_F16 || k->type == GGML_TYPE_BF16;
    bool   known = k->type == v->type && (half || k->type == GGML_TYPE_F32);
    bool   whole = k->ne[0] % LANES == 0 && v->ne[0] % LANES == 0 && k->ne[2] == v->ne[2];
    bool   heads = k->ne[2] > 0 && q->ne[2] >= k->ne[2] && q->ne[2] % k->ne[2] == 0;
    size_t bytes = half ? sizeof(ggml_fp16_t) : sizeof(float);
    bool   dense = q->nb[0] == sizeof(float) && k->nb[0] == bytes && v->nb[0] == bytes;
    return plain && known && whole && heads && dense && has_vectors();
}

void attend(const ggml_compute_params * params, ggml_tensor * dst, const Chunks & chunks) {
    static thread_local Numbers<Sum> shared;

    Attention all(dst);
    bool      few = all.parts > 1 && all.all_tiles() < FEW_TILES * params->nth;
    bool      cut = few && all.all_sums() <= MOST_SHARED / static_cast<int64_t>(sizeof(Sum));
    if (params->ith == 0) {
        chunks.set(params->threadpool, params->nth);
        Sum * sums = cut ? shared.of(all.all_sums()) : nullptr;
        std::memcpy(params->wdata, &sums, sizeof sums);
    }
    ggml_barrier(params->threadpool);
    if (cut) {
        Sum * sums;
        std::memcpy(&sums, params->wdata, sizeof sums);
        attend_parts(all, params, chunks, sums);
    } else {
        attend_tiles(all, params, chunks);
    }
}

#else

bool attends(const ggml_compute_params *, const ggml_tensor *) {
    return false;
}

void attend(const ggml_compute_params *, ggml_tensor *, const Chunks &) {}

#endif
