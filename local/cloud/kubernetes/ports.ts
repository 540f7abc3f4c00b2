import { createServer } from "node:net";

/**
 * The ports for pods. They lie below the range that systems use for outgoing connections (32768 and up on Linux, 49152
 * and up on macOS), because under load such a connection could take a port that a pod is about to open.
 */
const POD_PORTS: [number, number] = [20_000, 29_999];
/** Kubernetes' own range of node ports. */
const NODE_PORTS: [number, number] = [30_000, 32_767];

const taken = new Set<number>();

export async function takePodPort(): Promise<number> {
  return take(POD_PORTS);
}

export async function takeNodePort(): Promise<number> {
  return take(NODE_PORTS);
}

/** Reserves this port; false if it is in use. */
export async function takePort(port: number): Promise<boolean> {
  if (taken.has(port)) return false;
  taken.add(port);
  if ((await isFree(port, "127.0.0.1")) && (await isFree(port))) return true;
  taken.delete(port);
  return false;
}

export function givePortBack(port: number): void {
  taken.delete(port);
}

/** Reserves a port, starting at a random one, so that two clouds on one machine rarely try the same port. */
async function take([first, last]: [number, number]): Promise<number> {
  const count = last - first + 1;
  const start = Math.floor(Math.random() * count);
  for (let i = 0; i < count; i++) {
    const port = first + ((start + i) % count);
    if (await takePort(port)) return port;
  }
  throw new Error(`all TCP ports from ${first} to ${last} are in use`);
}

function isFree(port: number, host?: string): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once("error", () => answer(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => answer(true)));
  });
}
