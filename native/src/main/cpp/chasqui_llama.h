// The C ABI between Java and llama.cpp. Rules:
//  - no C++ exception leaves a function, and whatever would make llama.cpp abort the process is refused before the call
//  - a function that fails returns what is said there and sets *error to a text: one letter for the reason, then the message
//  - a returned text is UTF-8 with a zero at its end; it is given back with cq_free
//  - texts that come in have a length and need no zero; sizes and ids are checked
//  - a model and a template may be used by many threads; a context, a sampler and a parser by one at a time
#pragma once

#include <stdint.h>

#define CQ_API extern "C" __attribute__((visibility("default")))

struct cq_model;
struct cq_templates;
struct cq_parser;
struct cq_context;
struct cq_sampler;
struct cq_embedder;

// Grows when a signature changes.
CQ_API int32_t cq_abi();
CQ_API void    cq_free(char * text);

// --- the process ------------------------------------------------------------------------------------------------------

// Loads the backends in a folder and checks that all libraries are of the release that this was built for. Once.
// {release, commit, build}; NULL: failed.
CQ_API char * cq_start(const char * folder, int32_t length, char ** error);
CQ_API char * cq_system_info(char ** error);
// Whether this processor has the kernel of matmul.cpp.
CQ_API int32_t cq_batches_q4_1();
// Loads one more backend of the same release, such as a GPU's, before the first model. How many devices it brought; -1: failed,
// also where it brought none.
CQ_API int32_t cq_backend_add(const char * library, int32_t length, char ** error);
// [{name, description, kind: CPU|GPU|IGPU|ACCELERATOR, total, free}]
CQ_API char * cq_devices(char ** error);

// --- models -----------------------------------------------------------------------------------------------------------

// placement: layers on GPUs (-1: all), how several GPUs share them (0 by layers, 1 by rows, 2 only one), the first or only GPU.
// shares: how much of the model each GPU gets, in proportion; none: by free memory.
// progress: a float that the load writes (0 to 1), then an int32 that it reads (not 0: end the load). NULL: failed.
CQ_API cq_model * cq_model_load(const char * path, int32_t length, const int32_t * placement, const float * shares,
                                int32_t share_count, int32_t memory_map, void * progress, char ** error);
CQ_API void       cq_model_free(cq_model * model);
// Reads a LoRA adapter, which lives as long as the model. Before the model's first context, as contexts reserve room for it.
// Shapes and types of its tensors must have been checked. Its number, from 0; -1: failed.
CQ_API int32_t    cq_model_add_adapter(cq_model * model, const char * path, int32_t length, char ** error);
// What a model would take, with a context where it generates text, found without taking it: {layers, generates,
// parts: [{device, kind, weights, arranged, kv, compute}]}. arch, tokens: the model's architecture and how many tokens it knows,
// where that is known already (else 0), so that they need not be read. placement, shares: as of cq_model_load; options: as of
// cq_context_new. NULL: failed.
CQ_API char * cq_model_estimate(const char * path, int32_t length, const char * arch, int32_t arch_length, int64_t tokens,
                                const int32_t * placement, const float * shares, int32_t share_count, const int32_t * options,
                                int32_t count, char ** error);
// How much of a file the system holds in memory, 0 to 1; -1: failed.
CQ_API double     cq_file_cached(const char * path, int32_t length, char ** error);
// Writes a model's file anew with its weights in Q8_0. 0: done, -1: failed.
CQ_API int32_t    cq_model_convert(const char * from, int32_t from_length, const char * to, int32_t to_length, int32_t threads,
                                   char ** error);
CQ_API char *     cq_model_info(const cq_model * model, char ** error);
// For each token: where its bytes end, and flags: 1 ends an answer, 2 control, 4 no text. Bytes are written if they fit.
// Returns the length of all bytes; -1: failed.
CQ_API int32_t cq_vocab_pieces(const cq_model * model, int32_t * ends, int8_t * flags, char * bytes, int32_t capacity,
                               char ** error);
// Returns the number of tokens, which were written only if they fit; -1: failed.
CQ_API int32_t cq_tokenize(const cq_model * model, const char * text, int32_t length, int32_t add_special,
                           int32_t parse_special, int32_t * out, int32_t capacity, char ** error);
