// Zeroed memory for tensors without writing it: the system gives zeroed pages when they are touched first. A KV cache is
// zeroed when it is made; writing 377 MB through took 170 ms of each load, and made pages resident that few chats ever use.
#include "internal.h"

#include "ggml-backend-impl.h"

#include <sys/mman.h>
#include <unistd.h>

namespace {

// Below, writing is as quick.
constexpr size_t LARGE = 1u << 20;

decltype(ggml_backend_buffer_type_i::alloc_buffer) usual_alloc;

// ggml's own memory is private and anonymous, so that pages which are given back come again as zeroes.
void clear_pages(ggml_backend_buffer_t buffer, uint8_t value) {
    auto   page  = (uintptr_t) sysconf(_SC_PAGESIZE);
    auto * begin = (char *) buffer->context, * end = begin + buffer->size;
    auto * first = (char *) (((uintptr_t) begin + page - 1) / page * page);
    auto * last  = (char *) ((uintptr_t) end / page * page);
    if (value != 0 || madvise(first, (size_t) (last - first), MADV_DONTNEED) != 0) {
        memset(begin, value, buffer->size);
        return;
    }
    memset(begin, 0, (size_t) (first - begin));
    memset(last, 0, (size_t) (end - last));
}

ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_t buffer = usual_alloc(type, size);
    if (buffer && buffer->size >= LARGE) buffer->iface.clear = clear_pages;
    return buffer;
}

} // namespace

void zero_lazily() {
    auto & usual = ggml_backend_cpu_buffer_type()->iface.alloc_buffer;
    if (usual == alloc_buffer) return;
    usual_alloc = usual;
    usual       = alloc_buffer;
}
