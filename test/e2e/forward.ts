import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";

export interface Forward {
  host: string;
  port: number;
  close(): void;
}

/** Lets pods reach a port of this machine's loopback, at the address that this machine has towards the node. */
export async function forwardFor(node: string, port: number): Promise<Forward> {
  const host = await addressTowards(node);
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = dial(port, "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The routing table knows it; nothing is sent. */
async function addressTowards(node: string): Promise<string> {
  const socket = createSocket("udp4");
  socket.connect(9, node);
  await once(socket, "connect");
  const { address } = socket.address();
  socket.close();
  return address;
}
