// Sampling straight from the logits, for the options that most requests use: logit bias, penalties, top-k, top-p, min-p,
// temperature, greedy. Means the same as llama.cpp's chain of samplers in that order, but never sorts or copies a whole
// vocabulary: one vectorised pass finds the greatest logit of each block, which bounds what can be among the top k, and only
// blocks that can matter are looked at again.
#pragma once

#include "internal.h"

#include <unordered_map>

struct fast_options {
    float    temperature = 0.8f;
    int32_t  top_k = 40;      // 0: off
    float    top_p = 0.95f;   // 1: off
    float    min_p = 0.05f;   // 0: off
    float    repeat = 1, frequency = 0, presence = 0;
    int32_t  last_n = 64;
    std::vector<llama_logit_bias> biases;
};

class fast_sampler {
  public:
    explicit fast_sampler(const fast_options & options);

    // The logits are changed and put back. at: 0 to below 1, where to draw.
    llama_token sample(float * logits, int32_t n, double at);
    void        accept(llama_token token);
    // Of each token, without drawing.
    void probabilities(float * logits, int32_t n, float * out);

  private:
    struct candidate {
        float   logit;
        float   weight; // e^(logit - greatest)
        int32_t token;
    };

    void  change(float * logits, int32_t n);
    void  restore(float * logits);
    void  collect(const float * logits, int32_t n); // -> kept, unless the whole vocabulary is
    void  keep_top_k(const float * logits, int32_t n);
    void  keep_top_p(double wanted, float sure);
    void  collect_top_p(const float * logits, int32_t n, float least);
    void  gather(const float * logits, int32_t n, float threshold);
    llama_token draw_kept(double at);
    llama_token draw_any(const float * logits, int32_t n, double at);

    fast_options options;
    bool         penalised;
    std::vector<llama_token> recent; // ring
    size_t       next = 0;
    std::unordered_map<llama_token, int32_t> counts; // of the tokens in the ring

    // of the row at hand
    std::vector<std::pair<llama_token, float>> changed;
    std::vector<float>     tops;     // greatest logit of each block
    std::vector<float>     order;    // scratch
    std::vector<candidate> kept;
    float  greatest = 0;
    bool   whole = false;            // nothing cuts the vocabulary
};

bool has_nan(const float * logits, int32_t n);

// Log-softmax: the token's own, and the likeliest ones.
int32_t log_probabilities(const float * logits, int32_t n, int32_t token, int32_t top, int32_t * ids, float * values);
