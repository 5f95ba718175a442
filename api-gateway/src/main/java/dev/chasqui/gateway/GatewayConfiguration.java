package dev.chasqui.gateway;

import dev.chasqui.gateway.access.AccessCheck;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Identities;
import dev.chasqui.gateway.accounts.Keys;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.Pings;
import dev.chasqui.gateway.anthropic.AnthropicRoutes;
import dev.chasqui.gateway.conversations.ConversationSettings;
import dev.chasqui.gateway.conversations.Conversations;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.Takeovers;
import dev.chasqui.gateway.oauth.OAuth;
import dev.chasqui.gateway.openai.OpenAiRoutes;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.rest.History;
import dev.chasqui.gateway.rest.RestRoutes;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.streams.UserEvents;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.reactive.ReactiveWebServerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.server.reactive.HttpHandler;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;

/**
 * The wiring, all of it and by hand: the gateway has no use for most of what would be configured by itself, and is up
 * sooner without it.
 */
@Configuration(proxyBeanMethods = false)
class GatewayConfiguration {
    /** Of the heap for requests as they came: read and rewritten, they take five times as much for a moment. */
    private static final int BODIES_SHARE = 16;

    @Bean
    Clock clock() {
        return Clock.systemUTC();
    }

    @Bean
    EventLoop eventLoop() {
        return new EventLoop("chasqui");
    }

    @Bean
    NodeRouter nodeRouter(GatewaySettings settings, PrometheusMeterRegistry registry, EventLoop loop) {
        try {
            return new NodeRouter(
                    settings.nodeTargets(),
                    settings.nodeCredentials(),
                    settings.limits().nodeSilence(),
                    new Takeovers(settings.limits().takeoverPatience(), registry),
                    loop);
        } catch (IllegalArgumentException unusable) {
            throw new BadSettingsException("chasqui.node-tls." + unusable.getMessage());
        }
    }

    @Bean
    @Nullable
    LocalNode localNode(GatewaySettings settings, NodeRouter nodes) {
        if (settings.localNode().command().isEmpty()) {
            return null;
        }
        LocalNode node = new LocalNode(settings.localNode().command(), nodes::hurry);
        nodes.supervised(node::killHanging);
        return node;
    }

