// Weights of type Q4_1 and Q8_0 times tokens, for processors with AVX-512 and its VNNI; for others, and other types, ggml's own is called.
// For Q4_1 ggml has no batched kernel: it unpacks a row of weights anew for each token, and so a prompt's token costs as much as an answer's,
// and ten answers ten times one. For Q8_0 it has one, for registers of half the size.
//
// Four rows of weights are unpacked to bytes once and meet three tokens at a time. As in ggml's (ggml_vec_dot_q4_1_q8_1 and
// ggml_vec_dot_q8_0_q8_0), a block of 32 adds up in whole numbers and is then scaled:
//   Q4_1: sum over blocks of  d_w * d_t * sum(w * t)  +  m_w * s_t,  where s_t = d_t * sum(t)
//   Q8_0: sum over blocks of  d_w * d_t * sum(w * t)
// so it differs from it by the order of the blocks' sums alone. The numbers of eight blocks lie in four registers so that each block
// has two lanes of 32 bits to itself in all of them: four products later its sum is in these two, and eight blocks are scaled at once.
// The processor multiplies numbers without a sign by such with one: to weights of Q8_0 128 is added, and sum(128 * t) taken off.
//
// How a row and a token are multiplied depends on nothing else, so that answers are the same alone and in company.
//
// ggml asks `llamafile_sgemm` first, through the table of dynamic symbols, so the definition that was opened first is taken; see
// barrier.cpp.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "ggml.h"
#include "originals.h"
#include "vectors.h"

struct ggml_threadpool;
#include "ggml_compute_params.h"

namespace {

using Matmul = bool (*)(const ggml_compute_params *, int64_t, int64_t, int64_t, const void *, int64_t, const void *, int64_t, void *, int64_t,
                        int, int, int);

std::atomic<bool> used;

#if defined(__x86_64__)

#define CQ_VECTORS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))

constexpr int BLOCK  = 32;            // numbers
constexpr int GROUP  = 8;             // blocks that are scaled at once
constexpr int LANES  = 16;            // of a register: two of each block
constexpr int PARTS  = 4;             // registers that hold a group's numbers
constexpr int BYTES  = GROUP * BLOCK; // of a group's numbers
constexpr int ROWS   = 4;
constexpr int TOKENS = 3;

constexpr int64_t CACHE_LINE = 64;

// Bytes of tokens that are met by one panel after the other.
constexpr int64_t PACKED_BYTES = 128 << 10;

// As ggml-common.h has them.
struct Q4_1 {
    uint16_t scale;
    uint16_t least;
    uint8_t  numbers[BLOCK / 2]; // two in each: the first sixteen, and the last
};

// Tokens that meet Q4_1.
struct Q8_1 {
    uint16_t scale;
    uint16_t sum; // of the numbers, scaled
    int8_t   numbers[BLOCK];
};

// Also tokens that meet such weights.
struct Q8_0 {
    uint16_t scale;
    int8_t   numbers[BLOCK];
};

static_assert(sizeof(Q4_1) == 20 && sizeof(Q8_1) == 36 && sizeof(Q8_0) == 34, "as ggml lays them out");

bool can() {
    static const bool can = has_vectors() && __builtin_cpu_supports("avx512vnni");
    return can;
}

// Eight blocks after the other, ready to be multiplied: their numbers, and a scale and an offset for each. A scale stands there once for
// each of its block's lanes. An offset of Q4_1 does once, and the other is zero; of Q8_0 it is what a lane's sum begins with, as a
// whole number.
struct Packed {
    std::vector<char> memory;
    uint8_t *         numbers = nullptr;
    float *           scales  = nullptr;
    float *           offsets = nullptr;

    void resize(int64_t groups) {
        size_t count = static_cast<size_t>(groups);
        size_t bytes = count * (BYTES + 2 * LANES * sizeof(float)) + CACHE_LINE;
        if (memory.size() < bytes) memory.resize(bytes);
        auto at = (reinterpret_cast<uintptr_t>(memory.data()) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
        numbers = reinterpret_cast<uint8_t *>(at);
        scales  = reinterpret_cast<float *>(numbers + count * BYTES);
        offsets = scales + count * LANES;
    }

    uint8_t * numbers_of(int64_t group) const { return numbers + group * BYTES; }
    float *   scales_of(int64_t group) const { return scales + group * LANES; }
    float *   offsets_of(int64_t group) const { return offsets + group * LANES; }
};

// How a row's blocks are put into groups. What fills none is put together with that of the panel's other rows: two blocks of each.
struct Groups {
    int64_t blocks;
    int64_t whole;
    int64_t mixed;

