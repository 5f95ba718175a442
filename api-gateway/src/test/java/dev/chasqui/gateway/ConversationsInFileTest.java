package dev.chasqui.gateway;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Stored conversations in the embedded database. */
class ConversationsInFileTest extends ConversationsContract {
    @TempDir
    Path folder;

    @Override
    String database() {
        return "file:" + folder.resolve("data").resolve("chasqui");
    }
}
