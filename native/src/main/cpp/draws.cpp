#include "draws.h"

#include <algorithm>
#include <cmath>

namespace {

// llama.cpp's samplers keep a generator of their own that cannot be looked at. So one is made anew for each draw, with a seed
// that stands for the place. What mirostat has learnt is in the same hiding place, and is kept here as well.
struct placed {
    std::string                                   name;
    std::function<llama_sampler *(uint32_t, float)> make; // of a seed, and mirostat's mu
    draws *                                       numbers;
    float                                         tau = 0, eta = 0; // eta 0: it learns nothing
    float                                         surprise = NAN;   // of what was chosen last

    void apply(llama_token_data_array * candidates) {
        auto seed = (uint32_t) (numbers->next() >> 33); // never the one that means any
        std::unique_ptr<llama_sampler, decltype(&llama_sampler_free)> sampler(make(seed, numbers->mu), llama_sampler_free);
        llama_sampler_apply(sampler.get(), candidates);
        if (eta > 0 && candidates->selected >= 0) surprise = -log2f(candidates->data[candidates->selected].p);
    }

    void accept() {
        if (!std::isnan(surprise)) numbers->mu -= eta * (surprise - tau);
        surprise = NAN;
    }
};

placed & of(const llama_sampler * sampler) { return *static_cast<placed *>(sampler->ctx); }

llama_sampler_i * functions() {
    static llama_sampler_i i = [] {
        llama_sampler_i out = {};
        out.name   = [](const llama_sampler * s) { return of(s).name.c_str(); };
        out.accept = [](llama_sampler * s, llama_token) { of(s).accept(); };
        out.apply  = [](llama_sampler * s, llama_token_data_array * candidates) { of(s).apply(candidates); };
        out.free   = [](llama_sampler * s) { delete &of(s); };
        return out;
    }();
    return &i;
}

std::unique_ptr<placed> placed_of(const std::string & name, const common_params_sampling & p, int32_t n_vocab, draws & numbers) {
    auto out = std::make_unique<placed>();
    out->name    = name;
    out->numbers = &numbers;
    if (name == "dist") {
        out->make = [](uint32_t seed, float) { return llama_sampler_init_dist(seed); };
    } else if (name == "xtc") {
        out->make = [=](uint32_t seed, float) { return llama_sampler_init_xtc(p.xtc_probability, p.xtc_threshold, (size_t) p.min_keep, seed); };
    } else if (name == "mirostat" || name == "mirostat-v2") {
        // One that is new allows twice its target.
        out->make = [=](uint32_t seed, float mu) {
            return p.mirostat == 1 ? llama_sampler_init_mirostat(n_vocab, seed, mu / 2, p.mirostat_eta, 100)
                                   : llama_sampler_init_mirostat_v2(seed, mu / 2, p.mirostat_eta);
        };
        out->tau   = p.mirostat_tau;
        out->eta   = p.mirostat_eta;
        numbers.mu = 2 * p.mirostat_tau;
    } else {
        return nullptr;
    }
    return out;
}

} // namespace

void draw_by_place(llama_sampler * chain, const common_params_sampling & params, int32_t n_vocab, draws & numbers) {
    for (int i = 0, n = llama_sampler_chain_n(chain); i < n; ++i) {
        llama_sampler * one = llama_sampler_chain_remove(chain, 0);
        if (auto in_its_place = placed_of(llama_sampler_name(one), params, n_vocab, numbers)) {
            llama_sampler_free(one);
            one = llama_sampler_init(functions(), in_its_place.release());
        }
        llama_sampler_chain_add(chain, one);
    }
}
