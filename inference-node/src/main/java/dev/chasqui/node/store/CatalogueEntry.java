package dev.chasqui.node.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One model of the catalogue; {@link Catalogue} has checked the fields.
 *
 * @param id what requests call it
 * @param name what people read
 * @param fileName its file in the models folder
 * @param sources where to fetch it, first choice first; at least one
 * @param sha256 lower-case hex of the file, null where unknown
 * @param size of the file in bytes, null where unknown
 * @param contextWindow tokens a sequence may use here at most; 0 for what the file says
 * @param template a Jinja chat template to use instead of the file's own, null for the file's own
 * @param stopSequences texts that end every answer
 * @param defaults sampling where a request does not say
 * @param gpuLayers layers to put on a GPU where there is one; -1 for all that fit
 * @param keepAliveSeconds how long it stays in memory when nobody uses it, negative for ever; null where the node decides
 * @param licence SPDX identifier, or the name that the model's owner gave it
 */
public record CatalogueEntry(
        String id,
        String name,
        String fileName,
        List<ModelSource> sources,
        @Nullable String sha256,
        @Nullable Long size,
        int contextWindow,
        @Nullable String template,
        List<String> stopSequences,
        SamplingDefaults defaults,
        int gpuLayers,
        @Nullable Double keepAliveSeconds,
        String licence) {

    public CatalogueEntry {
        sources = List.copyOf(sources);
        stopSequences = List.copyOf(stopSequences);
    }
}
