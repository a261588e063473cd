// SPDX-License-Identifier: Apache-2.0
// usage: java OneAtATime.java PORT BACKLOG
// Reads what a client asks, up to an empty line, and answers before it accepts the next.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;

public class OneAtATime {
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        int backlog = Integer.parseInt(arguments[1]);
        var server = new ServerSocket(port, backlog);
        while (true) {
            try (Socket client = server.accept()) {
                serve(client);
            } catch (IOException gone) {
                // The client has left: the next one.
            }
        }
    }

    private static void serve(Socket client) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(client.getInputStream()));
        String line = lines.readLine();
        while (line != null && !line.isEmpty()) {
            line = lines.readLine();
        }
        client.getOutputStream().write("served\n".getBytes());
    }
}
