package dev.chasqui.gateway;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.FinishReason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A scripted node that gives tokens at the pace that a prompt asks for, as an engine would: the streams of a batch get
 * theirs together, and for a caller who does not read they pile up into one large delta. It answers gRPC, and beside it
 * OpenAI's chat over plain HTTP, so that one can see what a gateway in front of it costs.
 */
final class PacedNode implements AutoCloseable {
    private static final int BATCH = 32;

    /**
     * What a prompt asks for.
     *
     * @param tokens how many
     * @param letters of each, a space before them included; 2 to 2000
     * @param perSecond of one stream
     */
    record Wish(int tokens, int letters, double perSecond) {
        private static final Pattern WORDS = Pattern.compile("(\\d+) tokens of (\\d+) letters, ([0-9.]+) a second");

        /** @throws IllegalArgumentException where it is another text */
        static Wish of(String prompt) {
            Matcher words = WORDS.matcher(prompt);
            if (!words.find()) {
                throw new IllegalArgumentException("prompt: expected N tokens of N letters, N a second");
            }
            return new Wish(
                    Integer.parseInt(words.group(1)),
                    Integer.parseInt(words.group(2)),
                    Double.parseDouble(words.group(3)));
        }

        String prompt() {
            return tokens + " tokens of " + letters + " letters, " + perSecond + " a second";
        }

        /** The text of tokens, each another one: a space and digits. */
        String text(int from, int to) {
            StringBuilder text = new StringBuilder((to - from) * letters);
            for (int token = from; token < to; token++) {
                text.append(' ');
                String number = Integer.toString(token);
                for (int digit = 1; digit < letters; digit++) {
                    text.append(number.charAt(digit % number.length()));
                }
            }
            return text.toString();
        }
    }

    /** Who asked, in whatever protocol. None of this waits. */
    interface Reader {
        boolean isReady();

        boolean isGone();

        void begin();

        void say(String text, int tokens);

        void end(int tokens);
    }

    /** As a node does: what a slow reader left lying goes in messages of this size. */
    private static final int MOST_LETTERS = 16_384;

    private final ScheduledExecutorService pacer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "pacer");
        thread.setDaemon(true);
        return thread;
    });
    private final List<Batch> batches = new ArrayList<>();
    private final AtomicInteger piledUp = new AtomicInteger();
    private final ScriptedNode node;
    private final PacedHttp http;

    /** @param port for gRPC; 0 for any */
    PacedNode(int port) throws IOException {
        node = ScriptedNode.ofQuickScripts(port);
        node.does(this::answer);
        http = new PacedHttp(this);
    }

    int port() {
        return node.port();
    }

    int httpPort() {
        return http.port();
    }

    @Override
    public void close() {
        pacer.shutdownNow();
        http.close();
        node.close();
    }

    /** How often a token waited for a reader who did not read. */
    int piledUp() {
        return piledUp.get();
    }

    /** Begins an answer: the first byte at once, the tokens in the pace of its batch. */
    void start(Wish wish, Reader reader) {
        pacer.execute(() -> {
            reader.begin();
            Stream stream = new Stream(wish, reader);
            for (Batch batch : batches) {
                if (batch.perSecond == wish.perSecond() && batch.streams.size() < BATCH) {
                    batch.streams.add(stream);
                    return;
                }
            }
            batches.add(new Batch(stream));
        });
    }

    private void answer(ChatRequest request, ScriptedNode.Answer answer) {
        node.requests.clear();
        node.authorizations.clear();
        String prompt = request.getMessages(request.getMessagesCount() - 1)
                .getContent(0)
                .getText();
        start(Wish.of(prompt), new Reader() {
            @Override
            public boolean isReady() {
                return answer.isReady();
            }

            @Override
            public boolean isGone() {
                return answer.isCancelled();
            }

            @Override
            public void begin() {
                answer.put(ScriptedNode.admitted(7));
            }

            @Override
            public void say(String text, int tokens) {
                answer.put(ScriptedNode.text(0, text, tokens));
            }

            @Override
            public void end(int tokens) {
                answer.put(ScriptedNode.finished(0, FinishReason.FINISH_REASON_LENGTH, tokens));
                answer.complete(7, 0, tokens);
            }
        });
    }

    /** Streams that get their tokens together. The pacer owns it. */
    private final class Batch {
        final double perSecond;
        final List<Stream> streams = new ArrayList<>();
        private final Future<?> steps;

        Batch(Stream first) {
            perSecond = first.wish.perSecond();
            streams.add(first);
            long period = (long) (1e9 / perSecond);
            steps = pacer.scheduleAtFixedRate(
                    this::step, ThreadLocalRandom.current().nextLong(period), period, TimeUnit.NANOSECONDS);
        }

        private void step() {
            streams.removeIf(Stream::step);
            if (streams.isEmpty()) {
                batches.remove(this);
                steps.cancel(false);
            }
        }
    }

    /** One answer on its way. */
    private final class Stream {
        final Wish wish;
        final Reader reader;
        private int due;
        private int said;

        Stream(Wish wish, Reader reader) {
            this.wish = wish;
            this.reader = reader;
        }

        /** One more token; returns whether that was all. */
        boolean step() {
            if (reader.isGone()) {
                return true;
            }
            due = Math.min(due + 1, wish.tokens());
            while (said < due) {
                if (!reader.isReady()) {
                    piledUp.incrementAndGet();
                    return false;
                }
                int end = Math.min(due, said + Math.max(1, MOST_LETTERS / wish.letters()));
                reader.say(wish.text(said, end), end - said);
                said = end;
            }
            if (said < wish.tokens()) {
                return false;
            }
            reader.end(said);
            return true;
        }
    }

    /** Runs until its input ends, and says on its output where it listens. */
    public static void main(String[] args) throws IOException {
        try (PacedNode node = new PacedNode(0)) {
            System.out.println(node.port() + " " + node.httpPort());
            while (System.in.read() >= 0) {
                // whoever started it is still there
            }
        }
    }
}
