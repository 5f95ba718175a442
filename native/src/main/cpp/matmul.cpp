// Weights of type Q4_1 times many tokens. ggml has no batched kernel for this type: it unpacks a row of weights anew for each token, and
// so a prompt's token costs as much as an answer's, and ten answers ten times one. This is that kernel, for processors with AVX-512 and
// its VNNI; for others, and other types, ggml's own is called.
//
// Four rows of weights are unpacked to bytes once and meet four tokens at a time, 64 numbers in a step. As in ggml's
// (ggml_vec_dot_q4_1_q8_1), a block of 32 adds up in whole numbers and is then scaled:
//   sum over blocks of  d_w * d_t * sum(w * t)  +  m_w * s_t,  where s_t = d_t * sum(t)
// so it differs from it by the order of the blocks' sums alone.
//
// ggml asks `llamafile_sgemm` first, through the table of dynamic symbols, so the definition that was opened first is taken; see
// barrier.cpp.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "ggml.h"
#include "originals.h"

struct ggml_threadpool;
#include "ggml_compute_params.h"

namespace {

using Matmul = bool (*)(const ggml_compute_params *, int64_t, int64_t, int64_t, const void *, int64_t, const void *, int64_t, void *, int64_t,
                        int, int, int);

std::atomic<bool> used;

#if defined(__x86_64__)

#define CQ_VECTORS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))

constexpr int BLOCK  = 32; // numbers
constexpr int GROUP  = 16; // blocks whose scales fit into a register
constexpr int PAIRS  = GROUP / 2;
constexpr int ROWS   = 4;
constexpr int TOKENS = 4;

// Bytes of tokens that are met by one panel after the other.
constexpr int64_t PACKED_BYTES = 128 << 10;

// As ggml-common.h has them.
struct Weights {
    uint16_t scale;
    uint16_t least;
    uint8_t  numbers[BLOCK / 2]; // two in each: the first sixteen, and the last
};

struct Activations {
    uint16_t scale;
    uint16_t sum; // of the numbers, scaled
    int8_t   numbers[BLOCK];
};

static_assert(sizeof(Weights) == 20 && sizeof(Activations) == 36, "as ggml lays them out");

bool can() {
    static const bool can = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
                         && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma")
                         && __builtin_cpu_supports("f16c");
    return can;
}

// Rows of bytes with a scale and an offset for each block, all whole groups, the rest zeroes.
struct Packed {
    int64_t            groups;
    std::vector<char>  memory;
    uint8_t *          numbers;
    float *            scales;
    float *            offsets;

    Packed(const Packed &) = delete;
    Packed() : groups(0), numbers(nullptr), scales(nullptr), offsets(nullptr) {}

    void resize(int64_t rows, int64_t blocks) {
        groups        = (blocks + GROUP - 1) / GROUP;
        size_t floats = static_cast<size_t>(rows * groups * GROUP);
        memory.resize(floats * (BLOCK + 2 * sizeof(float)) + 64);
        auto at = (reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64;
        numbers = reinterpret_cast<uint8_t *>(at);
        scales  = reinterpret_cast<float *>(numbers + floats * BLOCK);
        offsets = scales + floats;
    }

    uint8_t * numbers_of(int64_t row) const { return numbers + row * groups * GROUP * BLOCK; }
    float *   scales_of(int64_t row) const { return scales + row * groups * GROUP; }
    float *   offsets_of(int64_t row) const { return offsets + row * groups * GROUP; }
};

// Splits pairs of halves, of a block each, into two rows of floats.
CQ_VECTORS inline void scale(const uint32_t * halves, float * low, float * high) {
    __m512i both = _mm512_loadu_si512(halves);
    _mm512_storeu_ps(low, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(both)));
    _mm512_storeu_ps(high, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(both, 16))));
}

template <typename Block> inline uint32_t halves(const Block * block) {
    uint32_t both;
    __builtin_memcpy(&both, block, sizeof both);
    return both;
}

CQ_VECTORS void pack(const Weights * blocks, int64_t count, const Packed & packed, int64_t row) {
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    const __m512i shift  = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
    uint8_t *     out    = packed.numbers_of(row);
    static const Weights none {};
    for (int64_t group = 0; group < packed.groups; ++group) {
        uint32_t both[GROUP];
        for (int pair = 0; pair < PAIRS; ++pair) {
            int64_t         at     = group * GROUP + 2 * pair;
            const Weights * first  = at < count ? blocks + at : &none;
            const Weights * second = at + 1 < count ? blocks + at + 1 : &none;
            both[2 * pair]         = halves(first);
            both[2 * pair + 1]     = halves(second);
            __m256i a = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(first->numbers)));
            __m256i b = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(second->numbers)));
            __m512i z = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
            _mm512_store_si512(out + at * BLOCK, _mm512_and_si512(_mm512_srlv_epi64(z, shift), nibble));
        }
        scale(both, packed.scales_of(row) + group * GROUP, packed.offsets_of(row) + group * GROUP);
    }
}

CQ_VECTORS void pack(const Activations * blocks, int64_t count, const Packed & packed, int64_t row) {
    uint8_t * out = packed.numbers_of(row);
    static const Activations none {};
    for (int64_t group = 0; group < packed.groups; ++group) {
        uint32_t both[GROUP];
        for (int i = 0; i < GROUP; ++i) {
            int64_t             at    = group * GROUP + i;
            const Activations * block = at < count ? blocks + at : &none;
            both[i]                   = halves(block);
            _mm256_store_si256(reinterpret_cast<__m256i *>(out + at * BLOCK),
                               _mm256_loadu_si256(reinterpret_cast<const __m256i *>(block->numbers)));
        }
        scale(both, packed.scales_of(row) + group * GROUP, packed.offsets_of(row) + group * GROUP);
    }
}

