package dev.chasqui.llama;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A loaded model. Any thread may read it. It can be closed once the contexts and samplers made from it are; until then
 * {@link #close()} throws {@link IllegalStateException}, as does every use after it.
 */
public final class LlamaModel implements AutoCloseable {
    private final SharedHandle handle;
    private final ModelInfo info;
    private final Vocabulary vocabulary;
    private final ChatTemplate template;

    /** Made when it is first asked for; guarded by the template's monitor. */
    private @Nullable Optional<ChatTemplate> toolTemplate;

    private LlamaModel(SharedHandle handle, ModelInfo info, Vocabulary vocabulary, ChatTemplate template) {
        this.handle = handle;
        this.info = info;
        this.vocabulary = vocabulary;
        this.template = template;
    }

    /** Takes over a model that the shim has loaded. */
    static LlamaModel open(long address, String givenTemplate) {
        try {
            SharedHandle handle = new SharedHandle("model", address);
            ModelInfo info = readInfo(address);
            Vocabulary vocabulary = Vocabulary.read(handle, address, info.vocabSize());
            ChatTemplate template = ChatTemplate.compile(handle, address, givenTemplate);
            return new LlamaModel(handle, info, vocabulary, template);
        } catch (RuntimeException e) {
            Shim.cq_model_free(address);
            throw e;
        }
    }

    private static ModelInfo readInfo(long address) {
        long[] error = new long[1];
        JsonNode json = Json.parse(Shim.takeText(Shim.cq_model_info(address, error), error));
        return Json.MAPPER.treeToValue(json, ModelInfo.class);
    }

    public ModelInfo info() {
        return info;
    }

    public Vocabulary vocabulary() {
        return vocabulary;
    }

    /** The chat template given when it was loaded, else the model's own, else ChatML. */
    public ChatTemplate chatTemplate() {
        return template;
    }

    /**
     * A chat template that knows tools: {@link #chatTemplate} where it does, else one in the same form where that is ChatML,
     * else none.
     */
    public Optional<ChatTemplate> toolTemplate() {
        if (template.info().tools()) {
            return Optional.of(template);
        }
        long address = handle.enter();
        try {
            synchronized (template) {
                if (toolTemplate == null) {
                    toolTemplate = template.isChatMl()
                            ? Optional.of(ChatTemplate.compile(handle, address, ToolChatMl.SOURCE))
                            : Optional.empty();
                }
                return toolTemplate;
            }
        } finally {
            handle.exit();
        }
    }

    /**
     * Makes a context with its threads.
     *
     * @throws LlamaException OUT_OF_MEMORY or INVALID_REQUEST, with llama.cpp's reason
     */
    public LlamaContext newContext(ContextOptions options) {
        long address = handle.enter();
        try {
            return LlamaContext.open(handle, address, options, 0);
        } finally {
            handle.exit();
        }
    }

    /**
     * Makes a context for embeddings. Whoever calls this owns it, and computes at a lower priority from then on.
     *
     * @param context tokens of the longest text
     * @param threads most threads that compute
     * @param ranks it scores pairs of texts, which takes a reranker
     * @throws LlamaException OUT_OF_MEMORY or INVALID_REQUEST, with llama.cpp's reason
     */
    public EmbeddingContext newEmbeddingContext(int context, int threads, boolean ranks) {
        long address = handle.enter();
        try {
            EmbeddingContext embedding = EmbeddingContext.open(handle, address, context, threads, ranks);
            handle.retain();
            return embedding;
        } finally {
            handle.exit();
        }
    }

    /**
     * Makes a sampler; any thread may.
     *
     * @throws LlamaException INVALID_REQUEST, for a grammar that does not parse or a token outside the vocabulary
     */
    public Sampler newSampler(SamplerOptions options) {
        return newSampler(options, false);
    }

    Sampler newSampler(SamplerOptions options, boolean chain) {
        long address = handle.enter();
        try {
            Sampler sampler = Sampler.open(handle, address, options, chain);
            handle.retain();
            return sampler;
        } finally {
            handle.exit();
        }
    }

    @Override
    public void close() {
        handle.close(address -> {
            template.free();
            synchronized (template) {
                if (toolTemplate != null) {
                    toolTemplate.ifPresent(ChatTemplate::free);
                }
            }
            Shim.cq_model_free(address);
        });
    }
}
