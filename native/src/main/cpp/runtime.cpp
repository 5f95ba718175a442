// The process: libraries, backends, devices, log, errors.
#include "internal.h"

#include "build-info.h"
#include "common.h"
#include "ggml-backend.h"
#include "log.h"

#include <cstdlib>
#include <dlfcn.h>
#include <exception>
#include <malloc.h>
#include <pthread.h>

namespace {

constexpr size_t LOG_BYTES = 64 * 1024;
constexpr size_t LARGE_STACK = 256u << 20; // pages are taken only as they are touched
constexpr int    MAX_DEPTH = 100; // JSON parser, template engine and answer parser recurse once a level

thread_local log_capture * capturing = nullptr;

const char * kind_of(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU:  return "CPU";
        case GGML_BACKEND_DEVICE_TYPE_GPU:  return "GPU";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "IGPU";
        default:                            return "ACCELERATOR";
    }
}

} // namespace

// Warnings and errors, for whoever captures them on this thread; of all else no more than the level is looked at.
void cq_log(enum ggml_log_level level, const char * text, void *) {
    thread_local enum ggml_log_level last = GGML_LOG_LEVEL_NONE;
    if (level == GGML_LOG_LEVEL_CONT) level = last; else last = level;
    if (!capturing || (level != GGML_LOG_LEVEL_WARN && level != GGML_LOG_LEVEL_ERROR)) return;
    try {
        if (capturing->lines.size() < LOG_BYTES) capturing->lines += text;
    } catch (...) {
        // a lost log line is no reason to fail
    }
}

log_capture::log_capture() : outer(capturing) { capturing = this; }
log_capture::~log_capture() { capturing = outer; }
std::string log_capture::text() const {
    std::string line;
    for (char c : lines) line += c == '\n' ? ';' : c;
    while (!line.empty() && (line.back() == ';' || line.back() == ' ')) line.pop_back();
    return line;
}

void return_memory() { malloc_trim(0); }

const char * device_kind(ggml_backend_dev_t device) { return kind_of(ggml_backend_dev_type(device)); }

void on_large_stack(const std::function<void()> & work) {
    struct task {
        const std::function<void()> & work;
        std::exception_ptr            thrown;
    } task{ work, nullptr };
    auto body = [](void * data) -> void * {
        auto * t = (struct task *) data;
        try { t->work(); } catch (...) { t->thrown = std::current_exception(); }
        return nullptr;
    };
    pthread_attr_t attributes;
    pthread_t      thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LARGE_STACK);
    int failed = pthread_create(&thread, &attributes, body, &task);
    pthread_attr_destroy(&attributes);
    if (failed) throw std::bad_alloc();
    pthread_join(thread, nullptr);
    if (task.thrown) std::rethrow_exception(task.thrown);
}

char * copy_text(const std::string & text) {
    char * copy = (char *) malloc(text.size() + 1);
    if (!copy) throw std::bad_alloc();
    memcpy(copy, text.data(), text.size());
    copy[text.size()] = 0;
    return copy;
}

char * error_text(reason why, const char * what) noexcept {
    size_t n = strlen(what);
    char * text = (char *) malloc(n + 2);
    if (text) {
        text[0] = (char) ('A' + (int) why);
        memcpy(text + 1, what, n + 1);
    }
    return text;
}

void check_json_depth(const std::string & text) {
    int  depth  = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (quoted) {
            if (c == '\\') ++i; else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > MAX_DEPTH) refuse("JSON nested too deeply (expected: at most " + std::to_string(MAX_DEPTH) + " levels)");
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
}

json parse_json(const char * text, int32_t length) {
    if (!text || length < 0) refuse("JSON: absent");
    std::string copy(text, (size_t) length);
    check_json_depth(copy);
    return json::parse(copy);
}

CQ_API int32_t cq_abi() { return 9; }

CQ_API void cq_free(char * text) { free(text); }

CQ_API char * cq_start(const char * folder, int32_t length, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        std::string path(checked(folder), (size_t) length);
        std::string release = llama_version(); // 0.5.0-dev in a build outside of its makers' own
        if ("v" + release.substr(0, release.find('-')) != CQ_RELEASE) {
            throw failure(reason::version_mismatch, "llama.cpp libraries: " + release + " (expected: " CQ_RELEASE ")");
        }
        llama_log_set(cq_log, nullptr);
        common_log_set_verbosity_thold(-1); // `common` has a logger of its own, on standard error
        ggml_backend_load_all_from_path(path.c_str());
        if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
            throw failure(reason::unsupported_platform, "no CPU library of llama.cpp runs on this processor");
        }
        llama_backend_init();
        zero_lazily();
        json out = json::object();
        out["release"] = std::string(CQ_RELEASE);
        out["commit"]  = std::string(llama_commit());
        out["build"]   = llama_build_number();
        return copy_text(out.dump_safe());
    });
}

CQ_API char * cq_system_info(char ** error) {
    return guarded<char *>(error, nullptr, [&] { return copy_text(llama_print_system_info()); });
}

CQ_API int32_t cq_batches_q4_1() {
    auto can = reinterpret_cast<int32_t (*)()>(dlsym(RTLD_DEFAULT, "cq_matmul_can"));
    return can != nullptr && can() != 0;
}

CQ_API int32_t cq_backend_add(const char * library, int32_t length, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        std::string path(checked(library), (size_t) length);
        // Opened here first for the reason, which ggml does not give; it opens the same one again.
        if (!dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            const char * why = dlerror();
            throw failure(reason::load_failed, why ? why : "cannot open " + path);
        }
        log_capture log;
        ggml_backend_reg_t added = ggml_backend_load(path.c_str());
        size_t devices = added ? ggml_backend_reg_dev_count(added) : 0;
        if (devices == 0) {
            std::string why = log.text();
            throw failure(reason::load_failed, "it found no device" + (why.empty() ? "" : ": " + why));
        }
        return (int32_t) devices;
    });
}

CQ_API char * cq_devices(char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        json out = json::array();
        for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
            ggml_backend_dev_t dev = ggml_backend_dev_get(i);
            size_t free = 0, total = 0;
            ggml_backend_dev_memory(dev, &free, &total);
            json o = json::object();
            o["name"]        = std::string(ggml_backend_dev_name(dev));
            o["description"] = std::string(ggml_backend_dev_description(dev));
            o["kind"]        = std::string(device_kind(dev));
            o["total"]       = (int64_t) total;
            o["free"]        = (int64_t) free;
            out.push_back(o);
        }
        return copy_text(out.dump_safe());
    });
}
