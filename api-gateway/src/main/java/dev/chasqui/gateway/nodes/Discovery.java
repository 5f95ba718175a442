package dev.chasqui.gateway.nodes;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again which addresses a name has, on a thread of its own, as resolving blocks. A name that cannot be
 * resolved for a while keeps the addresses that it had.
 */
final class Discovery implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Discovery.class);
    private static final long PERIOD_MS = 5_000;

    /** Where addresses come from. */
    interface Resolver {
        InetAddress[] addresses(String name) throws UnknownHostException;
    }

    private final NodeAddress target;
    private final Resolver resolver;
    private final Consumer<Set<String>> found;
    private final long periodMs;
    private final Thread thread;
    private Set<String> known = Set.of();
    private boolean complained;

    /** @param found told all addresses, as literals, whenever they are others than before */
    Discovery(NodeAddress target, Consumer<Set<String>> found) {
        this(target, InetAddress::getAllByName, found, PERIOD_MS);
    }

    Discovery(NodeAddress target, Resolver resolver, Consumer<Set<String>> found, long periodMs) {
        this.target = target;
        this.resolver = resolver;
        this.found = found;
        this.periodMs = periodMs;
        this.thread = new Thread(this::run, "discovery of " + target.host());
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                look();
                Thread.sleep(periodMs);
            }
        } catch (InterruptedException closed) {
            // Nobody wants to know any more.
        }
    }

    private void look() {
        try {
            Set<String> now = new TreeSet<>();
            Arrays.stream(resolver.addresses(target.host()))
                    .map(InetAddress::getHostAddress)
                    .forEach(now::add);
            complained = false;
            if (!now.equals(known)) {
                known = now;
                log.info("{} has {} nodes: {}", target, now.size(), now);
                found.accept(now);
            }
        } catch (UnknownHostException e) {
            if (!complained) {
                complained = true;
                log.warn("{} has no address", target);
            }
        }
    }
}
