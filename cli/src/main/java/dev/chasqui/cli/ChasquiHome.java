package dev.chasqui.cli;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The one folder that Chasqui writes to.
 *
 * @param folder absolute
 */
record ChasquiHome(Path folder) {

    ChasquiHome {
        folder = folder.toAbsolutePath().normalize();
    }

    /** {@code CHASQUI_HOME}, or {@code ~/.chasqui}. */
    static ChasquiHome of(Map<String, String> environment) {
        String named = environment.getOrDefault("CHASQUI_HOME", "");
        return new ChasquiHome(
                named.isBlank() ? Path.of(System.getProperty("user.home"), ".chasqui") : Path.of(named.strip()));
    }

    Path models() {
        return folder.resolve("models");
    }

    /** Chats, where they are stored in a file. */
    Path data() {
        return folder.resolve("data");
    }

    Sessions sessions() {
        return new Sessions(folder.resolve("sessions.json"));
    }

    /** Unpacked libraries: may be deleted at any time while nothing runs. */
    Path cache() {
        return folder.resolve("cache");
    }

    /** {@code CHASQUI_LIBRARIES}: where GPU libraries lie that were fetched before, such as in an image; null: nowhere. */
    static @Nullable Path preparedLibraries(Map<String, String> environment) {
        String named = environment.getOrDefault("CHASQUI_LIBRARIES", "");
        return named.isBlank() ? null : Path.of(named.strip());
    }

    /** The user's own catalogue, which need not exist. */
    Path catalogue() {
        return folder.resolve("catalogue.json");
    }
}
