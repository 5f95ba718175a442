package dev.chasqui.gateway;

import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeState;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.proto.v1.EngineStatus;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes say of themselves, as Prometheus reads it. Written from the last status at each scrape: their counters
 * are theirs, not ours, and models come and go.
 */
final class NodeMetrics {
    private record Family(String name, String type, String help, ToDoubleFunction<EngineStatus> value) {}

    private static final List<Family> ENGINE = List.of(
            gauge("slots", "Sequences computed at once.", EngineStatus::getSlots),
            gauge("slots_in_use", "Sequences being computed.", EngineStatus::getSlotsInUse),
            gauge("queue_depth", "Requests that wait for a slot.", EngineStatus::getQueued),
            gauge("queue_capacity", "Requests that may wait.", EngineStatus::getQueueCapacity),
            gauge("kv_tokens_used", "Tokens in the KV cache.", EngineStatus::getKvTokensUsed),
            gauge("kv_tokens_capacity", "Tokens that the KV cache can hold.", EngineStatus::getKvTokensCapacity),
            gauge(
                    "completion_tokens_per_second",
                    "Generated tokens per second, of the last seconds.",
                    EngineStatus::getCompletionTokensPerSecond),
            counter("requests_total", "Requests.", EngineStatus::getRequestsTotal),
            counter("requests_cancelled_total", "Requests that were cancelled.", EngineStatus::getRequestsCancelled),
            counter("requests_rejected_total", "Requests that were refused.", EngineStatus::getRequestsRejected),
            counter("prompt_tokens_total", "Prompt tokens.", EngineStatus::getPromptTokensTotal),
            counter("cached_tokens_total", "Prompt tokens found in the cache.", EngineStatus::getCachedTokensTotal),
            counter("completion_tokens_total", "Generated tokens.", EngineStatus::getCompletionTokensTotal),
            counter(
                    "drafted_tokens_total",
                    "Tokens that were guessed and computed ahead.",
                    EngineStatus::getDraftedTokensTotal),
            counter("accepted_tokens_total", "Guessed tokens that came true.", EngineStatus::getAcceptedTokensTotal),
            counter("steps_total", "Steps of the engine.", EngineStatus::getStepsTotal));

    private final NodeRouter nodes;
    private final @Nullable LocalNode localNode;

    NodeMetrics(NodeRouter nodes, @Nullable LocalNode localNode) {
        this.nodes = nodes;
        this.localNode = localNode;
    }

    String scrape() {
        StringBuilder out = new StringBuilder();
        List<NodeView> views = nodes.views();
        header(out, "chasqui_node_up", "gauge", "Whether the node answers.");
        views.forEach(view -> sample(out, "chasqui_node_up", view, null, answers(view) ? 1 : 0));
        header(out, "chasqui_nodes", "gauge", "Nodes by how they are.");
        NodeState.count(views)
                .forEach((state, count) -> out.append("chasqui_nodes{state=\"")
                        .append(state.word())
                        .append("\"} ")
                        .append(count)
                        .append('\n'));
        header(
                out,
                "chasqui_request_retries_total",
                "counter",
                "Requests that went to another node, because one refused them or was gone before it answered.");
        out.append("chasqui_request_retries_total ").append(nodes.retries()).append('\n');
        header(out, "chasqui_requests_waiting_for_node", "gauge", "Requests that wait because no node takes any.");
        out.append("chasqui_requests_waiting_for_node ").append(nodes.waiting()).append('\n');
        header(out, "chasqui_node_requests_in_flight", "gauge", "Requests of this gateway that the node works on.");
        views.forEach(view -> sample(out, "chasqui_node_requests_in_flight", view, null, view.inFlight()));
        if (localNode != null) {
            header(out, "chasqui_local_node_restarts_total", "counter", "Restarts of the supervised node.");
            out.append("chasqui_local_node_restarts_total ")
                    .append(localNode.status().restarts())
                    .append('\n');
        }
        for (Family family : ENGINE) {
            header(out, family.name(), family.type(), family.help());
            for (NodeView view : views) {
                if (view.reachable()) {
                    for (EngineStatus engine : view.status().getEnginesList()) {
                        double value = family.value().applyAsDouble(engine);
                        sample(out, family.name(), view, engine.getModel(), value);
                    }
                }
            }
        }
        return out.toString();
    }

    private static boolean answers(NodeView view) {
        return view.state() == NodeState.UP || view.state() == NodeState.DRAINING;
    }

    private static void header(StringBuilder out, String name, String type, String help) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private static void sample(StringBuilder out, String name, NodeView view, @Nullable String model, double value) {
        Function<String, String> quoted =
                text -> '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
        out.append(name).append("{node=").append(quoted.apply(view.address().toString()));
        if (model != null) {
            out.append(",model=").append(quoted.apply(model));
        }
        out.append("} ");
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            out.append((long) value);
        } else {
            out.append(value);
        }
        out.append('\n');
    }

    private static Family gauge(String name, String help, ToDoubleFunction<EngineStatus> value) {
        return new Family("chasqui_engine_" + name, "gauge", help, value);
    }

    private static Family counter(String name, String help, ToDoubleFunction<EngineStatus> value) {
        return new Family("chasqui_engine_" + name, "counter", help, value);
    }
}
