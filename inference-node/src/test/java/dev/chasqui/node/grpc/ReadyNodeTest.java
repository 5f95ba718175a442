package dev.chasqui.node.grpc;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** One node with its default model in memory for all tests of a class. */
abstract class ReadyNodeTest {
    @TempDir
    static Path folder;

    static TestNode node;

    @BeforeAll
    static void start() throws IOException {
        node = TestNode.ready(folder);
    }

    @AfterAll
    static void stop() {
        node.close();
    }
}
