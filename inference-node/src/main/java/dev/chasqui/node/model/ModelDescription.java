package dev.chasqui.node.model;

import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.StoredModel;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of one model.
 *
 * @param name what requests call it
 * @param activity where it stands
 * @param heat how soon it can answer, where it is on disk
 * @param isDefault whether requests get it that name none
 * @param entry its catalogue entry, if it has one
 * @param stored its file, if it is on disk
 * @param loaded itself, if it is in memory
 */
public record ModelDescription(
        String name,
        ModelActivity activity,
        Heat heat,
        boolean isDefault,
        @Nullable CatalogueEntry entry,
        @Nullable StoredModel stored,
        @Nullable LoadedModel loaded) {}
