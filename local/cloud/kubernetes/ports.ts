import { createServer } from "node:net";

/**
 * Free TCP ports outside the range from which systems take the near end of outgoing connections (32768 and up on Linux,
 * 49152 and up on macOS): under load those would run into a port that a pod is just about to open.
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

/** Takes this very port; false when somebody has it. */
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

/** Starts at a random place, so that two clouds on one machine rarely ask for the same port. */
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
