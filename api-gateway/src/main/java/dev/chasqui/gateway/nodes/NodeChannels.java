package dev.chasqui.gateway.nodes;

import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes channels to nodes, all with the same credentials. Files for TLS are read anew when they change. */
final class NodeChannels implements AutoCloseable {
    private static final int RELOAD_SECONDS = 10;
    private static final int MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
    /** Of one call that the node may send unread: for a reader who does not read it lies here, so it is not much. */
    private static final int WINDOW_BYTES = 64 * 1024;
    /** Where packets are swallowed a connection is never refused; the next try begins afresh. */
    private static final int CONNECT_MILLIS = 3_000;
    /** A resumed session would not look at certificates again, and connections are few and long. */
    private static final int SESSION_SECONDS = 1;

    private final EventLoop loop;
    private final @Nullable String authorization;
    private final @Nullable ScheduledExecutorService reloads;
    private final @Nullable SslContext tls;

    static {
        // The JDK keeps addresses for half a minute, while a node may be back at another one at once.
        if (Security.getProperty("networkaddress.cache.ttl") == null) {
            Security.setProperty("networkaddress.cache.ttl", "3");
            Security.setProperty("networkaddress.cache.negative.ttl", "1");
        }
    }

    /** @throws IllegalArgumentException where a file for TLS cannot be used; the message names it */
    NodeChannels(NodeCredentials credentials, EventLoop loop) {
        this.loop = loop;
        this.authorization = credentials.token() == null ? null : "Bearer " + credentials.token();
        this.reloads = credentials.authority() == null ? null : reloads();
        try {
            this.tls = reloads == null || credentials.authority() == null
                    ? null
                    : context(credentials, credentials.authority(), reloads);
        } catch (RuntimeException unusable) {
            close();
            throw unusable;
        }
    }

    EventLoop loop() {
        return loop;
    }

    /** What each call brings; null: nothing. */
    @Nullable
    String authorization() {
        return authorization;
    }

    /** @param name that the node's certificate must have; null: its host's */
    ManagedChannel open(NodeAddress address, @Nullable String name) {
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress(address.host(), address.port())
                .eventLoopGroup(loop.group())
                .channelType(loop.socketType())
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .flowControlWindow(WINDOW_BYTES)
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .disableRetry()
                .proxyDetector(target -> null);
        if (tls == null) {
            return builder.usePlaintext().build();
        }
        if (name != null) {
            builder.overrideAuthority(new NodeAddress(name, address.port()).toString());
        }
        return builder.sslContext(tls).useTransportSecurity().build();
    }

    @Override
    public void close() {
        if (reloads != null) {
            reloads.shutdownNow();
        }
    }

    private static SslContext context(NodeCredentials credentials, Path authority, ScheduledExecutorService reloads) {
        SslContextBuilder builder = GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
                .protocols("TLSv1.3")
                .sessionTimeout(SESSION_SECONDS);
        try {
            builder.trustManager(trust(authority, reloads));
            if (credentials.certificate() != null && credentials.key() != null) {
                builder.keyManager(identity(credentials.certificate(), credentials.key(), reloads));
            }
            return builder.build();
        } catch (IOException e) {
            throw new IllegalArgumentException("TLS cannot be had: " + e.getMessage());
        }
    }

    private static AdvancedTlsX509TrustManager trust(Path authority, ScheduledExecutorService reloads) {
        try {
            AdvancedTlsX509TrustManager manager =
                    AdvancedTlsX509TrustManager.newBuilder().build();
            manager.updateTrustCredentials(authority.toFile(), RELOAD_SECONDS, TimeUnit.SECONDS, reloads);
            return manager;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw unusable("ca", authority);
        }
    }

    private static AdvancedTlsX509KeyManager identity(Path certificate, Path key, ScheduledExecutorService reloads) {
        AdvancedTlsX509KeyManager manager = new AdvancedTlsX509KeyManager();
        try {
            manager.updateIdentityCredentials(
                    certificate.toFile(), key.toFile(), RELOAD_SECONDS, TimeUnit.SECONDS, reloads);
            return manager;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw unusable("certificate, key", certificate, key);
        }
    }

    /** What a parser says of a file can quote it, and one of these is a private key. */
    private static IllegalArgumentException unusable(String what, Path... files) {
        String names = Arrays.stream(files).map(Path::toString).collect(Collectors.joining(", "));
        return new IllegalArgumentException(what + ": " + names
                + (Arrays.stream(files).allMatch(Files::isReadable)
                        ? " (expected: PEM, with an unencrypted key of PKCS #8)"
                        : " (expected: files that can be read)"));
    }

    private static ScheduledExecutorService reloads() {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "certificates");
            thread.setDaemon(true);
            return thread;
        });
    }
}
