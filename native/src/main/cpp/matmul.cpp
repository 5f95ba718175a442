// Weights of type Q4_1 times many tokens. ggml has no batched kernel for this type: it unpacks a row of weights anew for each token, and
// so a prompt's token costs as much as an answer's, and ten answers ten times one. This is that kernel, for processors with AVX-512 and
// its VNNI; for others, and other types, ggml's own is called.
//
// Four rows of weights are unpacked to bytes once and meet three tokens at a time. As in ggml's (ggml_vec_dot_q4_1_q8_1), a block of 32
// adds up in whole numbers and is then scaled:
//   sum over blocks of  d_w * d_t * sum(w * t)  +  m_w * s_t,  where s_t = d_t * sum(t)
// so it differs from it by the order of the blocks' sums alone. The numbers of eight blocks lie in four registers so that each block
// has two lanes of 32 bits to itself in all of them: four products later its sum is in these two, and eight blocks are scaled at once.
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

constexpr int BLOCK  = 32;            // numbers
constexpr int GROUP  = 8;             // blocks that are scaled at once
constexpr int LANES  = 16;            // of a register: two of each block
constexpr int PARTS  = 4;             // registers that hold a group's numbers
constexpr int BYTES  = GROUP * BLOCK; // of a group's numbers
constexpr int ROWS   = 4;
constexpr int TOKENS = 3;

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

// Rows of numbers with a scale and an offset for each block, all whole groups, the rest zeroes. A scale stands there once for each of its
// block's lanes; an offset does once, and the other is zero.
struct Packed {
    int64_t           groups = 0;
    std::vector<char> memory;
    uint8_t *         numbers = nullptr;
    float *           scales  = nullptr;
    float *           offsets = nullptr;

    void resize(int64_t rows, int64_t blocks) {
        groups      = (blocks + GROUP - 1) / GROUP;
        size_t each = static_cast<size_t>(rows * groups);
        memory.resize(each * (BYTES + 2 * LANES * sizeof(float)) + 64);
        auto at = (reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64;
        numbers = reinterpret_cast<uint8_t *>(at);
        scales  = reinterpret_cast<float *>(numbers + each * BYTES);
        offsets = scales + each * LANES;
    }

    uint8_t * numbers_of(int64_t row, int64_t group) const { return numbers + (row * groups + group) * BYTES; }
    float *   scales_of(int64_t row, int64_t group) const { return scales + (row * groups + group) * LANES; }
    float *   offsets_of(int64_t row, int64_t group) const { return offsets + (row * groups + group) * LANES; }
};

// Each block begins with two halves: its scale and its offset.
template <typename Block> CQ_VECTORS inline void scale(const Block * const * blocks, float * scales, float * offsets) {
    uint32_t both[GROUP];
    for (int i = 0; i < GROUP; ++i) __builtin_memcpy(&both[i], blocks[i], sizeof(uint32_t));
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    __m256i       pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(both));
    __m256        low   = _mm256_cvtph_ps(_mm256_cvtepi32_epi16(pairs));
    __m256        high  = _mm256_cvtph_ps(_mm256_cvtepi32_epi16(_mm256_srli_epi32(pairs, 16)));
    _mm512_store_ps(scales, _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(low)));
    _mm512_store_ps(offsets, _mm512_maskz_permutexvar_ps(0x5555, twice, _mm512_castps256_ps512(high)));
}

template <typename Block> inline void group_of(const Block * blocks, int64_t count, int64_t group, const Block ** found) {
    static const Block none {};
    for (int i = 0; i < GROUP; ++i) found[i] = group * GROUP + i < count ? blocks + group * GROUP + i : &none;
}

CQ_VECTORS inline __m512i four(const Weights * const * blocks) {
    auto numbers = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(blocks[i]->numbers)); };
    __m512i all = _mm512_castsi128_si512(numbers(0));
    all = _mm512_inserti32x4(all, numbers(1), 1);
    all = _mm512_inserti32x4(all, numbers(2), 2);
    return _mm512_inserti32x4(all, numbers(3), 3);
}

