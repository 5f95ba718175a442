package dev.chasqui.gateway.nodes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DiscoveryTest {
    private final AtomicInteger looks = new AtomicInteger();
    private final BlockingQueue<Set<String>> found = new LinkedBlockingQueue<>();
    private volatile String[] addresses = {};

    @Test
    void tellsAddressesWhenTheyChange() throws Exception {
        addresses = new String[] {"10.0.0.2", "10.0.0.1"};
        try (Discovery discovery = discovery()) {
            discovery.start();
            assertThat(found.take()).containsExactly("10.0.0.1", "10.0.0.2");
            addresses = new String[] {"10.0.0.1", "10.0.0.2"};
            awaitLooks(2);
            addresses = new String[] {"10.0.0.3", "10.0.0.1"};
            assertThat(found.take()).containsExactly("10.0.0.1", "10.0.0.3");
        }
    }

    @Test
    void aNameThatIsGoneKeepsItsAddresses() throws Exception {
        addresses = new String[] {"10.0.0.1"};
        try (Discovery discovery = discovery()) {
            discovery.start();
            assertThat(found.take()).containsExactly("10.0.0.1");
            addresses = new String[] {};
            awaitLooks(2);
            assertThat(found.poll(0, TimeUnit.SECONDS)).isNull();
            addresses = new String[] {"10.0.0.9"};
            assertThat(found.take()).containsExactly("10.0.0.9");
        }
    }

    @Test
    void readsBothKindsOfTargets() {
        assertThat(NodeTarget.parse("gpu1:9090")).isEqualTo(new NodeTarget(new NodeAddress("gpu1", 9090), false));
        assertThat(NodeTarget.parse("dns:///gpus:9090")).isEqualTo(new NodeTarget(new NodeAddress("gpus", 9090), true));
        assertThatThrownBy(() -> NodeTarget.parse("dns://server/gpus:9090"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> NodeTarget.parse("dns:///gpus")).isInstanceOf(IllegalArgumentException.class);
    }

    private Discovery discovery() {
        return new Discovery(new NodeAddress("nodes.example.org", 9090), this::look, found::add, 1);
    }

    private InetAddress[] look(String name) throws UnknownHostException {
        looks.incrementAndGet();
        String[] now = addresses;
        if (now.length == 0) {
            throw new UnknownHostException(name);
        }
        InetAddress[] found = new InetAddress[now.length];
        for (int i = 0; i < now.length; i++) {
            found[i] = InetAddress.getByName(now[i]);
        }
        return found;
    }

    private void awaitLooks(int more) throws InterruptedException {
        int until = looks.get() + more;
        while (looks.get() < until) {
            Thread.sleep(1);
        }
    }
}
