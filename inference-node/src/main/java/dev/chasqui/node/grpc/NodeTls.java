package dev.chasqui.node.grpc;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslHandler;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A node's side of TLS. Its files are read anew when they change, for connections made from then on. */
final class NodeTls {
    static final int RELOAD_SECONDS = 10;

    /** A resumed session would not look at certificates again, and connections are few and long. */
    private static final int SESSION_SECONDS = 1;

    private NodeTls() {}

    /** @throws IOException where a file cannot be read, or holds something else; the message names it */
    static SslContext context(NodeAccess.Tls files, ScheduledExecutorService timer) throws IOException {
        SslContextBuilder builder = SslContextBuilder.forServer(identity(files, timer));
        if (files.authority() != null) {
            builder.trustManager(trust(files.authority(), timer)).clientAuth(ClientAuth.REQUIRE);
        }
        return GrpcSslContexts.configure(builder, SslProvider.JDK)
                .protocols("TLSv1.3")
                .sessionTimeout(SESSION_SECONDS)
                .build();
    }

    private static AdvancedTlsX509KeyManager identity(NodeAccess.Tls files, ScheduledExecutorService timer)
            throws IOException {
        AdvancedTlsX509KeyManager manager = new AdvancedTlsX509KeyManager();
        try {
            manager.updateIdentityCredentials(
                    files.certificate().toFile(), files.key().toFile(), RELOAD_SECONDS, TimeUnit.SECONDS, timer);
            return manager;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw unusable("tls-certificate, tls-key", files.certificate(), files.key());
        }
    }

    private static AdvancedTlsX509TrustManager trust(Path authority, ScheduledExecutorService timer)
            throws IOException {
        try {
            AdvancedTlsX509TrustManager manager =
                    AdvancedTlsX509TrustManager.newBuilder().build();
            manager.updateTrustCredentials(authority.toFile(), RELOAD_SECONDS, TimeUnit.SECONDS, timer);
            return manager;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw unusable("tls-ca", authority);
        }
    }

    /** What a parser says of a file can quote it, and one of these is a private key. */
    private static IOException unusable(String option, Path... files) {
        String names = Arrays.stream(files).map(Path::toString).collect(Collectors.joining(", "));
        return new IOException(option + ": " + names
                + (Arrays.stream(files).allMatch(Files::isReadable)
                        ? " (expected: PEM, with an unencrypted key of PKCS #8)"
                        : " (expected: files that can be read)"));
    }

    /** Sits in a new connection until its handshake has begun, and tells how a failed one ended. */
    static final class Watch extends ChannelInboundHandlerAdapter {
        private final Refusals refusals;

        Watch(Refusals refusals) {
            this.refusals = refusals;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            SslHandler tls = context.pipeline().get(SslHandler.class);
            if (tls != null) {
                tls.handshakeFuture().addListener(handshake -> {
                    if (!handshake.isSuccess()) {
                        refusals.handshake(context.channel().remoteAddress(), handshake.cause());
                    }
                });
                context.pipeline().remove(this);
            }
            context.fireChannelRead(message);
        }
    }
}