// Of a block's four times four bytes the first and the third become its lanes in one register, the others in another; the lower halves
// of bytes are the block's first sixteen numbers.
CQ_VECTORS void pack(const Weights * blocks, int64_t count, const Packed & packed, int64_t row) {
    const __m512i even   = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd    = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    for (int64_t group = 0; group < packed.groups; ++group) {
        const Weights * some[GROUP];
        group_of(blocks, count, group, some);
        __m512i a   = four(some);
        __m512i b   = four(some + GROUP / 2);
        __m512i x   = _mm512_permutex2var_epi32(a, even, b);
        __m512i y   = _mm512_permutex2var_epi32(a, odd, b);
        auto *  out = packed.numbers_of(row, group);
        _mm512_store_si512(out, _mm512_and_si512(x, nibble));
        _mm512_store_si512(out + 64, _mm512_and_si512(y, nibble));
        _mm512_store_si512(out + 128, _mm512_and_si512(_mm512_srli_epi16(x, 4), nibble));
        _mm512_store_si512(out + 192, _mm512_and_si512(_mm512_srli_epi16(y, 4), nibble));
        scale(some, packed.scales_of(row, group), packed.offsets_of(row, group));
    }
}

// In the order of the weights' numbers.
CQ_VECTORS void pack(const Activations * blocks, int64_t count, const Packed & packed, int64_t row) {
    for (int64_t group = 0; group < packed.groups; ++group) {
        const Activations * some[GROUP];
        group_of(blocks, count, group, some);
        auto * out = packed.numbers_of(row, group);
        for (int i = 0; i < GROUP; ++i) {
            for (int part = 0; part < PARTS; ++part) {
                const int8_t * from = some[i]->numbers + part / 2 * 16 + part % 2 * 4;
                __builtin_memcpy(out + part * 64 + i * 8, from, 4);
                __builtin_memcpy(out + part * 64 + i * 8 + 4, from + 8, 4);
            }
        }
        scale(some, packed.scales_of(row, group), packed.offsets_of(row, group));
    }
}

// A panel of rows times some tokens, of which the first is given.
template <int COUNT> CQ_VECTORS void multiply(const Packed & weights, const Packed & tokens, int64_t token, float * sums) {
    __m512 sum[ROWS][COUNT];
    for (int i = 0; i < ROWS; ++i) {
        for (int j = 0; j < COUNT; ++j) sum[i][j] = _mm512_setzero_ps();
    }
    for (int64_t group = 0; group < weights.groups; ++group) {
        __m512i dot[ROWS][COUNT];
        for (int i = 0; i < ROWS; ++i) {
            for (int j = 0; j < COUNT; ++j) dot[i][j] = _mm512_setzero_si512();
        }
        for (int part = 0; part < PARTS; ++part) {
            __m512i t[COUNT];
            for (int j = 0; j < COUNT; ++j) t[j] = _mm512_load_si512(tokens.numbers_of(token + j, group) + part * 64);
            for (int i = 0; i < ROWS; ++i) {
                __m512i w = _mm512_load_si512(weights.numbers_of(i, group) + part * 64);
                for (int j = 0; j < COUNT; ++j) dot[i][j] = _mm512_dpbusd_epi32(dot[i][j], w, t[j]);
            }
        }
        for (int i = 0; i < ROWS; ++i) {
            __m512 d = _mm512_load_ps(weights.scales_of(i, group));
            __m512 m = _mm512_load_ps(weights.offsets_of(i, group));
            for (int j = 0; j < COUNT; ++j) {
                __m512 both = _mm512_mul_ps(d, _mm512_load_ps(tokens.scales_of(token + j, group)));
                sum[i][j]   = _mm512_fmadd_ps(both, _mm512_cvtepi32_ps(dot[i][j]), sum[i][j]);
                sum[i][j]   = _mm512_fmadd_ps(m, _mm512_load_ps(tokens.offsets_of(token + j, group)), sum[i][j]);
            }
        }
    }
    for (int j = 0; j < COUNT; ++j) {
        for (int i = 0; i < ROWS; ++i) sums[j * ROWS + i] = _mm512_reduce_add_ps(sum[i][j]);
    }
}

void multiply(int count, const Packed & weights, const Packed & tokens, int64_t token, float * sums) {
    switch (count) {
        case 1: multiply<1>(weights, tokens, token, sums); break;
        case 2: multiply<2>(weights, tokens, token, sums); break;
        default: multiply<TOKENS>(weights, tokens, token, sums); break;
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
                multiply(few, panel, some, j, sums);
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
