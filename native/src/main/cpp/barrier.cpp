// The place where all threads of a graph wait for each other, some 600 times a token. ggml's own waits by spinning alone:
// as soon as anything else wants a core, a thread that waits keeps it from the one that it waits for, until the system takes
// it away. One other busy process then makes a token some 300 times slower on two cores; with this barrier, twice.
//
// ggml calls its barrier through the table of dynamic symbols, so the definition that was opened first is taken: this library
// is opened before ggml's, and for all to see. It keeps to the protocol of ggml's own (ggml_barrier in ggml-cpu.c), so that
// threads may meet in both.
#include <atomic>
#include <cstdint>

#include <pthread.h>
#include <sched.h>

using std::atomic_bool;
using std::atomic_int;
using ggml_mutex_t = pthread_mutex_t;
using ggml_cond_t  = pthread_cond_t;
enum ggml_status : int;

// `struct ggml_threadpool` as the pinned release has it: taken from its source by the build.
#include "ggml_threadpool.h"

namespace {

// About a microsecond: most waits are shorter, and a call of the system costs as much.
constexpr int SPINS = 32;

constexpr int THREADS = 0xffff; // of n_graph

std::atomic<bool> used;

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield" ::: "memory");
#endif
}

} // namespace

#define CQ_EXPORT extern "C" __attribute__((visibility("default")))

CQ_EXPORT void ggml_barrier(ggml_threadpool * pool) {
    int threads = pool->n_graph.load(std::memory_order_relaxed) & THREADS;
    if (threads == 1) return;
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);

    int passed = pool->n_barrier_passed.load(std::memory_order_relaxed);
    if (pool->n_barrier.fetch_add(1, std::memory_order_seq_cst) == threads - 1) {
        pool->n_barrier.store(0, std::memory_order_relaxed);
        pool->n_barrier_passed.fetch_add(1, std::memory_order_seq_cst);
        return;
    }
    int spins = 0;
    while (pool->n_barrier_passed.load(std::memory_order_relaxed) == passed) {
        if (spins < SPINS) {
            ++spins;
            relax();
        } else {
            sched_yield();
        }
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Whether any thread has met another here: tests that ggml takes this barrier.
CQ_EXPORT int32_t cq_barrier_used() {
    return used.load(std::memory_order_relaxed);
}
