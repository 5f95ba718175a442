#include "fast_sampler.h"

#include <algorithm>
#include <cmath>

// Each loop over a vocabulary is written once, with vectors of 8, and compiled twice: for any processor, and for AVX2.
#define ALWAYS_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#endif

namespace {

constexpr int LANES = 8;
typedef float   vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(LANES * 4), aligned(4)));

// The vocabulary is cut into groups of 64 vectors; a block is one lane of a group: every eighth logit of 512. So the
// greatest logits of 8 blocks are found at once, without ever looking across a vector.
constexpr int32_t DEPTH = 64;
constexpr int32_t GROUP = DEPTH * LANES;

int32_t group_count(int32_t n) { return (n + GROUP - 1) / GROUP; }
int32_t block_count(int32_t n) { return group_count(n) * LANES; }

// The logits of the last group, made whole.
struct last_group {
    float logits[GROUP];

    last_group(const float * all, int32_t n) {
        int32_t from = n / GROUP * GROUP;
        for (int32_t i = 0; i < GROUP; ++i) logits[i] = from + i < n ? all[from + i] : -INFINITY;
    }
};

// The greatest logit of each block; a NaN never is.
ALWAYS_INLINE void tops_of(const float * group, float * tops) {
    const vec * v = (const vec *) group;
    vec a = v[0], b = v[1], c = v[2], d = v[3];
    for (int32_t i = 4; i < DEPTH; i += 4) {
        a = v[i] > a ? v[i] : a;
        b = v[i + 1] > b ? v[i + 1] : b;
        c = v[i + 2] > c ? v[i + 2] : c;
        d = v[i + 3] > d ? v[i + 3] : d;
    }
    a = b > a ? b : a;
    c = d > c ? d : c;
    a = c > a ? c : a;
    *(vec *) tops = a;
}

ALWAYS_INLINE void tops_body(const float * logits, int32_t n, float * tops) {
    for (int32_t g = 0; g < n / GROUP; ++g) tops_of(logits + (size_t) g * GROUP, tops + g * LANES);
    if (n % GROUP) tops_of(last_group(logits, n).logits, tops + n / GROUP * LANES);
}

// e^x for x <= 0, to about one unit in the last place; 0 below -87. By reference: passing vectors has no one ABI.
ALWAYS_INLINE void to_exp(vec & x) {
    const vec low = vec{} - 87.0f;
    vec clamped = x > low ? x : low;
    vec t = clamped * 1.44269504089f + 12582912.0f; // rounds to the nearest integer, in the low bits
    vec k = t - 12582912.0f;
    vec r = clamped - k * 0.693359375f + k * 2.12194440e-4f;
    vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    ivec e = (__builtin_convertvector(k, ivec) + 127) << 23;
    vec scale;
    __builtin_memcpy(&scale, &e, sizeof(e));
    vec zero = {};
    x = x > low ? p * scale : zero;
}

// Sum of the weights e^((logit - greatest) * factor) of each block; the weights too, in whole groups.
ALWAYS_INLINE void sums_of(const float * group, float greatest, float factor, float * sums, float * weights) {
    const vec * v = (const vec *) group;
    vec *       w = (vec *) weights;
    vec a = {}, b = {};
    for (int32_t i = 0; i < DEPTH; i += 2) {
        vec x = (v[i] - greatest) * factor, y = (v[i + 1] - greatest) * factor;
        to_exp(x);
        to_exp(y);
        a += x;
        b += y;
        w[i] = x;
        w[i + 1] = y;
    }
    *(vec *) sums = a + b;
}

ALWAYS_INLINE void sums_body(const float * logits, int32_t n, float greatest, float factor, float * sums, float * weights) {
    for (int32_t g = 0; g < group_count(n); ++g) {
        size_t at = (size_t) g * GROUP;
        if ((g + 1) * GROUP <= n) {
            sums_of(logits + at, greatest, factor, sums + g * LANES, weights + at);
        } else {
            sums_of(last_group(logits, n).logits, greatest, factor, sums + g * LANES, weights + at);
        }
    }
}

// Sum of the weights that are at least so great.
ALWAYS_INLINE double mass_body(const float * weights, int32_t groups, float least) {
    double mass = 0;
    for (int32_t g = 0; g < groups; ++g) {
        const vec * w = (const vec *) (weights + (size_t) g * GROUP);
        vec a = {}, b = {}, zero = {};
        for (int32_t i = 0; i < DEPTH; i += 2) {
            a += w[i] >= least ? w[i] : zero;
            b += w[i + 1] >= least ? w[i + 1] : zero;
        }
        a += b;
        for (int i = 0; i < LANES; ++i) mass += (double) a[i];
    }
    return mass;
}

