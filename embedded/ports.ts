import { randomInt } from "node:crypto";
import net from "node:net";

/**
 * Returns a port of 127.0.0.1 on which nothing listens. It lies below the range that operating systems use for outgoing
 * connections (Linux from 32768, macOS from 49152), so that it is still free when a stopped server starts again.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(15_400, 29_900);
    if (await isFree(port)) return port;
  }
  throw new Error("No free TCP port was found on 127.0.0.1 between 15400 and 29900; nothing was started.");
}

export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