    explicit Groups(int64_t blocks) : blocks(blocks), whole(blocks / GROUP), mixed((blocks % GROUP + 1) / 2) {}

    int64_t of_panel() const { return ROWS * whole + mixed; }
    int64_t of_token() const { return whole + mixed; }
    // Bytes of a token's numbers.
    int64_t bytes() const { return of_token() * BYTES; }
};

static_assert(GROUP == 2 * ROWS, "a mixed group has two blocks of each row");

CQ_VECTORS inline __m512i twice() {
    return _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
}

CQ_VECTORS inline void store_scales(__m128i halves, float * scales) {
    _mm512_store_ps(scales, _mm512_permutexvar_ps(twice(), _mm512_castps256_ps512(_mm256_cvtph_ps(halves))));
}

// Of pairs of halves, a scale and an offset.
CQ_VECTORS inline void store_pairs(__m256i pairs, float * scales, float * offsets) {
    __m256 high = _mm256_cvtph_ps(_mm256_cvtepi32_epi16(_mm256_srli_epi32(pairs, 16)));
    store_scales(_mm256_cvtepi32_epi16(pairs), scales);
    _mm512_store_ps(offsets, _mm512_maskz_permutexvar_ps(0x5555, twice(), _mm512_castps256_ps512(high)));
}

// The 40 words of a group of Q4_1.
struct Words {
    __m512i first;
    __m512i second;
    __m256i third;
};

// Sixteen of them, by their numbers; the lanes of `last` from the third register.
CQ_VECTORS inline __m512i pick(const Words & words, __m512i numbers, __mmask16 last) {
    __m512i some = _mm512_permutex2var_epi32(words.first, numbers, words.second);
    return _mm512_mask_permutexvar_epi32(some, last, numbers, _mm512_castsi256_si512(words.third));
}

// A block is five words: its scale and offset, and sixteen bytes. Of these the first and the third four become its lanes in one register, the
// others in another; the lower halves of bytes are the block's first sixteen numbers.
CQ_VECTORS inline void pack_weights(const Q4_1 * blocks, const Packed & packed, int64_t group) {
    const __m512i even   = _mm512_set_epi32(38, 36, 33, 31, 28, 26, 23, 21, 18, 16, 13, 11, 8, 6, 3, 1);
    const __m512i odd    = _mm512_set_epi32(39, 37, 34, 32, 29, 27, 24, 22, 19, 17, 14, 12, 9, 7, 4, 2);
    const __m512i pairs  = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 35, 30, 25, 20, 15, 10, 5, 0);
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    auto *        from   = reinterpret_cast<const char *>(blocks);
    Words         words { _mm512_loadu_si512(from), _mm512_loadu_si512(from + 64), _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from + 128)) };
    __m512i       x   = pick(words, even, 0xe000);
    __m512i       y   = pick(words, odd, 0xf000);
    uint8_t *     out = packed.numbers_of(group);
    _mm512_store_si512(out, _mm512_and_si512(x, nibble));
    _mm512_store_si512(out + 64, _mm512_and_si512(y, nibble));
    _mm512_store_si512(out + 128, _mm512_and_si512(_mm512_srli_epi16(x, 4), nibble));
    _mm512_store_si512(out + 192, _mm512_and_si512(_mm512_srli_epi16(y, 4), nibble));
    store_pairs(_mm512_castsi512_si256(pick(words, pairs, 0x80)), packed.scales_of(group), packed.offsets_of(group));
}

// In the order of the weights' numbers.
CQ_VECTORS inline void pack_token(const Q8_1 * blocks, const Packed & packed, int64_t group) {
    uint8_t * out = packed.numbers_of(group);
    for (int i = 0; i < GROUP; ++i) {
        for (int part = 0; part < PARTS; ++part) {
            const int8_t * from = blocks[i].numbers + part / 2 * 16 + part % 2 * 4;
            __builtin_memcpy(out + part * 64 + i * 8, from, 4);
            __builtin_memcpy(out + part * 64 + i * 8 + 4, from + 8, 4);
        }
    }
    auto    pair  = [&](int i) { return static_cast<int32_t>(blocks[i].scale | static_cast<uint32_t>(blocks[i].sum) << 16); };
    __m256i pairs = _mm256_set_epi32(pair(7), pair(6), pair(5), pair(4), pair(3), pair(2), pair(1), pair(0));
    store_pairs(pairs, packed.scales_of(group), packed.offsets_of(group));
}

