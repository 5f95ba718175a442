// Where samplers get their random numbers from: of the seed, a token's place in the answer, and how many were drawn for that
// token already, and of nothing else. So whoever knows the tokens of an answer so far can go on with it as if he had begun it.
#pragma once

#include "internal.h"

#include "common.h"

class draws {
  public:
    explicit draws(uint32_t s) : seed(s) {}

    uint64_t next() { return mixed(mixed(mixed(seed) + place) + drawn++); }
    // 0 to below 1.
    double fraction() { return (double) (next() >> 11) * 0x1p-53; }
    // The token is chosen; the next one's numbers begin.
    void advance(size_t tokens = 1) {
        place += tokens;
        drawn = 0;
    }

    // Mirostat's state: the surprise it allows.
    float mu = 0;

  private:
    static uint64_t mixed(uint64_t x) { // SplitMix64
        x += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    uint32_t seed;
    uint64_t place = 0, drawn = 0;
};

// Lets those of the chain's samplers that draw do it by place; `numbers` outlives the chain.
void draw_by_place(llama_sampler * chain, const common_params_sampling & params, int32_t n_vocab, draws & numbers);
