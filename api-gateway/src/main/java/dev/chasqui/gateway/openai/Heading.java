package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.JsonBytes;

/**
 * What stands at the top of every answer and every chunk of it.
 *
 * @param id of the answer
 * @param created seconds since 1970
 * @param fingerprint of model and build
 */
record Heading(String id, long created, String fingerprint) {
    /** Up to the choices' opening bracket. */
    JsonBytes write(JsonBytes out, String object, String model) {
        out.raw("{\"id\":").string(id);
        out.raw(",\"object\":\"").raw(object).raw("\",\"created\":").number(created);
        out.raw(",\"model\":").string(model);
        return out.raw(",\"system_fingerprint\":").string(fingerprint).raw(",\"choices\":[");
    }
}