// A panel of rows times some tokens, of which the first is given.
template <int COUNT> CQ_VECTORS void multiply(const Packed & weights, const Packed & tokens, int64_t token, int64_t pairs, float * sums) {
    __m512 sum[ROWS][COUNT];
    for (int i = 0; i < ROWS; ++i) {
        for (int j = 0; j < COUNT; ++j) sum[i][j] = _mm512_setzero_ps();
    }
    // Which two scales stand for the halves of a register.
    const __m512i first  = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i second = _mm512_set1_epi32(2);
    for (int64_t group = 0; group < weights.groups; ++group) {
        for (int i = 0; i < ROWS; ++i) {
            __m512 least = _mm512_loadu_ps(weights.offsets_of(i) + group * GROUP);
            for (int j = 0; j < COUNT; ++j) {
                sum[i][j] = _mm512_fmadd_ps(least, _mm512_loadu_ps(tokens.offsets_of(token + j) + group * GROUP), sum[i][j]);
            }
        }
        __m512i which = first;
        int64_t end   = std::min<int64_t>(PAIRS, pairs - group * PAIRS);
        for (int64_t pair = 0; pair < end; ++pair) {
            int64_t at = (group * GROUP + 2 * pair) * BLOCK;
            __m512i w[ROWS];
            __m512  d[ROWS];
            for (int i = 0; i < ROWS; ++i) {
                w[i] = _mm512_load_si512(weights.numbers_of(i) + at);
                d[i] = _mm512_permutexvar_ps(which, _mm512_loadu_ps(weights.scales_of(i) + group * GROUP));
            }
            for (int j = 0; j < COUNT; ++j) {
                __m512i t = _mm512_load_si512(tokens.numbers_of(token + j) + at);
                __m512  s = _mm512_permutexvar_ps(which, _mm512_loadu_ps(tokens.scales_of(token + j) + group * GROUP));
                for (int i = 0; i < ROWS; ++i) {
                    __m512 dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_setzero_si512(), w[i], t));
                    sum[i][j]  = _mm512_fmadd_ps(_mm512_mul_ps(d[i], s), dot, sum[i][j]);
                }
            }
            which = _mm512_add_epi32(which, second);
        }
    }
    for (int j = 0; j < COUNT; ++j) {
        for (int i = 0; i < ROWS; ++i) sums[j * ROWS + i] = _mm512_reduce_add_ps(sum[i][j]);
    }
}

void multiply(int count, const Packed & weights, const Packed & tokens, int64_t token, int64_t pairs, float * sums) {
    switch (count) {
        case 1: multiply<1>(weights, tokens, token, pairs, sums); break;
        case 2: multiply<2>(weights, tokens, token, pairs, sums); break;
        case 3: multiply<3>(weights, tokens, token, pairs, sums); break;
        default: multiply<TOKENS>(weights, tokens, token, pairs, sums); break;
    }
}

// This thread's rows. `rows` and `tokens` in all, `blocks` in each; strides in blocks, and in floats for the answer.
void multiply(const ggml_compute_params * params, int64_t rows, int64_t tokens, int64_t blocks, const Weights * a, int64_t stride_a,
              const Activations * b, int64_t stride_b, float * c, int64_t stride_c) {
    static thread_local Packed panel, some;

    int64_t panels = (rows + ROWS - 1) / ROWS;
    int64_t begin  = panels * params->ith / params->nth;
    int64_t end    = panels * (params->ith + 1) / params->nth;
    int64_t most   = std::max<int64_t>(TOKENS, PACKED_BYTES / (blocks * BLOCK) / TOKENS * TOKENS);
    panel.resize(ROWS, blocks);
    for (int64_t from = 0; from < tokens; from += most) {
        int64_t count = std::min(most, tokens - from);
        some.resize(count, blocks);
        for (int64_t j = 0; j < count; ++j) pack(b + (from + j) * stride_b, blocks, some, j);
        for (int64_t at = begin * ROWS; at < std::min(end * ROWS, rows); at += ROWS) {
            int64_t wide = std::min<int64_t>(ROWS, rows - at);
            for (int64_t i = 0; i < ROWS; ++i) pack(a + (at + std::min(i, wide - 1)) * stride_a, blocks, panel, i);
            for (int64_t j = 0; j < count; j += TOKENS) {
                float sums[ROWS * TOKENS];
                int   few = static_cast<int>(std::min<int64_t>(TOKENS, count - j));
                multiply(few, panel, some, j, (blocks + 1) / 2, sums);
                for (int t = 0; t < few; ++t) {
                    std::copy_n(sums + t * ROWS, wide, c + (from + j + t) * stride_c + at);
                }
            }
        }
    }
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
    if (a_type == GGML_TYPE_Q4_1 && b_type == GGML_TYPE_Q8_1 && c_type == GGML_TYPE_F32 && can()) {
        if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
        multiply(params, m, n, k, static_cast<const Weights *>(a), lda, static_cast<const Activations *>(b), ldb, static_cast<float *>(c),
                 ldc);
        return true;
    }
#endif
    static const Matmul ggmls = original<Matmul>(__builtin_return_address(0), "llamafile_sgemm");
    return ggmls(params, m, n, k, a, lda, b, ldb, c, ldc, a_type, b_type, c_type);
}

// Whether this processor has the kernel, and whether any product was made with it: tests that ggml takes it.
CQ_EXPORT int32_t cq_matmul_can() {
    return can();
}

CQ_EXPORT int32_t cq_matmul_used() {
    return used.load(std::memory_order_relaxed);
}