CQ_VECTORS inline __m512i two(const Q8_0 * blocks) {
    auto numbers = [&](int i) { return reinterpret_cast<const __m256i *>(blocks[i].numbers); };
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(numbers(0))), _mm256_loadu_si256(numbers(1)), 1);
}

CQ_VECTORS inline void scale(const Q8_0 * blocks, float * scales) {
    auto of = [&](int i) { return static_cast<int16_t>(blocks[i].scale); };
    store_scales(_mm_set_epi16(of(7), of(6), of(5), of(4), of(3), of(2), of(1), of(0)), scales);
}

// Eight bytes of each block become its lanes in one register, the next eight in another.
CQ_VECTORS inline void spread(const Q8_0 * blocks, __m512i * parts) {
    const __m512i begins = _mm512_set_epi64(13, 9, 5, 1, 12, 8, 4, 0);
    const __m512i ends   = _mm512_set_epi64(15, 11, 7, 3, 14, 10, 6, 2);
    __m512i       a      = two(blocks), b = two(blocks + 2), c = two(blocks + 4), d = two(blocks + 6);
    __m512i       ab     = _mm512_permutex2var_epi64(a, begins, b);
    __m512i       cd     = _mm512_permutex2var_epi64(c, begins, d);
    parts[0] = _mm512_shuffle_i64x2(ab, cd, 0x44);
    parts[1] = _mm512_shuffle_i64x2(ab, cd, 0xee);
    ab       = _mm512_permutex2var_epi64(a, ends, b);
    cd       = _mm512_permutex2var_epi64(c, ends, d);
    parts[2] = _mm512_shuffle_i64x2(ab, cd, 0x44);
    parts[3] = _mm512_shuffle_i64x2(ab, cd, 0xee);
}

CQ_VECTORS inline void pack_weights(const Q8_0 * blocks, const Packed & packed, int64_t group) {
    __m512i parts[PARTS];
    spread(blocks, parts);
    for (int part = 0; part < PARTS; ++part) {
        _mm512_store_si512(packed.numbers_of(group) + part * 64, _mm512_xor_si512(parts[part], _mm512_set1_epi8(-128)));
    }
    scale(blocks, packed.scales_of(group));
}

CQ_VECTORS inline void pack_token(const Q8_0 * blocks, const Packed & packed, int64_t group) {
    __m512i parts[PARTS];
    __m512i sum = _mm512_setzero_si512();
    spread(blocks, parts);
    for (int part = 0; part < PARTS; ++part) {
        _mm512_store_si512(packed.numbers_of(group) + part * 64, parts[part]);
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), parts[part]);
    }
    scale(blocks, packed.scales_of(group));
    _mm512_store_si512(packed.offsets_of(group), _mm512_mullo_epi32(sum, _mm512_set1_epi32(-128)));
}

// Two blocks of each row that fill no group, and nothing where there is no second one.
template <typename Block> inline void mix(const Block * const * rows, const Groups & groups, int64_t group, Block * mixed) {
    int64_t at    = groups.whole * GROUP + 2 * group;
    size_t  bytes = static_cast<size_t>(std::min<int64_t>(2, groups.blocks - at)) * sizeof(Block);
    for (int i = 0; i < ROWS; ++i) {
        mixed[2 * i + 1] = {};
        __builtin_memcpy(mixed + 2 * i, rows[i] + at, bytes);
    }
}

// The groups of a panel's rows, and then what is mixed.
template <typename Weights> CQ_VECTORS void pack_panel(const Weights * const * rows, const Groups & groups, const Packed & packed) {
    for (int i = 0; i < ROWS; ++i) {
        for (int64_t group = 0; group < groups.whole; ++group) pack_weights(rows[i] + group * GROUP, packed, i * groups.whole + group);
    }
    for (int64_t group = 0; group < groups.mixed; ++group) {
        Weights mixed[GROUP];
        mix(rows, groups, group, mixed);
        pack_weights(mixed, packed, ROWS * groups.whole + group);
    }
}

// The groups of a token, and then what meets that which is mixed.
template <typename Tokens> CQ_VECTORS void pack_token(const Tokens * blocks, const Groups & groups, const Packed & packed, int64_t token) {
    int64_t first = token * groups.of_token();
    for (int64_t group = 0; group < groups.whole; ++group) pack_token(blocks + group * GROUP, packed, first + group);
    const Tokens * same[ROWS];
    std::fill_n(same, ROWS, blocks);
    for (int64_t group = 0; group < groups.mixed; ++group) {
        Tokens mixed[GROUP];
        mix(same, groups, group, mixed);
        pack_token(mixed, packed, first + groups.whole + group);
    }
}

