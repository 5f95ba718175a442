package dev.chasqui.gateway.rest;

import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.reactive.ServerHttpRequest;

/**
 * Where a request comes from, as far as that can be held against somebody: an IPv4 address, or the network of an IPv6
 * one, of which everybody has as many as he likes.
 */
final class ClientAddress {
    private static final int NETWORK_BYTES = 8;
    private static final int PRIVATE_MASK = 0xfe;
    private static final int PRIVATE_IPV6 = 0xfc;

    private ClientAddress() {}

    static String of(ServerHttpRequest request) {
        @Nullable InetSocketAddress remote = request.getRemoteAddress();
        @Nullable InetAddress address = remote == null ? null : remote.getAddress();
        return address == null ? "" : of(address, request.getHeaders().getOrEmpty("x-forwarded-for"));
    }

    /** A neighbour may be a proxy, behind which everybody is; who it saw is the last that the header names. */
    static String of(InetAddress remote, List<String> forwarded) {
        InetAddress named = forwarded.isEmpty() || !isNear(remote) ? null : last(forwarded);
        return network(named == null ? remote : named);
    }

    private static boolean isNear(InetAddress address) {
        boolean privateIpv6 =
                address instanceof Inet6Address && (address.getAddress()[0] & PRIVATE_MASK) == PRIVATE_IPV6;
        return address.isLoopbackAddress()
                || address.isSiteLocalAddress()
                || address.isLinkLocalAddress()
                || privateIpv6;
    }

    /** Null where it is no address. */
    private static @Nullable InetAddress last(List<String> forwarded) {
        String line = forwarded.get(forwarded.size() - 1);
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(
                line.substring(line.lastIndexOf(',') + 1).strip());
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private static String network(InetAddress address) {
        return address instanceof Inet6Address
                ? HexFormat.of().formatHex(address.getAddress(), 0, NETWORK_BYTES)
                : address.getHostAddress();
    }
}
