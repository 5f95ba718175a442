// The place where all threads of a graph wait for each other, some 600 times a token. ggml's own waits by spinning alone:
// as soon as anything else wants a core, a thread that waits keeps it from the one that it waits for, until the system takes
// it away. One other busy process then makes a token up to 300 times slower on two cores; with this barrier, twice.
//
// Here a thread spins for a while, and then sleeps. For how long it spins it learns from its last waits: a partner that
// computes on a core of its own is there soon, and waking takes longer than that; one that waits for this very core is
// never there in time.
//
// ggml calls its barrier through the table of dynamic symbols, so the definition that was opened first is taken: this library
// is opened before ggml's, and for all to see. It keeps to the protocol of ggml's own (ggml_barrier in ggml-cpu.c), and wakes
// those that sleep.
#include <atomic>
#include <climits>
#include <cstdint>

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using std::atomic_bool;
using std::atomic_int;
using ggml_mutex_t = pthread_mutex_t;
using ggml_cond_t  = pthread_cond_t;
enum ggml_status : int;

// `struct ggml_threadpool` as the pinned release has it: taken from its source by the build.
#include "ggml_threadpool.h"

namespace {

// Some 70 to 200 microseconds.
constexpr int MOST_SPINS  = 4096;
constexpr int LEAST_SPINS = 32;

// A wait that was long halves the next one's spinning; some fifty short ones make up for it.
constexpr int RECOVERY = 64;

constexpr int THREADS = 0xffff; // of n_graph

std::atomic<bool> used;
std::atomic<int>  sleeping; // in all pools

thread_local int spins = MOST_SPINS;

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("isb" ::: "memory"); // as long as x86's pause, which `yield` is not
#endif
}

bool spin(const atomic_int & passed, int before) {
    for (int i = 0; i < spins; ++i) {
        if (passed.load(std::memory_order_relaxed) != before) {
            spins += (MOST_SPINS - spins) / RECOVERY;
            return true;
        }
        relax();
    }
    spins = spins / 2 > LEAST_SPINS ? spins / 2 : LEAST_SPINS;
    return false;
}

// Whoever passes raises the number first and looks for sleepers then, and whoever sleeps is counted first and looks at the
// number then, which the kernel does once more: so none is forgotten.
void sleep(atomic_int & passed, int before) {
    sleeping.fetch_add(1, std::memory_order_seq_cst);
    while (passed.load(std::memory_order_seq_cst) == before) {
        syscall(SYS_futex, (int *) &passed, FUTEX_WAIT_PRIVATE, before, nullptr, nullptr, 0);
    }
    sleeping.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace

#define CQ_EXPORT extern "C" __attribute__((visibility("default")))

CQ_EXPORT void ggml_barrier(ggml_threadpool * pool) {
    int threads = pool->n_graph.load(std::memory_order_relaxed) & THREADS;
    if (threads == 1) return;
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);

    atomic_int & passed = pool->n_barrier_passed;
    int          before = passed.load(std::memory_order_relaxed);
    if (pool->n_barrier.fetch_add(1, std::memory_order_seq_cst) == threads - 1) {
        pool->n_barrier.store(0, std::memory_order_relaxed);
        passed.fetch_add(1, std::memory_order_seq_cst);
        if (sleeping.load(std::memory_order_seq_cst) > 0) {
            syscall(SYS_futex, (int *) &passed, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
        }
        return;
    }
    if (!spin(passed, before)) sleep(passed, before);
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Whether any thread has met another here: tests that ggml takes this barrier.
CQ_EXPORT int32_t cq_barrier_used() {
    return used.load(std::memory_order_relaxed);
}
