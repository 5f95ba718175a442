package dev.chasqui.gateway;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** A {@link PacedNode}'s other door: OpenAI's streamed chat, and nothing else of it. */
final class PacedHttp implements AutoCloseable {
    private static final String CHUNK =
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000," + "\"model\":\""
                    + ScriptedNode.MODEL + "\",\"choices\":[{\"index\":0,\"delta\":";
    private static final String GOES_ON = ",\"logprobs\":null,\"finish_reason\":null}]}\n\n";

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final PacedNode node;
    private final Channel server;

    PacedHttp(PacedNode node) {
        this.node = node;
        server = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new Chats());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    @Override
    public void close() {
        loop.shutdownGracefully();
    }

    private final class Chats extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            PacedNode.Wish wish;
            try {
                wish = PacedNode.Wish.of(request.content().toString(StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                DefaultFullHttpResponse refusal =
                        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.BAD_REQUEST);
                refusal.headers().set("content-length", 0);
                context.writeAndFlush(refusal);
                return;
            }
            node.start(wish, new Answer(context.channel()));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    /** One answer, written from the pacer's thread. */
    private record Answer(Channel channel) implements PacedNode.Reader {
        @Override
        public boolean isReady() {
            return channel.isWritable();
        }

        @Override
        public boolean isGone() {
            return !channel.isActive();
        }

        @Override
        public void begin() {
            HttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            response.headers().set("content-type", "text/event-stream; charset=utf-8");
            response.headers().set("transfer-encoding", "chunked");
            channel.write(response);
            write(CHUNK + "{\"role\":\"assistant\",\"content\":\"\"}" + GOES_ON);
        }

        @Override
        public void say(String text, int tokens) {
            write(CHUNK + "{\"content\":\"" + text + "\"}" + GOES_ON);
        }

        @Override
        public void end(int tokens) {
            write(CHUNK + "{},\"logprobs\":null,\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n");
            channel.writeAndFlush(new DefaultLastHttpContent());
        }

        private void write(String text) {
            channel.writeAndFlush(
                    new DefaultHttpContent(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII))));
        }
    }
}