    @Bean
    PrometheusMeterRegistry meterRegistry() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }

    @Bean
    History history(NodeRouter nodes, EventLoop loop, Clock clock) {
        return new History(nodes, loop, clock);
    }

    @Bean
    Traffic traffic(PrometheusMeterRegistry registry, History history) {
        return new Traffic(registry, history::firstToken);
    }

    @Bean
    RequestBody requestBody(GatewaySettings settings, EventLoop loop) {
        return new RequestBody(
                settings.limits().maxBodyBytes(), Runtime.getRuntime().maxMemory() / BODIES_SHARE, loop);
    }

    @Bean
    Answers answers(GatewaySettings settings, EventLoop loop) {
        GatewaySettings.Limits limits = settings.limits();
        return new Answers(
                loop,
                new Pings(limits.firstPing().toMillis(), limits.pingInterval().toMillis()));
    }

    @Bean
    OpenAiRoutes openAiRoutes(
            NodeRouter nodes, RequestBody bodies, Answers answers, DialectSettings dialects, Clock clock) {
        return new OpenAiRoutes(nodes, bodies, answers, dialects.modelNames(), dialects.reasoningField(), clock);
    }

    @Bean
    AnthropicRoutes anthropicRoutes(NodeRouter nodes, RequestBody bodies, Answers answers, DialectSettings dialects) {
        return new AnthropicRoutes(nodes, bodies, answers, dialects.modelNames());
    }

    @Bean
    Database database(GatewaySettings settings, EventLoop loop) {
        return new Database(settings.conversations().address(), loop);
    }

    @Bean
    Authentication authentication(
            GatewaySettings settings,
            Database database,
            EventLoop loop,
            Clock clock,
            PrometheusMeterRegistry registry) {
        return new Authentication(settings.accounts().resolved(settings.apiKeys()), database, loop, clock, registry);
    }

    @Bean
    Accounts accounts(
            GatewaySettings settings,
            Database database,
            Authentication authentication,
            EventLoop loop,
            PrometheusMeterRegistry registry,
            Clock clock) {
        return new Accounts(
                settings.accounts().resolved(settings.apiKeys()), database, authentication, loop, registry, clock);
    }

    @Bean
    Identities identities(Accounts accounts, Clock clock) {
        return new Identities(accounts, clock);
    }

    @Bean
    OAuth oauth(GatewaySettings settings, Database database, EventLoop loop, Clock clock) {
        return new OAuth(settings.accounts().gitHubApp(), settings.accounts().appleApp(), database, loop, clock);
    }

    @Bean
    Keys keys(Database database, Authentication authentication, Clock clock) {
        return new Keys(database, authentication, clock);
    }

    @Bean
    Metering metering(
            GatewaySettings settings,
            Database database,
            EventLoop loop,
            Clock clock,
            PrometheusMeterRegistry registry) {
        return new Metering(database, loop, MachineName.with(settings.port()), clock, registry);
    }

    @Bean
    UserEvents userEvents(
            GatewaySettings settings,
            Database database,
            EventLoop loop,
            PrometheusMeterRegistry registry,
            Clock clock) {
        return new UserEvents(database, loop, settings.conversations().streams(), registry, clock);
    }

    @Bean
    Conversations conversations(
            GatewaySettings settings,
            Database database,
            UserEvents events,
            NodeRouter nodes,
            EventLoop loop,
            Traffic traffic,
            Accounts accounts,
            Clock clock) {
        GatewaySettings.Stored stored = settings.conversations();
        Conversations conversations = new Conversations(
                database,
                events,
                nodes,
                loop,
                new ConversationSettings(
                        stored.maxHistoryMessages(), stored.titles(), stored.undo(), MachineName.with(settings.port())),
                traffic::generated,
                clock);
        accounts.alsoRemoved(conversations::removeAll);
        return conversations;
    }

    @Bean
    RestRoutes restRoutes(
            NodeRouter nodes,
            RequestBody bodies,
            Answers answers,
            DialectSettings dialects,
            ObjectProvider<LocalNode> localNode,
            PrometheusMeterRegistry registry,
            Clock clock,
            Database database,
            Conversations conversations,
            UserEvents events,
            Accounts accounts,
            Keys keys,
            Metering metering,
            Authentication authentication,
            Identities identities,
            OAuth oauth,
            History history) {
        NodeMetrics nodeMetrics = new NodeMetrics(nodes, localNode.getIfAvailable());
        return new RestRoutes(
                nodes,
                bodies,
                answers,
                dialects.modelNames(),
                localNode.getIfAvailable(),
                Gateway.version(),
                () -> registry.scrape() + nodeMetrics.scrape(),
                clock,
                database,
                conversations,
                events,
                accounts,
                keys,
                metering,
                authentication,
                identities,
                oauth,
                history);
    }

    @Bean
    HttpHandler httpHandler(
            GatewaySettings settings,
            AnthropicRoutes anthropic,
            OpenAiRoutes openAi,
            RestRoutes rest,
            Authentication authentication,
            Metering metering,
            EventLoop loop,
            Traffic traffic) {
        AccessCheck access = new AccessCheck(settings.host(), settings.allowedHosts(), settings.corsOrigins());
        Edge edge = new Edge(
                access,
                authentication,
                metering,
                List.of(anthropic, openAi, rest),
                rest,
                new StaticPage(loop),
                traffic);
        return WebHttpHandlerBuilder.webHandler(edge).build();
    }

    @Bean
    ReactiveWebServerFactory webServerFactory(GatewaySettings settings, EventLoop loop) {
        NettyReactiveWebServerFactory factory = new NettyReactiveWebServerFactory(settings.port());
        factory.setAddress(settings.address());
        GatewaySettings.Limits limits = settings.limits();
        factory.addServerCustomizers(server -> server.runOn(loop.resources())
                .idleTimeout(limits.idleTimeout())
                .requestTimeout(limits.requestTimeout())
                .httpRequestDecoder(decoder ->
                        decoder.maxHeaderSize(limits.maxHeaderBytes()).maxInitialLineLength(limits.maxHeaderBytes())));
        return factory;
    }
}
