package dev.chasqui.node.grpc;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.grpc.netty.shaded.io.netty.handler.ssl.NotSslRecordException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs who was refused and why: once a minute for each address and reason, since callers try again many times a second.
 * What a stranger sent is never quoted.
 */
final class Refusals {
    private static final Logger log = LoggerFactory.getLogger(Refusals.class);
    private static final String ALERT = "Received fatal alert: ";

    private final Cache<String, Boolean> told = Caffeine.newBuilder()
            .expireAfterWrite(Duration.ofMinutes(1))
            .maximumSize(1000)
            .build();

    /** A call without the token, or with a wrong one. */
    void call(@Nullable SocketAddress from, boolean broughtOne) {
        tell(from, broughtOne ? "UNAUTHENTICATED: its token is wrong" : "UNAUTHENTICATED: it brought no token");
    }

    /** A connection whose TLS handshake failed. */
    void handshake(@Nullable SocketAddress from, Throwable cause) {
        String why = why(cause);
        if (why != null) {
            tell(from, why);
        }
    }

    private void tell(@Nullable SocketAddress from, String why) {
        String host = from instanceof InetSocketAddress address
                ? address.getAddress().getHostAddress()
                : String.valueOf(from);
        if (told.asMap().putIfAbsent(host + " " + why, true) == null) {
            log.warn("refused {}: {}", host, why);
        }
    }

    /** Null for one that only looked whether the port is open. */
    private static @Nullable String why(Throwable failure) {
        String message = null;
        boolean foreign = false;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof NotSslRecordException) {
                return "it does not speak TLS";
            }
            if (cause instanceof CertificateExpiredException) {
                return "its certificate has expired";
            }
            if (cause instanceof CertificateNotYetValidException) {
                return "its certificate is not valid yet";
            }
            foreign |= cause instanceof CertPathBuilderException || cause instanceof CertPathValidatorException;
            if (cause instanceof SSLHandshakeException && message == null) {
                message = cause.getMessage();
            }
        }
        if (foreign) {
            return "its certificate is not signed by this node's CA";
        }
        return message == null ? null : inOwnWords(message);
    }

    private static String inOwnWords(String message) {
        int alert = message.indexOf(ALERT); // newer versions of Java say its name in front as well
        if (alert >= 0) {
            return "it does not take this node's certificate (" + message.substring(alert + ALERT.length()) + ")";
        }
        if (message.contains("Empty client certificate chain")) {
            return "it brought no certificate";
        }
        if (message.contains("xtended key usage")) {
            return "its certificate is not one for gateways";
        }
        return "its TLS handshake failed";
    }
}
