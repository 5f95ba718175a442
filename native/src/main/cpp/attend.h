// Attention with vectors of our own; see attend.cpp.
#pragma once

#include <cstdint>

#include "ggml.h"

struct ggml_compute_params;
struct ggml_threadpool;

// ggml's own, by which threads take one unit of work after the other.
struct Chunks {
    void (*set)(ggml_threadpool *, int);
    int (*add)(ggml_threadpool *, int);
};

inline char * row_of(const ggml_tensor * tensor, int64_t row, int64_t head, int64_t stream) {
    return static_cast<char *>(tensor->data) + row * tensor->nb[1] + head * tensor->nb[2] + stream * tensor->nb[3];
}

// Whether this processor can, and this is attention as it is done here: without ALiBi and soft caps, keys and values of 16 or 32 bits.
bool attends(const ggml_compute_params * params, const ggml_tensor * dst);

// This thread's part.
void attend(const ggml_compute_params * params, ggml_tensor * dst, const Chunks & chunks);