#ifdef AVX2
AVX2 void tops_avx2(const float * logits, int32_t n, float * tops) { tops_body(logits, n, tops); }
AVX2 void sums_avx2(const float * logits, int32_t n, float greatest, float factor, float * sums, float * weights) {
    sums_body(logits, n, greatest, factor, sums, weights);
}
AVX2 double mass_avx2(const float * weights, int32_t groups, float least) { return mass_body(weights, groups, least); }
const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

void block_tops(const float * logits, int32_t n, float * tops) {
#ifdef AVX2
    if (wide) return tops_avx2(logits, n, tops);
#endif
    tops_body(logits, n, tops);
}

// Weights of the row at hand, in whole groups: one buffer for all samplers of a thread.
std::vector<float> & weights_for(int32_t n) {
    thread_local std::vector<float> weights;
    weights.resize((size_t) group_count(n) * GROUP);
    return weights;
}

void block_sums(const float * logits, int32_t n, float greatest, float factor, float * sums) {
    float * weights = weights_for(n).data();
#ifdef AVX2
    if (wide) return sums_avx2(logits, n, greatest, factor, sums, weights);
#endif
    sums_body(logits, n, greatest, factor, sums, weights);
}

// Of the weights that the last block_sums left.
double mass_above(int32_t n, float least) {
    const float * weights = weights_for(n).data();
#ifdef AVX2
    if (wide) return mass_avx2(weights, group_count(n), least);
#endif
    return mass_body(weights, group_count(n), least);
}

// Calls f with each token of a block.
template <typename F> ALWAYS_INLINE void each_token(int32_t block, int32_t n, F && f) {
    int32_t from = block / LANES * GROUP + block % LANES;
    for (int32_t i = from; i < std::min(from + GROUP, n); i += LANES) f(i);
}

double total_of(const std::vector<float> & sums) {
    double total = 0;
    for (float sum : sums) total += (double) sum;
    return total;
}

bool likelier(float a, int32_t token_a, float b, int32_t token_b) { return a > b || (a == b && token_a < token_b); }

[[noreturn]] void no_token() { throw failure(reason::decode_failed, "no token can be chosen: all are banned, or the logits are no numbers"); }

} // namespace

fast_sampler::fast_sampler(const fast_options & o) : options(o) {
    penalised = o.last_n > 0 && (o.repeat != 1 || o.frequency != 0 || o.presence != 0);
    if (penalised) recent.assign((size_t) o.last_n, LLAMA_TOKEN_NULL);
}

void fast_sampler::accept(llama_token token) {
    if (!penalised) return;
    llama_token old = recent[next];
    ++counts[token];
    if (old != LLAMA_TOKEN_NULL && --counts[old] == 0) counts.erase(old);
    recent[next] = token;
    next = (next + 1) % recent.size();
}

// Bias and penalties touch few logits: those are changed in place, and remembered.
void fast_sampler::change(float * logits, int32_t n) {
    changed.clear();
    for (const auto & bias : options.biases) {
        if (bias.token < 0 || bias.token >= n) continue;
        changed.emplace_back(bias.token, logits[bias.token]);
        logits[bias.token] += bias.bias;
    }
    if (!penalised) return;
    for (const auto & [token, count] : counts) {
        if (token < 0 || token >= n) continue;
        float & logit = logits[token];
        changed.emplace_back(token, logit);
        logit = logit <= 0 ? logit * options.repeat : logit / options.repeat;
        logit -= (float) count * options.frequency + options.presence;
    }
}

void fast_sampler::restore(float * logits) {
    for (auto it = changed.rbegin(); it != changed.rend(); ++it) logits[it->first] = it->second;
    changed.clear();
}

void fast_sampler::gather(const float * logits, int32_t n, float threshold) {
    kept.clear();
    for (int32_t b = 0; b < block_count(n); ++b) {
        if (!(tops[(size_t) b] >= threshold)) continue;
        each_token(b, n, [&](int32_t i) {
            if (logits[i] >= threshold && logits[i] != -INFINITY) kept.push_back({ logits[i], expf(logits[i] - greatest), i });
        });
    }
}

