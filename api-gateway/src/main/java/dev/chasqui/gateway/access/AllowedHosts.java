package dev.chasqui.gateway.access;

import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names that this server answers to. A page from elsewhere can make its own name resolve to 127.0.0.1 (rebinding)
 * but cannot make a browser send another name than that, so requests for unknown names are not for us.
 */
final class AllowedHosts {
    private static final Pattern V4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Set<String> EVERYWHERE = Set.of("0.0.0.0", "::", "[::]");

    private final Set<String> names = new HashSet<>(Set.of("localhost", "127.0.0.1", "[::1]"));
    private final boolean anyAddress;

    /**
     * @param bound the address it listens on; where that is every address, any address literal is a name of ours
     * @param more names from the settings
     */
    AllowedHosts(String bound, Collection<String> more) {
        anyAddress = EVERYWHERE.contains(bound);
        names.add(literal(bound));
        more.forEach(name -> names.add(literal(name)));
    }

    /** @param host the header's value: a name with or without a port */
    boolean allow(@Nullable String host) {
        if (host == null) {
            return false;
        }
        String name = name(host);
        return names.contains(name)
                || (anyAddress && (name.startsWith("[") || V4.matcher(name).matches()));
    }

    private static String name(String host) {
        int colon = host.lastIndexOf(':');
        boolean port = colon > 0 && host.indexOf(']', colon) < 0;
        String name = (port ? host.substring(0, colon) : host).toLowerCase(Locale.ROOT);
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    private static String literal(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.indexOf(':') >= 0 && !lower.startsWith("[") ? "[" + lower + "]" : lower;
    }
}
