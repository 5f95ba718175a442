package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Two network namespaces with a cable between them: as far as the network goes, two hosts. */
final class TwoHosts implements AutoCloseable {
    static final String FIRST_ADDRESS = "10.213.7.1";
    static final String SECOND_ADDRESS = "10.213.7.2";

    private final String first = "chasqui-a-" + ProcessHandle.current().pid();
    private final String second = "chasqui-b-" + ProcessHandle.current().pid();

    private TwoHosts() {}

    /** Where this machine does not let anybody make namespaces the test is left out, aloud. */
    static TwoHosts connected() {
        TwoHosts hosts = new TwoHosts();
        if (!hosts.connect()) {
            hosts.close();
            String sentence = "This user may not make network namespaces, so two hosts cannot be tried.";
            System.err.println("\n*** " + sentence + " ***\n");
            Assumptions.abort(sentence);
        }
        return hosts;
    }

    private boolean connect() {
        return ip("netns add " + first)
                && ip("netns add " + second)
                && ip("link add cable netns " + first + " type veth peer name cable netns " + second)
                && ip("-n " + first + " addr add " + FIRST_ADDRESS + "/24 dev cable")
                && ip("-n " + second + " addr add " + SECOND_ADDRESS + "/24 dev cable")
                && ip("-n " + first + " link set lo up")
                && ip("-n " + second + " link set lo up")
                && plug(true);
    }

    /** Pulls the cable, which neither host is told of in time, or puts it in again. */
    boolean plug(boolean in) {
        String state = in ? " up" : " down";
        return ip("-n " + first + " link set cable" + state) && ip("-n " + second + " link set cable" + state);
    }

    /** What a command needs in front of it to run on the first host. */
    List<String> onFirst() {
        return List.of("ip", "netns", "exec", first);
    }

    /** The same for the second. */
    List<String> onSecond() {
        return List.of("ip", "netns", "exec", second);
    }

    /** The output of a command on the first host. */
    String outputOnFirst(String... command) throws IOException {
        List<String> all = new ArrayList<>(onFirst());
        all.addAll(List.of(command));
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), UTF_8);
    }

    private static boolean ip(String arguments) {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments.split(" ")));
        try {
            return new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException noSuchProgram) {
            return false;
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    @Override
    public void close() {
        ip("netns del " + first);
        ip("netns del " + second);
    }
}
