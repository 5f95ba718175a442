package dev.chasqui.gateway.nodes;

import io.grpc.Status;
import io.netty.handler.ssl.NotSslRecordException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import javax.net.ssl.SSLHandshakeException;

/**
 * Why a node does not answer, for the log.
 *
 * @param refused whether one of the two ends will not have the other, which does not get better by waiting
 * @param why the rest of a sentence
 */
record Unreachable(boolean refused, String why) {
    private static final String ALERT = "Received fatal alert: ";

    static Unreachable of(Status status) {
        if (status.getCode() == Status.Code.UNAUTHENTICATED) {
            return new Unreachable(true, "it refuses this gateway's token (UNAUTHENTICATED)");
        }
        String handshake = null;
        boolean foreign = false;
        for (Throwable cause = status.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateExpiredException) {
                return new Unreachable(true, "its certificate has expired");
            }
            if (cause instanceof CertificateNotYetValidException) {
                return new Unreachable(true, "its certificate is not valid yet");
            }
            foreign |= cause instanceof CertPathBuilderException || cause instanceof CertPathValidatorException;
            if (cause instanceof NotSslRecordException) {
                return new Unreachable(true, "it does not speak TLS");
            }
            if (cause instanceof SSLHandshakeException && handshake == null) {
                handshake = String.valueOf(cause.getMessage());
            }
            if (cause instanceof UnknownHostException) {
                return new Unreachable(false, "no host has that name");
            }
            if (cause instanceof ConnectException) {
                return new Unreachable(false, "it does not take connections");
            }
        }
        if (foreign) {
            return new Unreachable(true, "its certificate is not signed by the CA that this gateway knows");
        }
        return handshake == null
                ? new Unreachable(false, status.getCode().name())
                : new Unreachable(true, inOwnWords(handshake));
    }

    private static String inOwnWords(String handshake) {
        int alert = handshake.indexOf(ALERT); // newer versions of Java say its name in front as well
        if (alert >= 0) {
            return "it refuses this gateway's certificate, or the lack of one ("
                    + handshake.substring(alert + ALERT.length()) + ")";
        }
        if (handshake.contains("subject alternative") || handshake.contains("No name matching")) {
            return "its certificate is for another name";
        }
        if (handshake.contains("xtended key usage")) {
            return "its certificate is not one for nodes";
        }
        return "its TLS handshake failed";
    }
}