// At least k logits reach the k-th greatest of the blocks' greatest, so no smaller one is among the top k.
void fast_sampler::keep_top_k(const float * logits, int32_t n) {
    size_t k = (size_t) options.top_k;
    float threshold = -INFINITY;
    if (k <= (size_t) block_count(n)) {
        order.assign(tops.begin(), tops.begin() + block_count(n));
        std::nth_element(order.begin(), order.begin() + (std::ptrdiff_t) k - 1, order.end(), std::greater<float>());
        threshold = order[k - 1];
    }
    gather(logits, n, threshold);
    if (kept.size() > k) {
        std::nth_element(kept.begin(), kept.begin() + (std::ptrdiff_t) k, kept.end(),
                         [](const candidate & a, const candidate & b) { return likelier(a.logit, a.token, b.logit, b.token); });
        kept.resize(k);
    }
}

// Leaves the likeliest candidates that reach the mass. Those whose logit is `sure` or more are known to be among them; the
// border is found among the others by halving: the better half stays if it does not reach the mass, else the worse half goes.
void fast_sampler::keep_top_p(double wanted, float sure) {
    auto better = [](const candidate & a, const candidate & b) { return likelier(a.logit, a.token, b.logit, b.token); };
    auto at     = [&](size_t i) { return kept.begin() + (std::ptrdiff_t) i; };
    size_t begin = (size_t) (std::partition(kept.begin(), kept.end(), [&](const candidate & c) { return c.logit >= sure; }) - kept.begin());
    size_t end   = kept.size();
    double mass  = 0; // of what stays: all before begin
    for (size_t i = 0; i < begin; ++i) mass += (double) kept[i].weight;
    while (end - begin > 16) {
        size_t middle = begin + (end - begin) / 2;
        std::nth_element(at(begin), at(middle), at(end), better);
        double half = 0;
        for (size_t i = begin; i < middle; ++i) half += (double) kept[i].weight;
        if (mass + half >= wanted) {
            end = middle;
        } else {
            mass += half;
            begin = middle;
        }
    }
    std::sort(at(begin), at(end), better);
    while (begin < end && mass < wanted) mass += (double) kept[begin++].weight;
    kept.resize(std::max<size_t>(begin, 1));
}

// Top-p over the whole vocabulary: a threshold that leaves little more than what stays, then the exact border.
void fast_sampler::collect_top_p(const float * logits, int32_t n, float least) {
    order.resize((size_t) block_count(n));
    block_sums(logits, n, greatest, 1, order.data());
    double total = total_of(order), wanted = (double) options.top_p * total;
    if (!std::isfinite(total)) no_token();
    auto reaches = [&](float threshold) { return mass_above(n, expf(threshold - greatest)) >= wanted; };
    if (least > greatest - 87 && !reaches(least)) return gather(logits, n, least); // min-p cuts more
    float low = greatest - 6, sure = INFINITY;
    while (low > greatest - 87 && !reaches(low)) {
        sure = low;
        low  = greatest - (greatest - low) * 2;
    }
    for (int i = 0; i < 8 && std::isfinite(sure); ++i) {
        float middle = low + (sure - low) / 2;
        (reaches(middle) ? low : sure) = middle;
    }
    gather(logits, n, low);
    keep_top_p(wanted, sure);
}

void fast_sampler::collect(const float * logits, int32_t n) {
    int32_t blocks = block_count(n);
    tops.resize((size_t) blocks);
    block_tops(logits, n, tops.data());
    greatest = *std::max_element(tops.begin(), tops.end());
    if (!std::isfinite(greatest)) no_token();
    kept.clear();
    whole = false;
    if (options.temperature <= 0) {
        gather(logits, n, greatest);
        kept.resize(1); // of equals, one
        return;
    }
    bool  by_k = options.top_k > 0 && options.top_k < n, by_p = options.top_p < 1, by_min = options.min_p > 0;
    float least = by_min ? greatest + logf(options.min_p) : -INFINITY;
    whole = !by_k && !by_p && !by_min;
    if (whole) return;

    if (by_k) {
        keep_top_k(logits, n);
        double total = 0;
        for (const auto & c : kept) total += (double) c.weight;
        if (by_p) keep_top_p((double) options.top_p * total, INFINITY);
    } else if (by_p) {
        collect_top_p(logits, n, least);
    } else {
        gather(logits, n, least);
    }
    if (by_min) {
        kept.erase(std::remove_if(kept.begin(), kept.end(), [&](const candidate & c) { return c.logit < least; }), kept.end());
    }
}

