// llama.cpp's grammar samplers, made to follow grammars with grammar_states.h.
#pragma once

#include "internal.h"

// To be called before a model's first sampler with a grammar.
void prepare_grammars(const llama_vocab * vocab);

// To be called before a vocabulary goes.
void forget_pieces(const llama_vocab * vocab);
