package dev.chasqui.gateway.answers;

import dev.chasqui.gateway.nodes.EventLoop;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.web.server.ServerWebExchange;
import reactor.netty.Connection;
import reactor.netty.NettyPipeline;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Writes pieces of a response's body straight to its connection, once the head and a first piece have gone the usual
 * way. A piece is one buffer with its chunk's frame around it, passes none of the HTTP layers, and is flushed together
 * with whatever else the event loop has read by then: half of what a token costs otherwise.
 *
 * <p>The event loop owns it.
 */
final class BodyWriter {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final int CRLF = '\r' << 8 | '\n';

    private final EventLoop loop;
    private final Channel channel;
    /** Null where the connection is gone already; the cancellation is on its way then. */
    private final @Nullable ChannelHandlerContext codec;

    private final boolean chunked;
    private final Runnable writable;
    private final Runnable flush = this::flush;
    private boolean flushDue;
    private boolean waiting;

    /** Before the head is sent: a client of HTTP/1.0 knows no chunks, and takes the connection's end for the body's. */
    static void prepare(ServerWebExchange exchange) {
        HttpServerRequest request = ServerHttpRequestDecorator.getNativeRequest(exchange.getRequest());
        if (request.version().equals(HttpVersion.HTTP_1_0)) {
            netty(exchange.getResponse()).chunkedTransfer(false).keepAlive(false);
        }
    }

    /**
     * @param response whose head has been sent
     * @param writable called when the reader has taken enough of what he was slow to take
     */
    BodyWriter(ServerHttpResponse response, EventLoop loop, Runnable writable) {
        this.loop = loop;
        this.writable = writable;
        HttpServerResponse netty = netty(response);
        Connection[] connection = new Connection[1];
        netty.withConnection(own -> connection[0] = own);
        channel = connection[0].channel();
        codec = channel.pipeline().context(NettyPipeline.HttpCodec);
        chunked = netty.responseHeaders().contains(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED, true);
    }

    private static HttpServerResponse netty(ServerHttpResponse response) {
        return ServerHttpResponseDecorator.getNativeResponse(response);
    }

    /** Whether more may be written; where not, {@code writable} is called later. */
    boolean isWritable() {
        if (channel.isWritable()) {
            return true;
        }
        if (!waiting && codec != null) {
            waiting = true;
            // Nothing, which has been written when everything before it has.
            codec.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
                waiting = false;
                if (written.isSuccess()) {
                    writable.run();
                }
            });
        }
        return false;
    }

    /** Writes the first {@code size} bytes, one at least. */
    void write(byte[] bytes, int size) {
        if (codec == null) {
            return;
        }
        codec.write(chunked ? chunk(bytes, size) : buffer(size).writeBytes(bytes, 0, size));
        if (!flushDue) {
            flushDue = true;
            loop.afterwards(flush);
        }
    }

    private ByteBuf chunk(byte[] bytes, int size) {
        int digits = (35 - Integer.numberOfLeadingZeros(size)) / 4;
        ByteBuf buffer = buffer(digits + size + 4);
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            buffer.writeByte(HEX[size >> shift & 0xf]);
        }
        return buffer.writeShort(CRLF).writeBytes(bytes, 0, size).writeShort(CRLF);
    }

    private ByteBuf buffer(int size) {
        return channel.alloc().directBuffer(size);
    }

    private void flush() {
        flushDue = false;
        if (codec != null) {
            codec.flush();
        }
    }
}