// Some rows' groups, one of each, times those of some tokens: adds to their sums. Panels and tokens are `step` and `stride` groups apart.
template <typename Weights, int SOME, int COUNT>
CQ_VECTORS inline void multiply_group(const Packed & weights, int64_t group, int64_t step, const Packed & tokens, int64_t token, int64_t stride,
                                      __m512 (&sum)[SOME][COUNT]) {
    constexpr bool OFFSETS = std::is_same_v<Weights, Q4_1>;
    __m512i        dot[SOME][COUNT];
    for (int i = 0; i < SOME; ++i) {
        for (int j = 0; j < COUNT; ++j) {
            dot[i][j] = OFFSETS ? _mm512_setzero_si512() : _mm512_load_si512(tokens.offsets_of(token + j * stride));
        }
    }
    for (int part = 0; part < PARTS; ++part) {
        __m512i t[COUNT];
        for (int j = 0; j < COUNT; ++j) t[j] = _mm512_load_si512(tokens.numbers_of(token + j * stride) + part * 64);
        for (int i = 0; i < SOME; ++i) {
            __m512i w = _mm512_load_si512(weights.numbers_of(group + i * step) + part * 64);
            for (int j = 0; j < COUNT; ++j) dot[i][j] = _mm512_dpbusd_epi32(dot[i][j], w, t[j]);
        }
    }
    for (int i = 0; i < SOME; ++i) {
        __m512 d = _mm512_load_ps(weights.scales_of(group + i * step));
        for (int j = 0; j < COUNT; ++j) {
            __m512 both = _mm512_mul_ps(d, _mm512_load_ps(tokens.scales_of(token + j * stride)));
            sum[i][j]   = _mm512_fmadd_ps(both, _mm512_cvtepi32_ps(dot[i][j]), sum[i][j]);
            if constexpr (OFFSETS) {
                __m512 m  = _mm512_load_ps(weights.offsets_of(group + i * step));
                sum[i][j] = _mm512_fmadd_ps(m, _mm512_load_ps(tokens.offsets_of(token + j * stride)), sum[i][j]);
            }
        }
    }
}

// A panel of rows times some tokens, of which the first is given.
template <typename Weights, int COUNT>
CQ_VECTORS void multiply(const Groups & groups, const Packed & panel, const Packed & tokens, int64_t token, float * sums) {
    int64_t stride = groups.of_token();
    int64_t first  = token * stride;
    __m512  sum[ROWS][COUNT];
    for (int i = 0; i < ROWS; ++i) {
        for (int j = 0; j < COUNT; ++j) sum[i][j] = _mm512_setzero_ps();
    }
    for (int64_t group = 0; group < groups.whole; ++group) {
        multiply_group<Weights>(panel, group, groups.whole, tokens, first + group, stride, sum);
    }
    // Four lanes of each row.
    __m512 mixed[1][COUNT];
    for (int j = 0; j < COUNT; ++j) mixed[0][j] = _mm512_setzero_ps();
    for (int64_t group = 0; group < groups.mixed; ++group) {
        multiply_group<Weights>(panel, ROWS * groups.whole + group, 0, tokens, first + groups.whole + group, stride, mixed);
    }
    for (int j = 0; j < COUNT; ++j) {
        alignas(64) float rest[LANES];
        _mm512_store_ps(rest, mixed[0][j]);
        for (int i = 0; i < ROWS; ++i) {
            const float * of = rest + i * LANES / ROWS;
            sums[j * ROWS + i] = _mm512_reduce_add_ps(sum[i][j]) + ((of[0] + of[1]) + (of[2] + of[3]));
        }
    }
}

template <typename Weights>
void multiply(int count, const Groups & groups, const Packed & panel, const Packed & tokens, int64_t token, float * sums) {
    static_assert(TOKENS == 3, "as many as there are cases");
    switch (count) {
        case 1: return multiply<Weights, 1>(groups, panel, tokens, token, sums);
        case 2: return multiply<Weights, 2>(groups, panel, tokens, token, sums);
        default: return multiply<Weights, 3>(groups, panel, tokens, token, sums);
    }
}

// Rows of blocks, so many of them apart.
template <typename Block> struct Matrix {
    const Block * blocks;
    int64_t       rows;
    int64_t       stride;

    const Block * row(int64_t i) const { return blocks + i * stride; }
};

