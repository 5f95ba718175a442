package dev.chasqui.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/** What processes take of the machine, as Linux counts it. */
final class Watched {
    private final ProcessHandle process;

    /** @param process with all its children */
    Watched(ProcessHandle process) {
        this.process = process;
    }

    /**
     * At a moment.
     *
     * @param threads that live, by their number
     * @param residentBytes of memory
     */
    record Sample(long atNanos, Map<String, Thread> threads, long residentBytes) {
        double secondsSince(Sample from) {
            return (atNanos - from.atNanos) / 1e9;
        }

        /** Time on a core since then, of the threads that live now. */
        long cpuNanosSince(Sample from) {
            return since(from, Thread::cpuNanos);
        }

        /** How often one of the threads that live now had waited and went on. */
        long wakeUpsSince(Sample from) {
            return since(from, Thread::wakeUps);
        }

        private long since(Sample from, ToLongFunction<Thread> figure) {
            long sum = 0;
            for (Map.Entry<String, Thread> thread : threads.entrySet()) {
                Thread before = from.threads.getOrDefault(thread.getKey(), Thread.NEW);
                sum += figure.applyAsLong(thread.getValue()) - figure.applyAsLong(before);
            }
            return sum;
        }
    }

    /** What a thread has taken since it began. */
    record Thread(long cpuNanos, long wakeUps) {
        static final Thread NEW = new Thread(0, 0);
    }

    Sample sample() {
        Map<String, Thread> threads = new HashMap<>();
        long resident = 0;
        for (ProcessHandle handle :
                Stream.concat(Stream.of(process), process.descendants()).toList()) {
            Path folder = Path.of("/proc/" + handle.pid());
            for (Path task : tasks(folder)) {
                // The first number is the time on a core.
                threads.put(
                        task.getFileName().toString(),
                        new Thread(
                                Long.parseLong(text(task.resolve("schedstat"), "0 ").split(" ")[0]),
                                field(task.resolve("status"), "voluntary_ctxt_switches:")));
            }
            resident += field(folder.resolve("status"), "VmRSS:") * 1024;
        }
        return new Sample(System.nanoTime(), threads, resident);
    }

    private static List<Path> tasks(Path folder) {
        List<Path> tasks = new ArrayList<>();
        try (Stream<Path> all = Files.list(folder.resolve("task"))) {
            all.forEach(tasks::add);
        } catch (IOException | UncheckedIOException e) {
            // It has ended.
        }
        return tasks;
    }

    private static long field(Path file, String name) {
        return text(file, "")
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }

    private static String text(Path file, String otherwise) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return otherwise;
        }
    }
}