// Returns the number of bytes; -1: failed.
CQ_API int32_t cq_detokenize(const cq_model * model, const int32_t * tokens, int32_t count, char * out, int32_t capacity,
                             char ** error);

// --- conversations ----------------------------------------------------------------------------------------------------

// The given template (length 0: none), else the model's own, else ChatML. NULL: failed.
CQ_API cq_templates * cq_templates_new(const cq_model * model, const char * given, int32_t length, char ** error);
CQ_API void           cq_templates_free(cq_templates * templates);
// {source: GIVEN|MODEL|CHATML, tools, parallelTools, systemRole, reasoning, reasoningSwitch}
CQ_API char * cq_templates_info(const cq_templates * templates, char ** error);
// An OpenAI chat request in; the prompt's tokens out, `count` of them, for cq_free. NULL: failed.
// form: in, the number of the form of answers that the caller knows, 0 for none; out, that of this prompt. Where it is another,
// *told is {plain_text, constrained, additional_stops[], preserved[], syntax}, where syntax is a text, which cq_parser_new and
// cq_sampler_new want. text: where not NULL, the prompt as text.
CQ_API int32_t * cq_templates_apply(const cq_templates * templates, const char * request, int32_t length, int64_t * form, char ** told,
                                    char ** text, int32_t * count, char ** error);
// The same for a chat of nothing but texts, as most are: pairs of a role and a text, each an int32_t, how many bytes, and these bytes of
// UTF-8. now: seconds since 1970.
CQ_API int32_t * cq_templates_apply_plain(const cq_templates * templates, const char * messages, int32_t length, int64_t now, int64_t * form,
                                          char ** told, int32_t * count, char ** error);

CQ_API cq_parser * cq_parser_new(const char * syntax, int32_t length, char ** error);
CQ_API void        cq_parser_free(cq_parser * parser);
// [{content?, reasoning?, index?, id?, name?, arguments?}]
CQ_API char * cq_parser_push(cq_parser * parser, const char * text, int32_t length, int32_t last, char ** error);

CQ_API char * cq_grammar_from_schema(const char * schema, int32_t length, char ** error);

// --- contexts ---------------------------------------------------------------------------------------------------------

// options: context of a sequence, sequences, batch, micro batch, threads, batch threads, flash attention (0 auto, 1 on,
// 2 off), type of keys, type of values (F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0, IQ4_NL), unified.
// abort_flag: an int32 that ends a decode while it is not 0; outlives the context. beside: a context whose threads compute for
// this one too, of the same thread, and which outlives it; NULL: it has threads of its own. NULL: failed.
CQ_API cq_context * cq_context_new(cq_model * model, const int32_t * options, int32_t count, const void * abort_flag,
                                   const cq_context * beside, char ** error);
CQ_API void         cq_context_free(cq_context * context);
// Its threads sleep until the next decode; else they look out for one for some milliseconds, each on a core of its own.
CQ_API void         cq_context_rest(cq_context * context);
// out: context of a sequence, sequences, batch, vocabulary, most outputs of a batch. -1: failed.
CQ_API int32_t cq_context_limits(const cq_context * context, int32_t * out, char ** error);
// batch: arrays of `capacity` tokens, positions, sequences (int32) and outputs (int8), one after the other.
// 0: done, 1: no room, 2: aborted, -1: failed.
CQ_API int32_t cq_decode(cq_context * context, const void * batch, int32_t capacity, int32_t count, char ** error);
// What the next decodes are computed with: adapters by number, each once, and how strongly they work. Rows of the last decode
// stay as they are. 0: done, -1: failed.
CQ_API int32_t cq_context_set_adapters(cq_context * context, const int32_t * adapters, const float * scales, int32_t count,
                                       char ** error);
// A token for each row, accepted by its sampler; -1 in out where a sampler failed (cq_sampler_failure). -1: failed.
CQ_API int32_t cq_sample(cq_context * context, int32_t count, cq_sampler * const * samplers, const int32_t * rows,
                         int32_t * out, char ** error);
// values[0]: the token's own; then those of ids, most likely first. Returns how many ids; -1: failed.
CQ_API int32_t cq_logprobs(cq_context * context, int32_t row, int32_t token, int32_t top, int32_t * ids, float * values,
                           char ** error);