// What comes next, into the cache while this is multiplied.
template <typename Block> void fetch(const Matrix<Block> & matrix, int64_t from, int64_t blocks) {
    for (int64_t i = from; i < std::min(from + ROWS, matrix.rows); ++i) {
        const char * begin = reinterpret_cast<const char *>(matrix.row(i));
        const char * end   = reinterpret_cast<const char *>(matrix.row(i) + blocks);
        for (const char * at = begin; at < end; at += CACHE_LINE) __builtin_prefetch(at, 0, 2);
    }
}

// This thread's rows of weights, with so many blocks in each, and all tokens.
template <typename Weights, typename Tokens>
void multiply(const ggml_compute_params * params, const Matrix<Weights> & a, const Matrix<Tokens> & b, int64_t blocks, float * c,
              int64_t stride_c) {
    static thread_local Packed panel, some;

    Groups  groups(blocks);
    int64_t panels = (a.rows + ROWS - 1) / ROWS;
    int64_t begin  = panels * params->ith / params->nth;
    int64_t end    = panels * (params->ith + 1) / params->nth;
    int64_t most   = std::max<int64_t>(TOKENS, PACKED_BYTES / groups.bytes() / TOKENS * TOKENS);
    panel.resize(groups.of_panel());
    for (int64_t from = 0; from < b.rows; from += most) {
        int64_t count = std::min(most, b.rows - from);
        some.resize(count * groups.of_token());
        for (int64_t j = 0; j < count; ++j) pack_token(b.row(from + j), groups, some, j);
        for (int64_t at = begin * ROWS; at < std::min(end * ROWS, a.rows); at += ROWS) {
            int64_t         wide = std::min<int64_t>(ROWS, a.rows - at);
            const Weights * rows[ROWS];
            for (int64_t i = 0; i < ROWS; ++i) rows[i] = a.row(at + std::min(i, wide - 1));
            pack_panel(rows, groups, panel);
            fetch(a, at + ROWS, blocks);
            for (int64_t j = 0; j < count; j += TOKENS) {
                float sums[ROWS * TOKENS];
                int   few = static_cast<int>(std::min<int64_t>(TOKENS, count - j));
                multiply<Weights>(few, groups, panel, some, j, sums);
                for (int t = 0; t < few; ++t) {
                    std::copy_n(sums + t * ROWS, wide, c + (from + j + t) * stride_c + at);
                }
            }
        }
    }
}

template <typename Weights, typename Tokens>
bool multiply(const ggml_compute_params * params, int64_t m, int64_t n, int64_t blocks, const void * a, int64_t lda, const void * b,
              int64_t ldb, void * c, int64_t ldc) {
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
    Matrix<Weights> weights { static_cast<const Weights *>(a), m, lda };
    Matrix<Tokens>  tokens { static_cast<const Tokens *>(b), n, ldb };
    multiply(params, weights, tokens, blocks, static_cast<float *>(c), ldc);
    return true;
}

#else

bool can() {
    return false;
}

#endif

} // namespace

#define CQ_EXPORT extern "C" __attribute__((visibility("default")))

CQ_EXPORT bool llamafile_sgemm(const ggml_compute_params * params, int64_t m, int64_t n, int64_t k, const void * a, int64_t lda,
                               const void * b, int64_t ldb, void * c, int64_t ldc, int a_type, int b_type, int c_type) {
#if defined(__x86_64__)
    if (c_type == GGML_TYPE_F32 && can()) {
        if (a_type == GGML_TYPE_Q4_1 && b_type == GGML_TYPE_Q8_1) return multiply<Q4_1, Q8_1>(params, m, n, k, a, lda, b, ldb, c, ldc);
        if (a_type == GGML_TYPE_Q8_0 && b_type == GGML_TYPE_Q8_0) return multiply<Q8_0, Q8_0>(params, m, n, k, a, lda, b, ldb, c, ldc);
    }
#endif
    static const Matmul ggmls = original<Matmul>(__builtin_return_address(0), "llamafile_sgemm");
    // ggml adds up a single token's products in another order than those of many. Here it is computed as many are: as the same two.
    bool floats = a_type == GGML_TYPE_F32 || a_type == GGML_TYPE_F16 || a_type == GGML_TYPE_BF16;
    if (n == 1 && floats) return ggmls(params, m, 2, k, a, lda, b, 0, c, 0, a_type, b_type, c_type);
    return ggmls(params, m, n, k, a, lda, b, ldb, c, ldc, a_type, b_type, c_type);
}

// Whether this processor has the kernel, and whether any product was made with it: tests that ggml takes it.
CQ_EXPORT int32_t cq_matmul_can() {
    return can();
}

CQ_EXPORT int32_t cq_matmul_used() {
    return used.load(std::memory_order_relaxed);
}
