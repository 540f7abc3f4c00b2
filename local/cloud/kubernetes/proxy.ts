import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP port of this machine that forwards to a changing set of other ports. A new connection goes to the next backend
 * in turn; an open connection stays with its backend until either side closes it.
 */
export class TcpProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private turn = 0;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    readonly port: number,
    private readonly backends: () => number[],
  ) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.forward(client));
    this.server.on("error", (error) => {
      // Another program took the port while this cloud was stopped. The Service needs this port, so it is tried again.
      console.error(`port ${port} of a Service: ${error.message}`);
      this.retry = setTimeout(() => this.listen(), 1_000);
    });
    this.listen();
  }

  /** Accepts no new connections and closes the open ones. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((closed) => this.server.close(closed));
  }

  private listen(): void {
    if (!this.closed) this.server.listen({ host: "127.0.0.1", port: this.port, backlog: 511 });
  }

  private forward(client: Socket): void {
    this.track(client);
    const backends = this.backends();
    // Without a ready pod the connection is refused, as kube-proxy does.
    if (backends.length === 0) return void client.resetAndDestroy();
    this.turn = (this.turn + 1) % backends.length;
    this.dial(client, [...backends.slice(this.turn), ...backends.slice(0, this.turn)]);
  }

  /** Connects to the first backend that accepts: a crashed one may still be listed, and no data was sent to it yet. */
  private dial(client: Socket, [port, ...others]: number[]): void {
    if (port === undefined) return void client.resetAndDestroy();
    const backend = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.track(backend);
    const refused = () => {
      backend.destroy();
      if (!client.destroyed) this.dial(client, others);
    };
    const gone = () => backend.destroy();
    backend.once("error", refused);
    client.once("close", gone);
    backend.once("connect", () => {
      backend.off("error", refused);
      client.off("close", gone);
      this.join(client, backend);
    });
    client.on("error", () => undefined);
  }

  private join(client: Socket, backend: Socket): void {
    for (const [one, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      one.on("error", () => other.resetAndDestroy());
      one.once("close", () => other.destroySoon());
      one.pipe(other);
    }
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
  }
}
