// SPDX-License-Identifier: Apache-2.0
// usage: java SlowServer.java workers|pool PORT BACKLOG
// Reads a client's line and keeps its connection for 10 s, as one does that waits for a slow
// backend; then answers. workers: ten threads, each of which accepts for itself. pool: one thread
// accepts, and hands over to as many threads as there are clients.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.Executors;

public class SlowServer {
    private static final int WORKERS = 10;
    private static final int WORK_MILLISECONDS = 10_000;

    public static void main(String[] arguments) throws IOException {
        boolean pool = arguments[0].equals("pool");
        int port = Integer.parseInt(arguments[1]);
        int backlog = Integer.parseInt(arguments[2]);
        var server = new ServerSocket(port, backlog);
        if (pool) {
            acceptForPool(server);
            return;
        }
        for (int i = 0; i < WORKERS; i++) {
            new Thread(() -> acceptAndServe(server)).start();
        }
    }

    private static void acceptAndServe(ServerSocket server) {
        while (true) {
            try {
                serve(server.accept());
            } catch (IOException | InterruptedException gone) {
                // The client has left: the next one.
            }
        }
    }

    private static void acceptForPool(ServerSocket server) throws IOException {
        var pool = Executors.newCachedThreadPool();
        while (true) {
            Socket client = server.accept();
            pool.submit(() -> {
                serve(client);
                return null; // a Callable may throw
            });
        }
    }

    private static void serve(Socket client) throws IOException, InterruptedException {
        try (client) {
            new BufferedReader(new InputStreamReader(client.getInputStream())).readLine();
            Thread.sleep(WORK_MILLISECONDS);
            client.getOutputStream().write("served\n".getBytes());
        }
    }
}