// 1: done, 0: the memory cannot, -1: failed.
CQ_API int32_t cq_memory_remove_tail(cq_context * context, int32_t sequence, int32_t from, char ** error);
// 0: done, -1: failed.
CQ_API int32_t cq_memory_clear(cq_context * context, int32_t sequence, char ** error);
// 1: done, 0: its data moves with the next decode, -1: failed.
CQ_API int32_t cq_memory_copy(cq_context * context, int32_t from, int32_t to, char ** error);
// Gives a sequence what one of another context of the same model has, whose memory is plain cells; both may be unified or not.
// 1: done, 0: no room, and the sequence is empty, -1: failed.
CQ_API int32_t cq_memory_take(cq_context * to, int32_t to_sequence, cq_context * from, int32_t from_sequence, char ** error);
// -1: empty, -2: failed.
CQ_API int32_t cq_memory_max_position(const cq_context * context, int32_t sequence, char ** error);
// Bytes; -1: failed.
CQ_API int64_t cq_state_size(cq_context * context, int32_t sequence, char ** error);
CQ_API int64_t cq_state_save(cq_context * context, int32_t sequence, uint8_t * out, int64_t capacity, char ** error);
// 1: done, 0: no room, -1: failed.
CQ_API int32_t cq_state_restore(cq_context * context, int32_t sequence, const uint8_t * state, int64_t length, char ** error);

// --- samplers ---------------------------------------------------------------------------------------------------------

// numbers: seed, temperature, top_k, top_p, min_p, typical_p; repeat, frequency and presence penalty, and how many tokens they see;
// multiplier, base, allowed length and tokens of DRY; probability and threshold of XTC; mirostat's version, tau and eta; whether tokens
// that end an answer are left out; the budget of reasoning, -1: none; whether llama.cpp's samplers are to be taken where the fast one
// would do. more: {dry_breakers[], logit_bias[token, bias, ...], grammar, syntax{}}, of which any may be absent; length 0: all are.
CQ_API cq_sampler * cq_sampler_new(const cq_model * model, const double * numbers, int32_t count, const char * more, int32_t length,
                                   char ** error);
CQ_API void         cq_sampler_free(cq_sampler * sampler);
// 0: done, -1: failed.
CQ_API int32_t cq_sampler_accept(cq_sampler * sampler, int32_t token, char ** error);
// Takes in the first tokens of an answer as if cq_sample had chosen them, none of which may end it, and goes on behind them.
// mu: what cq_sampler_mu said when the last of them was chosen. 0: done, -1: failed.
CQ_API int32_t cq_sampler_replay(cq_sampler * sampler, const int32_t * tokens, int32_t count, float mu, char ** error);
// What mirostat has learnt; 0 where it is off.
CQ_API float cq_sampler_mu(const cq_sampler * sampler);
// Why the last cq_sample gave -1 for it, as an error text; NULL: it did not.
CQ_API char * cq_sampler_failure(cq_sampler * sampler);
// For tests: the probabilities that cq_sample would draw from, given logits; 0 for what cannot be drawn. Draws nothing.
// -1: failed.
CQ_API int32_t cq_sampler_probabilities(cq_sampler * sampler, const float * logits, int32_t count, float * out, char ** error);

// --- embeddings -------------------------------------------------------------------------------------------------------

// A context of its own that turns texts into vectors (ranks 0), or pairs of texts into scores (ranks 1). Its thread is the
// one that calls this, whose priority falls for good. context: tokens of the longest text; threads: most that compute.
// NULL: failed.
CQ_API cq_embedder * cq_embedder_new(cq_model * model, int32_t context, int32_t threads, int32_t ranks, const void * abort_flag,
                                     char ** error);
CQ_API void          cq_embedder_free(cq_embedder * embedder);
// out: most tokens of a text, numbers of a vector. -1: failed.
CQ_API int32_t cq_embedder_limits(const cq_embedder * embedder, int32_t * out, char ** error);
// lengths: tokens of each of `count` texts, which lie one after the other. pooling: 1 mean, 2 first, 3 last token. out: a
// vector of length 1 for each text, or a score. 0: done, 2: aborted, -1: failed.
CQ_API int32_t cq_embed(cq_embedder * embedder, const int32_t * tokens, const int32_t * lengths, int32_t count, int32_t pooling,
                        int32_t threads, float * out, int32_t capacity, char ** error);
