package dev.chasqui.node;

import dev.chasqui.llama.Backend;
import dev.chasqui.node.grpc.NodeAccess;
import dev.chasqui.node.model.Hardware;
import dev.chasqui.node.model.ModelSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How to run a node. Values out of range are refused with {@link IllegalArgumentException}.
 *
 * @param listen where to listen; beyond loopback only where callers must show who they are
 * @param access what callers must bring
 * @param modelsFolder where model files are kept
 * @param cacheFolder where the native libraries are extracted to, and GPU libraries are fetched to
 * @param preparedLibraries where GPU libraries lie that were fetched before; null: nowhere
 * @param backend what computes; null: the best that can be on this machine
 * @param userCatalogue a catalogue to lay over the built-in one; null: none
 * @param models how models are run
 */
public record NodeConfiguration(
        InetSocketAddress listen,
        NodeAccess access,
        Path modelsFolder,
        Path cacheFolder,
        @Nullable Path preparedLibraries,
        @Nullable Backend backend,
        @Nullable Path userCatalogue,
        ModelSettings models) {
    public NodeConfiguration {
        InetAddress address = listen.getAddress();
        if (address == null) {
            throw new IllegalArgumentException(
                    "listen: " + listen.getHostString() + " (expected: a host that can be resolved)");
        }
        if (!access.asksCallers() && !address.isLoopbackAddress()) {
            throw new IllegalArgumentException("listen: " + listen.getHostString()
                    + " can be reached from other machines, and callers need neither a token nor a certificate"
                    + " (expected: a loopback address such as 127.0.0.1, --token, or --tls-ca)");
        }
    }

    /** Most memory for models where nothing else is said: four fifths of the machine's. */
    public static long usualMemoryBytes() {
        return Hardware.memoryBytes() / 5 * 4;
    }

    /** What beginnings of conversations may take beside each model where nobody says otherwise. */
    public static long usualPromptCacheBytes() {
        return Math.min(8L << 30, Hardware.memoryBytes() / 8);
    }
}
