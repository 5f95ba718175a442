package dev.chasqui.gateway;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import org.HdrHistogram.Histogram;

/** Clients of OpenAI's streamed chat, all on one thread, which read every token and check that none is lost. */
final class Load implements AutoCloseable {
    private static final byte[] CONTENT = "\"content\":".getBytes(StandardCharsets.US_ASCII);

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final int port;
    private final AtomicLong tokens = new AtomicLong();
    private volatile Histogram gaps = new Histogram(60_000_000, 3);

    /** @param port of a server on this machine */
    Load(int port) {
        this.port = port;
    }

    /** Tokens that came, over all streams. */
    long tokens() {
        return tokens.get();
    }

    /** Times between two tokens of a stream from now on, in microseconds; read it when the load has ended. */
    Histogram measureGaps() {
        Histogram fresh = new Histogram(60_000_000, 3);
        gaps = fresh;
        return fresh;
    }

    @Override
    public void close() {
        loop.shutdownGracefully();
    }

    /** A new connection. */
    Client connect() {
        Client client = new Client();
        client.channel = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new HttpClientCodec(), client);
                    }
                })
                .connect(InetAddress.getLoopbackAddress(), port)
                .syncUninterruptibly()
                .channel();
        return client;
    }

    /** What came of one request. Times are {@link System#nanoTime}. */
    static final class Result {
        private final PacedNode.Wish wish;
        private final CRC32 text = new CRC32();
        final long asked = System.nanoTime();
        long firstByte;
        int tokens;
        int events;
        private long lastToken;
        private int status;
        private boolean done;

        Result(PacedNode.Wish wish) {
            this.wish = wish;
        }

        /** What is wrong with the answer; empty where nothing is. */
        String complaint() {
            CRC32 expected = new CRC32();
            expected.update(wish.text(0, wish.tokens()).getBytes(StandardCharsets.US_ASCII));
            if (status != 200) {
                return "status " + status;
            }
            return tokens != wish.tokens() || text.getValue() != expected.getValue()
                    ? tokens + " of " + wish.tokens() + " tokens, or not in their order"
                    : done ? "" : "no end";
        }
    }

    /** One connection, with at most one request at a time. Its channel's thread owns it. */
    final class Client extends SimpleChannelInboundHandler<HttpObject> implements AutoCloseable {
        private final ByteBuf rest = Unpooled.buffer(4096);
        private Channel channel;
        private Result result;
        private CompletableFuture<Result> end = new CompletableFuture<>();

        /** Asks, and completes when the answer has ended or the connection broke. */
        CompletableFuture<Result> ask(PacedNode.Wish wish) {
            byte[] body = ("{\"model\":\"" + ScriptedNode.MODEL + "\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
                            + wish.prompt() + "\"}]}")
                    .getBytes(StandardCharsets.US_ASCII);
            byte[] head = ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:" + port
                            + "\r\nContent-Type: application/json\r\nAuthorization: Bearer none\r\nContent-Length: " + body.length + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
            CompletableFuture<Result> asked = new CompletableFuture<>();
            channel.eventLoop().execute(() -> {
                end = asked;
                result = new Result(wish);
                // Below the codec, which only needs to see the answer.
                channel.pipeline().firstContext().writeAndFlush(Unpooled.wrappedBuffer(head, body));
                if (!channel.isActive()) {
                    asked.complete(result);
                }
            });
            return asked;
        }

        /** Reads no more, until it is told to go on. */
        void stopReading() {
            channel.config().setAutoRead(false);
        }

        void goOnReading() {
            channel.config().setAutoRead(true);
        }

        @Override
        public void close() {
            channel.close();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
            if (part instanceof HttpResponse response) {
                result.status = response.status().code();
            }
            if (part instanceof HttpContent content) {
                if (result.firstByte == 0 && content.content().isReadable()) {
                    result.firstByte = System.nanoTime();
                }
                rest.writeBytes(content.content());
                lines();
                if (part instanceof LastHttpContent) {
                    rest.clear();
                    end.complete(result);
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end.complete(result);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }

        private void lines() {
            int newline = rest.bytesBefore((byte) '\n');
            while (newline >= 0) {
                if (newline > 6 && rest.getByte(rest.readerIndex()) == 'd') {
                    data(rest.readerIndex() + 6, newline - 6);
                }
                rest.skipBytes(newline + 1);
                newline = rest.bytesBefore((byte) '\n');
            }
            rest.discardSomeReadBytes();
        }

        private void data(int from, int length) {
            if (rest.getByte(from) == '[') {
                result.done = true;
                return;
            }
            result.events++;
            int key = find(from, from + length);
            int quote = key < 0 ? -1 : rest.indexOf(key, from + length, (byte) '"');
            if (quote < 0 || rest.getByte(key) == 'n') {
                return;
            }
            int count = 0;
            int at = quote + 1;
            for (byte letter = rest.getByte(at); letter != '"'; letter = rest.getByte(++at)) {
                count += letter == ' ' ? 1 : 0;
            }
            if (at > quote + 1) {
                result.text.update(rest.array(), rest.arrayOffset() + quote + 1, at - quote - 1);
                note(count);
            }
        }

        /** Behind the key {@code content}; -1 where it is not. */
        private int find(int from, int to) {
            outer:
            for (int i = from; i + CONTENT.length < to; i++) {
                for (int j = 0; j < CONTENT.length; j++) {
                    if (rest.getByte(i + j) != CONTENT[j]) {
                        continue outer;
                    }
                }
                return i + CONTENT.length;
            }
            return -1;
        }

        private void note(int count) {
            long now = System.nanoTime();
            if (result.lastToken != 0) {
                gaps.recordValue(Math.min(60_000_000, (now - result.lastToken) / 1000));
            }
            result.lastToken = now;
            result.tokens += count;
            tokens.lazySet(tokens.get() + count);
        }
    }
}
