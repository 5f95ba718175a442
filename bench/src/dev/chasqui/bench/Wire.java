package dev.chasqui.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A connection to a port on loopback that can be cut in two. */
final class Wire implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> ends = ConcurrentHashMap.newKeySet();

    Wire(int target) throws IOException {
        this.target = target;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Crowd.daemon(this::accept).start();
    }

    int port() {
        return listener.getLocalPort();
    }

    /** Breaks every connection; new ones can be made. */
    void cut() {
        ends.forEach(Wire::close);
        ends.clear();
    }

    private void accept() {
        try {
            while (true) {
                join(listener.accept());
            }
        } catch (IOException closed) {
            // It is over.
        }
    }

    private void join(Socket caller) {
        try {
            Socket called = new Socket(InetAddress.getLoopbackAddress(), target);
            ends.add(caller);
            ends.add(called);
            Crowd.daemon(() -> pump(caller, called)).start();
            Crowd.daemon(() -> pump(called, caller)).start();
        } catch (IOException nobody) {
            close(caller);
        }
    }

    private void pump(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException broken) {
            // So is the other end.
        } finally {
            close(from);
            close(to);
            ends.remove(from);
            ends.remove(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            // It was.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }
}
