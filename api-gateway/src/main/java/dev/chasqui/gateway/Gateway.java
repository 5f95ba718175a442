package dev.chasqui.gateway;

import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.conversations.Conversations;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.rest.History;
import dev.chasqui.gateway.rest.RestRoutes;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.streams.UserEvents;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.reactive.context.ReactiveWebServerApplicationContext;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;

/**
 * The gateway: an HTTP server in front of inference nodes. It answers as soon as it is started, whether or not a node
 * does.
 */
public final class Gateway implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Gateway.class);
    private static final int OK = 0;
    private static final int FAILED = 1;
    private static final int BAD_SETTINGS = 2;
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);
    /** What Spring Boot would say of a failed start at length is said here in one sentence. */
    private static final Map<String, Object> DEFAULTS = Map.ofEntries(
            Map.entry("logging.level.org.springframework.boot.diagnostics", "off"),
            Map.entry("logging.level.org.springframework.boot.SpringApplication", "off"),
            Map.entry("logging.level.org.springframework", "warn"),
            // The edge has said already what there is to say.
            Map.entry("logging.level.org.springframework.web.server.adapter", "off"),
            // What came after the end of a request, such as the client's hanging up.
            Map.entry("logging.level.reactor.core.publisher.Operators", "off"),
            // At "warn" it prints the headers of requests that it cannot read.
            Map.entry("logging.level.reactor.netty", "error"),
            // What they say of statements is not for logs; what matters is said by the database's owner.
            Map.entry("logging.level.org.flywaydb", "error"),
            Map.entry("logging.level.io.r2dbc", "error"),
            Map.entry("logging.pattern.console", "%d{HH:mm:ss.SSS} %-5p %c{0} - %m%n%wEx"));

    static {
        // Looking for lost buffers takes a stack trace now and then, also while a token is on its way.
        if (System.getProperty("io.netty.leakDetection.level") == null) {
            System.setProperty("io.netty.leakDetection.level", "disabled");
        }
    }

    private final ReactiveWebServerApplicationContext context;
    private final GatewaySettings settings;
    private final AtomicBoolean closing = new AtomicBoolean();

    private Gateway(ReactiveWebServerApplicationContext context, GatewaySettings settings) {
        this.context = context;
        this.settings = settings;
    }

    /** Runs the gateway until a signal ends it. Exits with 0 then, 2 for bad settings, 1 if it cannot start. */
    public static void main(String[] args) {
        System.exit(serve(args));
    }

    /** As {@link #main}, but returns the exit code. Takes over SIGTERM and SIGINT. */
    public static int serve(String... args) {
        return serve(() -> start(args));
    }

    /** As {@link #main}, but with these settings, and returns the exit code. Takes over SIGTERM and SIGINT. */
    public static int serve(GatewaySettings settings) {
        return serve(() -> start(settings));
    }

    /**
     * Starts with settings from arguments ({@code --chasqui.port=8081}), the environment and {@code application.yaml}.
     *
     * @throws BadSettingsException where one of them is not as it must be
     * @throws PortInUseException where somebody else listens there
     */
    public static Gateway start(String... args) {
        return start(environment -> settings(environment, GatewaySettings.class), null, args);
    }

    /**
     * Starts with these settings.
     *
     * @throws PortInUseException where somebody else listens there
     */
    public static Gateway start(GatewaySettings settings) {
        return start(environment -> settings, null);
    }

    /** As {@link #start(GatewaySettings)}, but the way it speaks comes not from the environment. */
    static Gateway start(GatewaySettings settings, DialectSettings dialects) {
        return start(environment -> settings, dialects);
    }

    private static Gateway start(
            Function<Environment, GatewaySettings> source, @Nullable DialectSettings dialects, String... args) {
        AtomicReference<GatewaySettings> settings = new AtomicReference<>();
        AtomicReference<BadSettingsException> bad = new AtomicReference<>();
        SpringApplication application = new SpringApplication(GatewayConfiguration.class);
        application.setWebApplicationType(WebApplicationType.REACTIVE);
        application.setBannerMode(Banner.Mode.OFF);
        application.setLogStartupInfo(false);
        application.setRegisterShutdownHook(false);
        application.setDefaultProperties(DEFAULTS);
        application.addInitializers((ApplicationContextInitializer<ConfigurableApplicationContext>) context -> {
            Environment environment = context.getEnvironment();
            DialectSettings words;
            try {
                settings.set(source.apply(environment));
                settings.get().requireWhole();
                words = dialects == null ? settings(environment, DialectSettings.class) : dialects;
            } catch (BadSettingsException e) {
                bad.set(e);
                throw new SpringApplication.AbandonedRunException(context);
            }
            context.getBeanFactory().registerSingleton("gatewaySettings", settings.get());
            context.getBeanFactory().registerSingleton("dialectSettings", words);
        });
        try {
            ConfigurableApplicationContext context = application.run(args);
            return new Gateway((ReactiveWebServerApplicationContext) context, settings.get()).begin();
        } catch (SpringApplication.AbandonedRunException e) {
            throw bad.get() == null ? e : bad.get();
        } catch (BeanCreationException e) {
            throw badSettings(e).map(RuntimeException.class::cast).orElse(e);
        }
    }

    private static <T> T settings(Environment environment, Class<T> type) {
        try {
            return Binder.get(environment).bindOrCreate("chasqui", Bindable.of(type));
        } catch (BindException e) {
            throw badSettings(e);
        }
    }

    private static BadSettingsException badSettings(BindException e) {
        Optional<BadSettingsException> told = badSettings((Throwable) e);
        if (told.isPresent()) {
            return told.get();
        }
        Class<?> type = e.getTarget().getType().resolve(Object.class);
        ConfigurationProperty property = e.getProperty();
        return new BadSettingsException(e.getName() + ": "
                + (property == null ? "not readable" : "\"" + property.getValue() + "\"")
                + " (expected: " + expected(type) + ")");
    }

    private static Optional<BadSettingsException> badSettings(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BadSettingsException bad) {
                return Optional.of(bad);
            }
        }
        return Optional.empty();
    }

    private static String expected(Class<?> type) {
        if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
            return "a whole number";
        }
        return type == Duration.class ? "a duration such as 10s" : "a value of type " + type.getSimpleName();
    }

    private Gateway begin() {
        context.getBean(NodeRouter.class).start();
        localNode().ifPresent(LocalNode::start);
        context.getBean(Database.class).open();
        context.getBean(Accounts.class).start();
        context.getBean(Metering.class).start();
        context.getBean(History.class).start();
        log.info("listening on http://{}:{}", settings.host(), port());
        return this;
    }

    /** The port it listens on. */
    public int port() {
        return Objects.requireNonNull(context.getWebServer()).getPort();
    }

    /** How far the default model is. */
    public Readiness readiness() {
        return context.getBean(NodeRouter.class).readiness();
    }

    /** Comes where the local node refuses its settings, which it has said on standard error; never where there is none. */
    public CompletableFuture<Void> nodeUnusable() {
        return localNode().map(LocalNode::unusable).orElseGet(CompletableFuture::new);
    }

    /** What it speaks. */
    Collection<Dialect> dialects() {
        return context.getBeansOfType(Dialect.class).values();
    }

    /** What {@code GET /openapi.json} answers: the description of all that can be asked, as JSON in UTF-8. */
    public static byte[] description() {
        return RestRoutes.description();
    }

    /** The product's version. */
    static String version() {
        String version = Gateway.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /**
     * Ends it: not ready from now on, lets running requests finish for a while, ends the local node and then itself.
     * Returns when all that is done.
     */
    @Override
    public void close() {
        if (!closing.compareAndSet(false, true)) {
            return;
        }
        NodeRouter nodes = context.getBean(NodeRouter.class);
        nodes.drain();
        localNode().ifPresent(LocalNode::expectEnd);
        Traffic traffic = context.getBean(Traffic.class);
        UserEvents events = context.getBean(UserEvents.class);
        Conversations conversations = context.getBean(Conversations.class);
        // Durable streams have no end; they are open until what they tell of has ended.
        if (!await(
                () -> traffic.inFlight() - events.open() + conversations.running(),
                settings.limits().shutdownGrace())) {
            log.warn("{} requests were still running and are ended", traffic.inFlight());
        }
        conversations.interrupt();
        await(conversations::running, LAST_WORDS);
        events.close();
        nodes.close();
        await(traffic::inFlight, LAST_WORDS);
        localNode().ifPresent(LocalNode::close);
        context.close();
        log.info("stopped");
    }

    private static boolean await(IntSupplier running, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            while (running.getAsInt() > 0 && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return running.getAsInt() <= 0;
    }

    private Optional<LocalNode> localNode() {
        return Optional.ofNullable(context.getBeanProvider(LocalNode.class).getIfAvailable());
    }

    private static int serve(java.util.function.Supplier<Gateway> start) {
        Gateway gateway;
        try {
            gateway = start.get();
        } catch (BadSettingsException e) {
            System.err.println("chasqui: " + e.getMessage());
            return BAD_SETTINGS;
        } catch (RuntimeException e) {
            System.err.println("chasqui: " + inOneSentence(e));
            return FAILED;
        }
        CountDownLatch ended = new CountDownLatch(1);
        StopSignals.onStop(() -> {
            gateway.close();
            ended.countDown();
        });
        try {
            ended.await();
        } catch (InterruptedException e) {
            gateway.close();
        }
        return OK;
    }

    private static @Nullable String inOneSentence(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof PortInUseException e) {
                return "port " + e.getPort() + " is in use by another program";
            }
        }
        return "cannot start: " + error;
    }
}
