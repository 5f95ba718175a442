package dev.chasqui.llama;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A model's chat template, compiled. Lives as long as its model; any thread may render. */
public final class ChatTemplate {
    private final SharedHandle model;
    private final long address;
    private final TemplateInfo info;
    private final @Nullable LlamaException defect;

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
        if (defect != null) {
            throw new LlamaException(defect.reason(), String.valueOf(defect.getMessage()), defect);
        }
        byte[] request = Shim.utf8(requestJson);
        long[] error = new long[1];
        long[] tokens = new long[1];
        int[] count = new int[1];
        String result;
        model.enter();
        try {
            result = Shim.takeText(
                    Shim.cq_templates_apply(address, request, request.length, tokens, count, error), error);
        } finally {
            model.exit();
        }
        return toPrompt(result, Shim.takeInts(tokens[0], count[0]));
    }

    /** Whether it writes messages as ChatML does. */
    boolean isChatMl() {
        try {
            String prompt = render("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}")
                    .prompt();
            return prompt.endsWith("<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n");
        } catch (LlamaException e) {
            return false;
        }
    }

    private static ChatPrompt toPrompt(String result, int[] tokens) {
        JsonNode json = Json.parse(result);
        List<String> stops = new ArrayList<>();
        for (JsonNode stop : json.get("additional_stops")) {
            stops.add(stop.asString());
        }
        Set<Integer> preserved = new HashSet<>();
        for (JsonNode token : json.get("preserved")) {
            preserved.add(token.asInt());
        }
        return new ChatPrompt(
                json.get("prompt").asString(),
                tokens,
                json.get("syntax").asString(),
                json.get("plain_text").asBoolean(),
                json.get("constrained").asBoolean(),
                stops,
                preserved);
    }

    /** Called by the model as it closes. */
    void free() {
        Shim.cq_templates_free(address);
    }
}
