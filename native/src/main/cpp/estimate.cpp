// Files of models that are not in memory: what one would take, and one written anew.
#include "internal.h"

#include "llama-ext.h"

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

struct part {
    std::string device, kind;
    int64_t     weights = 0, kv = 0, compute = 0;
    int64_t     arranged = 0; // of the weights, as the device lays them out for its own kernels
};

part & part_of(std::vector<part> & parts, ggml_backend_buffer_type_t type) {
    ggml_backend_dev_t device = ggml_backend_buft_is_host(type) ? nullptr : ggml_backend_buft_get_device(type);
    if (!device) device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    std::string name = ggml_backend_dev_name(device);
    for (auto & p : parts) {
        if (p.device == name) return p;
    }
    parts.push_back({ name, device_kind(device) });
    return parts.back();
}

// Without a context nobody tells where weights would lie.
std::vector<part> weights_only(const llama_model * model) {
    std::vector<part> parts;
    part_of(parts, ggml_backend_cpu_buffer_type()).weights = (int64_t) llama_model_size(model);
    return parts;
}

std::vector<part> with_context(llama_model * model, const llama_context_params & params) {
    log_capture log;
    std::unique_ptr<llama_context, decltype(&llama_free)> context(llama_init_from_model(model, params), llama_free);
    if (!context) {
        std::string why = log.text();
        throw failure(reason::invalid_request, "cannot make a context" + (why.empty() ? "" : ": " + why));
    }
    std::vector<part> parts;
    for (const auto & [type, taken] : llama_get_memory_breakdown(context.get())) {
        part & p = part_of(parts, type);
        p.weights += (int64_t) taken.model;
        if (type != ggml_backend_cpu_buffer_type()) p.arranged += (int64_t) taken.model;
        p.kv      += (int64_t) taken.context;
        p.compute += (int64_t) taken.compute;
    }
    // The rows of logits that are read after a step: one for each sequence.
    int64_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    part_of(parts, ggml_backend_cpu_buffer_type()).compute += (int64_t) params.n_seq_max * vocabulary * 4;
    return parts;
}

using model_ptr = std::unique_ptr<llama_model, decltype(&llama_model_free)>;

// Taking in a vocabulary is three quarters of it all, and only its size matters here. Where a model cannot do without one it
// is read after all.
model_ptr without_vocabulary(const std::string & file, llama_model_params params, const std::string & arch, int64_t tokens) {
    llama_model_kv_override overrides[3] = {};
    std::string key = arch + ".vocab_size";
    if (arch.empty() || tokens <= 0 || key.size() >= sizeof(overrides[0].key)) return { nullptr, llama_model_free };
    strcpy(overrides[0].key, "tokenizer.ggml.model");
    overrides[0].tag = LLAMA_KV_OVERRIDE_TYPE_STR;
    strcpy(overrides[0].val_str, "no_vocab");
    strcpy(overrides[1].key, key.c_str());
    overrides[1].tag     = LLAMA_KV_OVERRIDE_TYPE_INT;
    overrides[1].val_i64 = tokens;
    params.kv_overrides  = overrides;
    log_capture log;
    return { llama_model_load_from_file(file.c_str(), params), llama_model_free };
}

} // namespace

// Asked of llama.cpp itself, which goes through a load and lays out a context without taking memory.
CQ_API char * cq_model_estimate(const char * path, int32_t length, const char * known_arch, int32_t arch_length, int64_t tokens,
                                const int32_t * placement, const float * shares, int32_t share_count, const int32_t * options,
                                int32_t count, char ** error) {
    return guarded<char *>(error, nullptr, [&] {
        std::string file(checked(path), (size_t) length);
        auto share_of = device_shares(shares, share_count);
        auto params = model_params(placement, share_of);
        params.no_alloc     = true;
        params.load_mode    = LLAMA_LOAD_MODE_NONE;
        std::string arch_given(arch_length > 0 ? checked(known_arch) : "", (size_t) std::max(arch_length, 0));
        model_ptr model = without_vocabulary(file, params, arch_given, tokens);
        log_capture log;
        if (!model) model.reset(llama_model_load_from_file(file.c_str(), params));
        if (!model) {
            std::string why = log.text();
            throw failure(reason::load_failed, "cannot load " + file + (why.empty() ? "" : ": " + why));
        }
        std::string arch = meta(model.get(), "general.architecture");
        bool generates = keeps_memory(arch) && !llama_model_has_encoder(model.get());
        static const int32_t never = 0;
        auto context = context_params(options, count, &never);
        // Room for more rows of logits is asked of the system, but in the machine's own memory it takes none until it is used.
        if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU)) context.n_outputs_max = context.n_seq_max;
        auto parts = generates ? with_context(model.get(), context) : weights_only(model.get());
        json out = json::object();
        out["layers"]          = llama_model_n_layer(model.get());
        out["generates"]       = generates;
        out["parts"]           = json::array();
        for (const auto & p : parts) {
            json o = json::object();
            o["device"]  = p.device;
            o["kind"]    = p.kind;
            o["weights"] = p.weights;
            o["arranged"] = p.arranged;
            o["kv"]      = p.kv;
            o["compute"] = p.compute;
            out["parts"].push_back(o);
        }
        return copy_text(out.dump_safe());
    });
}

CQ_API int32_t cq_model_convert(const char * from, int32_t from_length, const char * to, int32_t to_length, int32_t threads, char ** error) {
    return guarded<int32_t>(error, -1, [&] {
        std::string in(checked(from), (size_t) from_length), out(checked(to), (size_t) to_length);
        auto params = llama_model_quantize_default_params();
        params.nthread          = threads;
        params.ftype            = LLAMA_FTYPE_MOSTLY_Q8_0;
        params.allow_requantize = true;
        log_capture log;
        if (llama_model_quantize(in.c_str(), out.c_str(), &params) != 0) {
            std::string why = log.text();
            throw failure(reason::load_failed, "cannot convert " + in + (why.empty() ? "" : ": " + why));
        }
        return_memory();
        return 0;
    });
}

CQ_API double cq_file_cached(const char * path, int32_t length, char ** error) {
    return guarded<double>(error, -1, [&] {
        std::string file(checked(path), (size_t) length);
        int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat info = {};
        if (fd < 0 || fstat(fd, &info) != 0 || info.st_size <= 0) {
            if (fd >= 0) close(fd);
            throw failure(reason::load_failed, "cannot read " + file);
        }
        void * data = mmap(nullptr, (size_t) info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        if (data == MAP_FAILED) throw failure(reason::out_of_memory, "cannot map " + file);
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        std::vector<unsigned char> pages(((size_t) info.st_size + page - 1) / page);
        bool known = mincore(data, (size_t) info.st_size, pages.data()) == 0;
        munmap(data, (size_t) info.st_size);
        if (!known) throw failure(reason::internal, "the system does not tell what it holds of " + file);
        auto held = std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; });
        return (double) held / (double) pages.size();
    });
}
