package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** How much memory both processes take for themselves. */
@ExtendWith(SharedServer.class)
class MemoryIT {

    private static final long MEGABYTE = 1_000_000;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Server server;

    MemoryIT(Server server) {
        this.server = server;
    }

    @Test
    void bothProcessesStaySmallBesideTheModel() throws IOException {
        server.chat("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":32}");
        long gateway = pss(server.launched().pid());
        long node = pss(server.node().pid());
        long model = modelBytes();
        assertThat(model).isPositive();
        System.out.printf(
                "memory: gateway %d MB, node %d MB; the model takes %d MB of it%n",
                gateway / MEGABYTE, node / MEGABYTE, model / MEGABYTE);

        assertThat(gateway + node - model).isLessThan(500 * MEGABYTE);
    }

    /** Memory of a process in bytes; pages that several share count in parts. */
    private static long pss(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/smaps_rollup"))) {
            return kibibytes(lines) * 1024;
        }
    }

    private static long kibibytes(Stream<String> lines) {
        return lines.filter(line -> line.startsWith("Pss:"))
                .flatMapToLong(line -> LongStream.of(Long.parseLong(line.replaceAll("\\D", ""))))
                .sum();
    }

    /** What the product says that the model takes: its weights, the KV cache of all its slots, and llama.cpp's buffers. */
    private long modelBytes() throws IOException {
        JsonNode models = JSON.readTree(server.get("/api/models").body()).at("/data/models");
        for (JsonNode model : models) {
            if (model.path("is_default").asBoolean()) {
                return model.path("memory_bytes").asLong();
            }
        }
        throw new AssertionError("no default model in " + models);
    }
}
