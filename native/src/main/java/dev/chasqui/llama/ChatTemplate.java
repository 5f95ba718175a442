package dev.chasqui.llama;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A model's chat template, compiled. Lives as long as its model; any thread may render. */
public final class ChatTemplate {
    private static final KnownForm NO_FORM = new KnownForm(0, new AnswerForm("", false, false, List.of(), Set.of()));

    private final SharedHandle model;
    private final long address;
    private final TemplateInfo info;
    private final @Nullable LlamaException defect;
    /** The form of the last answers: most are like those before, and need not be told again. */
    private volatile KnownForm lastForm = NO_FORM;

    private ChatTemplate(SharedHandle model, long address, TemplateInfo info, @Nullable LlamaException defect) {
        this.model = model;
        this.address = address;
        this.info = info;
        this.defect = defect;
    }

    /** A malformed template spoils chats only: the model can still continue raw prompts. */
    static ChatTemplate compile(SharedHandle model, long modelAddress, String given) {
        long[] error = new long[1];
        byte[] source = Shim.utf8(given);
        long address = Shim.cq_templates_new(modelAddress, source, source.length, error);
        if (address == 0) {
            TemplateInfo.Source whose = given.isEmpty() ? TemplateInfo.Source.MODEL : TemplateInfo.Source.GIVEN;
            TemplateInfo nothing = new TemplateInfo(whose, false, false, false, false, false);
            return new ChatTemplate(model, 0, nothing, Shim.failure(error));
        }
        JsonNode json = Json.parse(Shim.takeText(Shim.cq_templates_info(address, error), error));
        return new ChatTemplate(model, address, Json.MAPPER.treeToValue(json, TemplateInfo.class), null);
    }

    public TemplateInfo info() {
        return info;
    }

    /**
     * Renders a conversation. Role tokens inside messages stay text.
     *
     * @param requestJson an OpenAI chat request: {@code messages}, {@code tools}, {@code tool_choice},
     *     {@code parallel_tool_calls}, {@code response_format} or {@code json_schema} or {@code grammar},
     *     {@code chat_template_kwargs}, {@code reasoning_effort}, {@code enable_thinking}, {@code add_generation_prompt},
     *     {@code continue_final_message}, {@code now} (seconds since 1970, for templates that tell the date)
     * @throws LlamaException INVALID_REQUEST for a malformed request, TEMPLATE where the template refuses it
     */
    public ChatPrompt render(String requestJson) {
        return render(requestJson, null);
    }

    /**
     * The same for messages of nothing but text and nothing else that a request may say, as most chats are.
     *
     * @param now seconds since 1970, for templates that tell the date
     */
    public ChatPrompt render(List<PlainMessage> messages, long now) {
        byte[] plain = bytes(messages);
        return render((form, told, count, error) ->
                Shim.cq_templates_apply_plain(address, plain, plain.length, now, form, told, count, error));
    }

    /** The text of a rendered conversation, which is as {@link #render(String)} takes it and fails as that does; it ends at the first NUL. */
    public String text(String requestJson) {
        long[] text = new long[1];
        render(requestJson, text);
        return Shim.takeText(text[0]);
    }

    /** @param text where the text's address goes; null: it is not wanted */
    private ChatPrompt render(String requestJson, long @Nullable [] text) {
        byte[] request = Shim.utf8(requestJson);
        return render((form, told, count, error) ->
                Shim.cq_templates_apply(address, request, request.length, form, told, text, count, error));
    }

    private ChatPrompt render(Applied shim) {
        if (defect != null) {
            throw new LlamaException(defect.reason(), String.valueOf(defect.getMessage()), defect);
        }
        KnownForm known = lastForm;
        long[] form = {known.number()};
        long[] told = new long[1];
        int[] count = new int[1];
        long[] error = new long[1];
        long tokens;
        model.enter();
        try {
            tokens = shim.apply(form, told, count, error);
        } finally {
            model.exit();
        }
        if (tokens == 0) {
            throw Shim.failure(error);
        }
        int[] ids = Shim.takeInts(tokens, count[0]);
        if (told[0] != 0) {
            known = new KnownForm(form[0], toForm(Shim.takeText(told[0])));
            lastForm = known;
        }
        return new ChatPrompt(ids, known.form());
    }

    /** Each role and text as the shim reads them: how many bytes, and these. */
    private static byte[] bytes(List<PlainMessage> messages) {
        byte[][] texts = new byte[2 * messages.size()][];
        int size = 0;
        for (int i = 0; i < texts.length; i++) {
            PlainMessage message = messages.get(i / 2);
            texts[i] = Shim.utf8(i % 2 == 0 ? message.role() : message.text());
            size += Integer.BYTES + texts[i].length;
        }
        ByteBuffer all = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        for (byte[] text : texts) {
            all.putInt(text.length).put(text);
        }
        return all.array();
    }

    /** Whether it writes messages as ChatML does. */
    boolean isChatMl() {
        try {
            return text("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}")
                    .endsWith("<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n");
        } catch (LlamaException e) {
            return false;
        }
    }

    private static AnswerForm toForm(String told) {
        JsonNode json = Json.parse(told);
        List<String> stops = new ArrayList<>();
        for (JsonNode stop : json.get("additional_stops")) {
            stops.add(stop.asString());
        }
        Set<Integer> preserved = new HashSet<>();
        for (JsonNode token : json.get("preserved")) {
            preserved.add(token.asInt());
        }
        return new AnswerForm(
                json.get("syntax").asString(),
                json.get("plain_text").asBoolean(),
                json.get("constrained").asBoolean(),
                stops,
                preserved);
    }

    /** A call of the shim that renders. */
    @FunctionalInterface
    private interface Applied {
        long apply(long[] form, long[] told, int[] count, long[] error);
    }

    /** @param number by which the shim knows it; 0 is no form's */
    private record KnownForm(long number, AnswerForm form) {}

    /** Called by the model as it closes. */
    void free() {
        Shim.cq_templates_free(address);
    }
}
