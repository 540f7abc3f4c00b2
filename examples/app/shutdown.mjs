/**
 * Ends the server on SIGTERM (and Ctrl-C) without losing a request behind a proxy that keeps connections alive:
 *
 * 1. go on accepting and answering, for the proxy may take a moment to learn that this pod is leaving; each answer says
 *    `Connection: close`, so that its client opens the next connection to another pod;
 * 2. when no connection is left, or after {@link DRAIN}, stop listening and close the idle ones;
 * 3. when the last running request is answered, or after {@link GRACE}, let go of the database and end.
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
  // Before the handler, so that an answer which began before the signal carries it too.
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

/** Milliseconds without any connection after which nobody is expected any more. */
const QUIET = 500;
/** Milliseconds after which idle connections are closed: below the pod's termination grace, its preStop pause deducted. */
const DRAIN = 8_000;
/** Milliseconds in which running requests must be answered. */
const GRACE = 18_000;
