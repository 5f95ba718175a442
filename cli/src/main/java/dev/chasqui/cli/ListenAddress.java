package dev.chasqui.cli;

import java.net.InetSocketAddress;
import java.net.URI;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code HOST:PORT}: {@code 127.0.0.1:9090}, {@code [::1]:9090}, {@code 0.0.0.0:0}. Port 0 is any free one. */
final class ListenAddress implements ITypeConverter<InetSocketAddress> {

    @Override
    public InetSocketAddress convert(String text) {
        try {
            URI uri = URI.create("tcp://" + text);
            if (uri.getHost() != null
                    && uri.getPort() >= 0
                    && uri.getPort() <= 65_535
                    && uri.getPath().isEmpty()) {
                return new InetSocketAddress(uri.getHost(), uri.getPort());
            }
        } catch (IllegalArgumentException malformed) {
            // Told below, like every other text that is none.
        }
        throw new TypeConversionException(text + " (expected: HOST:PORT)");
    }
}
