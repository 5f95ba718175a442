package dev.chasqui.gateway.nodes;

/**
 * Where nodes are to be found.
 *
 * @param address a name or an address, and the port
 * @param everyAddress whether each address that the name has is a node of its own, also those that it has later
 */
public record NodeTarget(NodeAddress address, boolean everyAddress) {
    private static final String DNS = "dns:///";

    /**
     * Reads {@code host:port}, which is one node, or {@code dns:///name:port}, which is as many as the name has addresses.
     *
     * @throws IllegalArgumentException where it is neither
     */
    public static NodeTarget parse(String text) {
        return text.startsWith(DNS)
                ? new NodeTarget(NodeAddress.parse(text.substring(DNS.length())), true)
                : new NodeTarget(NodeAddress.parse(text), false);
    }
}
