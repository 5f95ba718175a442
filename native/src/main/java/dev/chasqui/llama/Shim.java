package dev.chasqui.llama;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import dev.chasqui.llama.LlamaException.Reason;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every function of the shim, as in {@code chasqui_llama.h}. Handles and addresses are {@code long}; texts go in as bytes with
 * their length and come out as an address for {@link #takeText}. A function that fails returns what its comment in the header
 * says and leaves the address of an error text in {@code error[0]}.
 */
final class Shim {
    private static final int RTLD_LAZY = 1;

    private Shim() {}

    /** Loads the shim, local to this class, so that its symbols meet no others of the process. */
    static void load(Path library) {
        Native.register(
                Shim.class,
                NativeLibrary.getInstance(library.toString(), Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY)));
    }

    static native int cq_abi();

    static native void cq_free(long text);

    static native long cq_start(byte[] folder, int length, long[] error);

    static native long cq_system_info(long[] error);

    static native int cq_batches_q4_1();

    static native long cq_devices(long[] error);

    static native int cq_backend_add(byte[] library, int length, long[] error);

    static native long cq_model_load(
            byte[] path,
            int length,
            int[] placement,
            float[] shares,
            int shareCount,
            int memoryMap,
            long progress,
            long[] error);

    static native void cq_model_free(long model);

    static native int cq_model_add_adapter(long model, byte[] path, int length, long[] error);

    static native long cq_model_estimate(
            byte[] path,
            int length,
            byte[] architecture,
            int architectureLength,
            long tokens,
            int[] placement,
            float[] shares,
            int shareCount,
            int[] options,
            int count,
            long[] error);

    static native double cq_file_cached(byte[] path, int length, long[] error);

    static native int cq_model_convert(byte[] from, int fromLength, byte[] to, int toLength, int threads, long[] error);

    static native long cq_model_info(long model, long[] error);

    static native int cq_vocab_pieces(long model, int[] ends, byte[] flags, byte[] bytes, int capacity, long[] error);

    static native int cq_tokenize(
            long model, byte[] text, int length, int addSpecial, int parseSpecial, int[] out, int cap, long[] error);

    static native int cq_detokenize(long model, int[] tokens, int count, byte[] out, int capacity, long[] error);

    static native long cq_templates_new(long model, byte[] given, int length, long[] error);

    static native void cq_templates_free(long templates);

    static native long cq_templates_info(long templates, long[] error);

    static native long cq_templates_apply(
            long templates,
            byte[] request,
            int length,
            long[] form,
            long[] told,
            long @Nullable [] text,
            int[] count,
            long[] error);

    static native long cq_templates_apply_plain(
            long templates, byte[] messages, int length, long now, long[] form, long[] told, int[] count, long[] error);

    static native long cq_parser_new(byte[] prompt, int length, long[] error);

    static native void cq_parser_free(long parser);

    static native long cq_parser_push(long parser, byte[] text, int length, int last, long[] error);

    static native long cq_grammar_from_schema(byte[] schema, int length, long[] error);

    static native long cq_context_new(long model, int[] options, int count, long abortFlag, long beside, long[] error);

    static native void cq_context_free(long context);

    static native void cq_context_rest(long context);

    static native int cq_context_limits(long context, int[] out, long[] error);

    static native int cq_decode(long context, long batch, int capacity, int count, long[] error);

    static native int cq_context_set_adapters(long context, int[] adapters, float[] scales, int count, long[] error);

    static native int cq_sample(long context, int count, long[] samplers, int[] rows, int[] out, long[] error);

    static native int cq_logprobs(long context, int row, int token, int top, int[] ids, float[] values, long[] error);

    static native int cq_memory_remove_tail(long context, int sequence, int from, long[] error);

    static native int cq_memory_clear(long context, int sequence, long[] error);

    static native int cq_memory_copy(long context, int from, int to, long[] error);

    static native int cq_memory_take(long to, int toSequence, long from, int fromSequence, long[] error);

    static native int cq_memory_max_position(long context, int sequence, long[] error);

    static native long cq_state_size(long context, int sequence, long[] error);

    static native long cq_state_save(long context, int sequence, long out, long capacity, long[] error);

    static native int cq_state_restore(long context, int sequence, long state, long length, long[] error);

    static native long cq_sampler_new(long model, double[] numbers, int count, byte[] more, int length, long[] error);

    static native void cq_sampler_free(long sampler);

    static native long cq_sampler_failure(long sampler);

    static native int cq_sampler_accept(long sampler, int token, long[] error);

    static native int cq_sampler_replay(long sampler, int[] tokens, int count, float mu, long[] error);

    static native float cq_sampler_mu(long sampler);

    static native int cq_sampler_probabilities(long sampler, float[] logits, int count, float[] out, long[] error);

    static native long cq_embedder_new(long model, int context, int threads, int ranks, long abortFlag, long[] error);

    static native void cq_embedder_free(long embedder);

    static native int cq_embedder_limits(long embedder, int[] out, long[] error);

    static native int cq_embed(
            long embedder,
            int[] tokens,
            int[] lengths,
            int count,
            int pooling,
            int threads,
            float[] out,
            int capacity,
            long[] error);

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The text at an address that a function returned; frees it. Throws the function's error where it returned none. */
    static String takeText(long address, long[] error) {
        if (address == 0) {
            throw failure(error);
        }
        return takeText(address);
    }

    /** The text at an address that a function left; frees it. */
    static String takeText(long address) {
        try {
            return new Pointer(address).getString(0, "UTF-8");
        } finally {
            cq_free(address);
        }
    }

    /** The numbers at an address that a function left; frees it. */
    static int[] takeInts(long address, int count) {
        try {
            return new Pointer(address).getIntArray(0, count);
        } finally {
            cq_free(address);
        }
    }

    /** The error that a function left: one letter for its reason, then the message. */
    static LlamaException failure(long[] error) {
        long address = error[0];
        error[0] = 0;
        if (address == 0) {
            return new LlamaException(Reason.INTERNAL, "the native library failed without a reason");
        }
        String text = takeText(address, error);
        return new LlamaException(Reason.values()[text.charAt(0) - 'A'], text.substring(1));
    }
}
