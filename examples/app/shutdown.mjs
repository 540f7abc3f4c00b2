/**
 * Ends the server on SIGTERM and Ctrl-C without losing a request, behind a proxy that keeps connections alive:
 *
 * 1. The server keeps accepting and answering, because the proxy may notice late that this pod is ending. Each answer
 *    has `Connection: close`, so that the client opens its next connection to another pod.
 * 2. When no connection is left, or after {@link DRAIN}, the server stops listening and closes idle connections.
 * 3. When the last running request is answered, or after {@link GRACE}, it closes its database connections and ends.
 */
export function drainOnSignal(server, release) {
  const connections = new Set();
  let draining = false;
  let lastSeen = 0;

  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => {
      connections.delete(socket);
      lastSeen = Date.now();
    });
  });
  // This runs before the handler, so that an answer which began before the signal has the header too.
  server.prependListener("request", (_request, response) => {
    const { writeHead } = response;
    response.writeHead = (...head) => {
      if (draining) response.setHeader("connection", "close");
      return writeHead.apply(response, head);
    };
  });

  const drain = async () => {
    if (draining) return;
    draining = true;
    const started = Date.now();
    lastSeen = started;
    console.log(`leaving: ${connections.size} connections to drain`);
    const quiet = () => connections.size === 0 && Date.now() - lastSeen >= QUIET;
    while (!quiet() && Date.now() - started < DRAIN) await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = new Promise((resolve) => server.close(resolve));
    const timer = setTimeout(() => server.closeAllConnections(), GRACE - (Date.now() - started));
    await closed;
    clearTimeout(timer);
    await release();
    console.log("left: every request was answered");
  };
  process.on("SIGTERM", () => void drain());
  process.on("SIGINT", () => void drain());
}

/** The milliseconds without any connection after which no further one is expected. */
const QUIET = 500;
/** The milliseconds until idle connections are closed; less than the pod's termination grace minus its preStop. */
const DRAIN = 8_000;
/** The milliseconds within which running requests must be answered. */
const GRACE = 18_000;
