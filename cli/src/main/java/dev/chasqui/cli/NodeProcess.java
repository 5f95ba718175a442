package dev.chasqui.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a gateway of this program starts the node that it watches over. */
final class NodeProcess {
    private NodeProcess() {}

    /**
     * The launcher's own way to a node, which knows the JVM's options; without it, this JVM and class path.
     *
     * @param listen where the node answers
     * @param arguments for {@code chasqui node}
     */
    static List<String> command(String listen, List<String> arguments) {
        List<String> command = new ArrayList<>();
        String launcher = System.getenv("CHASQUI_LAUNCHER");
        if (launcher != null) {
            command.add(launcher);
        } else {
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        }
        command.addAll(List.of("node", "--supervised", "--listen", listen));
        command.addAll(arguments);
        return command;
    }
}
