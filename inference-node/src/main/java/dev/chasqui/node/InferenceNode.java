package dev.chasqui.node;

import dev.chasqui.llama.Llama;
import dev.chasqui.node.backend.BackendChoice;
import dev.chasqui.node.backend.Backends;
import dev.chasqui.node.grpc.NodeServer;
import dev.chasqui.node.model.Models;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running node. */
public final class InferenceNode implements AutoCloseable {
    /** The product's version. */
    public static final String VERSION = "0.1.0";

    private static final Logger log = LoggerFactory.getLogger(InferenceNode.class);

    private final ModelStore store;
    private final Models models;
    private final NodeServer server;
    private final CountDownLatch ended = new CountDownLatch(1);

    private InferenceNode(ModelStore store, Models models, NodeServer server) {
        this.store = store;
        this.models = models;
        this.server = server;
    }

    /**
     * Starts a node: its port answers when this returns, while the default model is fetched and loaded in the background.
     *
     * @throws IOException where the address cannot be had, or the models folder or a file for TLS cannot be used
     * @throws IllegalArgumentException where the backend that is asked for cannot be on this machine
     * @throws dev.chasqui.llama.LlamaException where llama.cpp cannot be loaded on this machine
     */
    public static InferenceNode start(NodeConfiguration configuration) throws IOException {
        Catalogue catalogue = configuration.userCatalogue() == null
                ? Catalogue.builtIn()
                : Catalogue.withUserFile(configuration.userCatalogue());
        Backends backends = Backends.here(configuration.cacheFolder(), configuration.preparedLibraries());
        BackendChoice choice = backends.choose(configuration.backend());
        ModelStore store =
                new ModelStore(configuration.modelsFolder(), catalogue, StoreSettings.fromEnvironment(System.getenv()));
        store.prepare();
        Llama llama = Llama.load(configuration.cacheFolder());
        log.info("llama.cpp {}, {}", llama.version().release(), llama.systemInfo());
        Models models = new Models(llama, store, configuration.models());
        NodeServer server = new NodeServer(configuration.listen(), configuration.access(), VERSION, llama, models);
        InferenceNode node = new InferenceNode(store, models, server);
        log.info("node listens on {}:{}", configuration.listen().getHostString(), server.port());
        models.start(() -> prepare(backends, choice, llama, models));
        return node;
    }

    private static void prepare(Backends backends, BackendChoice choice, Llama llama, Models models) {
        try {
            backends.prepare(llama, choice, models::notice);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Its models, for whoever shows how far they are. */
    public Models models() {
        return models;
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /** Takes no more requests, lets running answers finish for so long, and closes. */
    public void shutdown(Duration patience) {
        int running = server.drain();
        models.drain();
        log.info("node takes no more requests and ends{}", running == 0 ? "" : ", after " + running + " that run");
        try {
            int left = server.awaitIdle(patience);
            if (left > 0) {
                log.warn("{} requests still run after {} s and are ended", left, patience.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
    }

    /** Waits until the node is closed. */
    public void awaitTermination() throws InterruptedException {
        ended.await();
    }

    @Override
    public void close() {
        server.close();
        models.close();
        store.close();
        ended.countDown();
    }
}
