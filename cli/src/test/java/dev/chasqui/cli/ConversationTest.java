package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class ConversationTest {
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final CountDownLatch asked = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private String begin = "";
    private HttpServer server;
    private Conversation conversation;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/api/chat/stream", exchange -> {
            asked.countDown();
            if (begin.isEmpty()) {
                await(goOn);
            }
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(begin.getBytes(StandardCharsets.UTF_8));
                body.flush();
                await(goOn);
            }
        });
        server.start();
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        conversation = new Conversation(new ServerClient(base), "", "", null, null);
    }

    @AfterEach
    void stop() {
        goOn.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    void anAnswerIsCutShortBeforeItsFirstWord() {
        threads.submit(() -> {
            await(asked);
            conversation.interrupt();
        });
        conversation.expectAnswer();
        Conversation.End end = conversation.ask("Why?", new Silent());

        assertThat(end.interrupted()).isTrue();
        assertThat(conversation.asMarkdown()).isEmpty();
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void anInterruptBetweenTheQuestionAndItsRequestIsNotLost() {
        conversation.expectAnswer();
        conversation.interrupt();

        assertThat(conversation.ask("Why?", new Silent()).interrupted()).isTrue();
        assertThat(asked.getCount()).isEqualTo(1);
    }

    @Test
    void whatWasSaidOfAnAnswerThatIsCutShortIsKept() {
        begin = "data: {\"type\":\"token\",\"content\":\"Because\"}\n\n";
        conversation.expectAnswer();
        Conversation.End end = conversation.ask("Why?", new Silent() {
            @Override
            public void text(String text) {
                conversation.interrupt();
            }
        });

        assertThat(end.interrupted()).isTrue();
        assertThat(end.tokens()).isEqualTo(1);
        assertThat(conversation.asMarkdown()).contains("Why?", "Because");
    }

    @Test
    void whatCannotBeSavedSaysWhy(@TempDir Path folder) throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        conversation.system("Be brief.");
        assertThat(conversation.save(folder.resolve("new.md"))).content().contains("Be brief.");

        assertThatThrownBy(() -> conversation.save(file))
                .hasMessageEndingWith("is there already (expected: a new file)");
        assertThatThrownBy(() -> conversation.save(folder.resolve("none/x.md")))
                .isInstanceOf(Failure.class)
                .hasMessage(folder.resolve("none/x.md") + " cannot be written: no such file or folder");
        assertThatThrownBy(() -> conversation.save(file.resolve("x.md")))
                .hasMessageEndingWith(" cannot be written: not a directory");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static class Silent implements Conversation.Listener {
        @Override
        public void loading(String model, double progress) {}

        @Override
        public void reasoning(String text) {}

        @Override
        public void text(String text) {}
    }
}
