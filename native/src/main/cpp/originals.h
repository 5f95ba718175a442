// ggml's own functions, behind those that this library has in their place.
#pragma once

#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>

// The function of that name of the library that calls. One processor's library is open in a process, and stays so.
template <typename Function> Function original(void * caller, const char * name) {
    Dl_info library;
    void *  found = nullptr;
    if (dladdr(caller, &library) != 0) {
        void * handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        found         = handle == nullptr ? nullptr : dlsym(handle, name);
    }
    if (found == nullptr) {
        std::fprintf(stderr, "chasqui: ggml's %s cannot be found\n", name);
        std::abort();
    }
    return reinterpret_cast<Function>(found);
}