llama_token fast_sampler::draw_kept(double at) {
    double total = 0;
    order.resize(kept.size());
    for (size_t i = 0; i < kept.size(); ++i) {
        order[i] = options.temperature == 1 ? kept[i].weight : options.temperature > 0 ? expf((kept[i].logit - greatest) / options.temperature) : 1;
        total += (double) order[i];
    }
    double sum = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
        sum += (double) order[i];
        if (sum > at * total) return kept[i].token;
    }
    return kept.back().token;
}

llama_token fast_sampler::draw_any(const float * logits, int32_t n, double at) {
    int32_t blocks = block_count(n);
    float   factor = 1 / options.temperature;
    order.resize((size_t) blocks);
    block_sums(logits, n, greatest, factor, order.data());
    double total = total_of(order);
    if (!std::isfinite(total)) no_token();
    double wanted = at * total, sum = 0;
    int32_t block = 0, last = 0;
    for (; block < blocks; ++block) {
        double mass = (double) order[(size_t) block];
        if (mass > 0) last = block;
        if (sum + mass > wanted) break;
        sum += mass;
    }
    int32_t chosen = -1;
    bool    found = false;
    each_token(block < blocks ? block : last, n, [&](int32_t i) {
        float weight = expf((logits[i] - greatest) * factor);
        if (found || !(weight > 0)) return;
        chosen = i;
        sum += (double) weight;
        found = sum > wanted;
    });
    if (chosen < 0) no_token();
    return chosen;
}

llama_token fast_sampler::sample(float * logits, int32_t n, double at) {
    change(logits, n);
    try {
        collect(logits, n);
        llama_token token = whole ? draw_any(logits, n, at) : draw_kept(at);
        restore(logits);
        return token;
    } catch (...) {
        restore(logits);
        throw;
    }
}

void fast_sampler::probabilities(float * logits, int32_t n, float * out) {
    change(logits, n);
    collect(logits, n);
    if (whole) {
        kept.clear();
        for (int32_t i = 0; i < n; ++i) kept.push_back({ logits[i], 0, i });
    }
    restore(logits);
    double total = 0;
    auto weight = [&](const candidate & c) { return options.temperature > 0 ? exp((double) (c.logit - greatest) / (double) options.temperature) : 1.0; };
    for (const auto & c : kept) total += weight(c);
    std::fill(out, out + n, 0.0f);
    for (const auto & c : kept) out[c.token] = (float) (weight(c) / total);
}

bool has_nan(const float * logits, int32_t n) {
    int32_t nans = 0;
    for (int32_t i = 0; i < n; ++i) nans += logits[i] != logits[i];
    return nans > 0;
}

int32_t log_probabilities(const float * logits, int32_t n, int32_t token, int32_t top, int32_t * ids, float * values) {
    int32_t blocks = block_count(n);
    std::vector<float> tops((size_t) blocks), sums((size_t) blocks);
    block_tops(logits, n, tops.data());
    float greatest = *std::max_element(tops.begin(), tops.end());
    if (!std::isfinite(greatest)) throw failure(reason::decode_failed, "the logits are no numbers");
    block_sums(logits, n, greatest, 1, sums.data());
    float offset = greatest + (float) log(total_of(sums));
    values[0] = logits[token] - offset;
    top = std::min(top, n);
    if (top <= 0) return 0;
    float threshold = -INFINITY;
    if (top <= blocks) {
        std::vector<float> order = tops;
        std::nth_element(order.begin(), order.begin() + top - 1, order.end(), std::greater<float>());
        threshold = order[(size_t) top - 1];
    }
    std::vector<std::pair<float, int32_t>> found;
    for (int32_t b = 0; b < blocks; ++b) {
        if (!(tops[(size_t) b] >= threshold)) continue;
        each_token(b, n, [&](int32_t i) {
            if (logits[i] >= threshold) found.emplace_back(-logits[i], i); // ascending: likeliest first, then lowest id
        });
    }
    size_t count = std::min<size_t>((size_t) top, found.size());
    std::partial_sort(found.begin(), found.begin() + (std::ptrdiff_t) count, found.end());
    for (size_t i = 0; i < count; ++i) {
        ids[i]        = found[i].second;
        values[i + 1] = -found[i].first - offset;
    }
    return (int32_t) count;
}
