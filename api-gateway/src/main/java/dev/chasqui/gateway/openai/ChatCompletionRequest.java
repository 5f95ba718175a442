package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.ChatFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.FunctionFields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ChatRequest;
import tools.jackson.databind.JsonNode;

/**
 * A request for a chat completion, read once and in full: what is for the node and how the answer shall be written.
 *
 * @param chat what goes to the node
 * @param functions whether calls are told in the older words, as the request told of tools
 * @param stream whether the answer comes in pieces
 * @param includeUsage whether a stream ends with a chunk of token counts
 */
record ChatCompletionRequest(ChatRequest chat, boolean functions, boolean stream, boolean includeUsage) {

    /** @throws RequestError where the request is not valid */
    static ChatCompletionRequest parse(JsonNode body, ModelNames names) {
        Fields fields = Fields.of(body, "");
        Fields streamOptions = fields.object("stream_options");
        return new ChatCompletionRequest(
                ChatFields.parse(fields, names),
                FunctionFields.present(fields),
                fields.isTrue("stream"),
                streamOptions != null && streamOptions.isTrue("include_usage"));
    }
}
