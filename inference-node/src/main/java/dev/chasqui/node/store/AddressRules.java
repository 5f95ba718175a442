package dev.chasqui.node.store;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Which addresses a download may connect to: https on the public internet, and the few origins that the operator has
 * named. So neither a model's name nor a redirect can make this machine talk to its own network. The name is resolved
 * here before each connection; the JDK keeps the answer for the seconds until the connection is made.
 */
final class AddressRules {
    private final Set<String> trusted = new HashSet<>();
    private final Duration timeout;

    AddressRules(StoreSettings settings) {
        trusted.add(origin(settings.hubEndpoint()));
        settings.trustedOrigins().forEach(origin -> trusted.add(origin(origin)));
        timeout = settings.connectTimeout();
    }

    /** Scheme, host and port: what a token or a trust is given to. */
    static String origin(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        int port = address.getPort() >= 0 ? address.getPort() : scheme.equals("https") ? 443 : 80;
        return scheme + "://" + String.valueOf(address.getHost()).toLowerCase(Locale.ROOT) + ":" + port;
    }

    /** @throws StoreException UNREACHABLE where it may not be connected to, or its name cannot be resolved in time */
    void check(URI address) throws InterruptedException {
        String host = address.getHost();
        if (host == null || address.getUserInfo() != null) {
            throw refused(FileNames.shown(address.getScheme() + " address") + " without a plain host name");
        }
        boolean isTrusted = trusted.contains(origin(address));
        if (!isTrusted && !"https".equalsIgnoreCase(address.getScheme())) {
            throw refused(host + ": " + address.getScheme() + " (expected: https)");
        }
        List<InetAddress> resolved = resolve(host);
        if (!isTrusted && !resolved.stream().allMatch(AddressRules::isPublic)) {
            throw refused(host + " is an address of a private network (expected: a public one)");
        }
    }

    private static StoreException refused(String why) {
        return new StoreException(StoreException.Reason.UNREACHABLE, why);
    }

    /** On a thread of its own, because the system's resolver can take a minute and cannot be interrupted. */
    private List<InetAddress> resolve(String host) throws InterruptedException {
        FutureTask<List<InetAddress>> lookup = new FutureTask<>(() -> Arrays.asList(InetAddress.getAllByName(host)));
        Thread thread = new Thread(lookup, "chasqui-resolve");
        thread.setDaemon(true);
        thread.start();
        try {
            return lookup.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw refused(host + ": its name was not resolved within " + timeout.toSeconds() + " s");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownHostException) {
                throw refused(host + ": no such host, or no network");
            }
            throw refused(host + ": its name cannot be resolved");
        }
    }

    static boolean isPublic(InetAddress address) {
        if (address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        return address instanceof Inet4Address ? isPublic4(bytes, 0) : isPublic6(bytes);
    }

    /** Beyond what the JDK knows: this network, carrier NAT, IETF, documentation, benchmark and reserved ranges. */
    private static boolean isPublic4(byte[] bytes, int at) {
        int a = bytes[at] & 0xff;
        int b = bytes[at + 1] & 0xff;
        int c = bytes[at + 2] & 0xff;
        boolean isPrivate = a == 0
                || a == 10
                || a == 127
                || a >= 224
                || (a == 100 && b >= 64 && b < 128)
                || (a == 169 && b == 254)
                || (a == 172 && b >= 16 && b < 32)
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && (c == 0 || c == 2))
                || (a == 198 && (b == 18 || b == 19))
                || (a == 198 && b == 51 && c == 100)
                || (a == 203 && b == 0 && c == 113);
        return !isPrivate;
    }

    /** Only 2000::/3 is in use; of it and of NAT64, the ranges that lead to an IPv4 address count as that. */
    private static boolean isPublic6(byte[] bytes) {
        int first = ((bytes[0] & 0xff) << 8) | (bytes[1] & 0xff);
        int second = ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff);
        if (first == 0x64 && second == 0xff9b) {
            return isPublic4(bytes, 12);
        }
        if (first == 0x2002) {
            return isPublic4(bytes, 2);
        }
        boolean isTeredo = first == 0x2001 && second == 0;
        boolean isDocumentation = first == 0x2001 && second == 0xdb8;
        return (first & 0xe000) == 0x2000 && !isTeredo && !isDocumentation;
    }
}
