import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../embedded/ports";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, startMigrator, until } from "../support";

const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

/**
 * A stand-in for an Aurora cluster that was paused: it takes connections and answers nothing, until it is woken up. Then
 * it leads to a real server.
 */
async function pausedServer() {
  const sockets = new Set<Socket>();
  let awake = false;
  let tries = 0;
  const proxy: Server = createServer((client) => {
    tries++;
    sockets.add(client.on("error", () => undefined));
    if (!awake) return void client.resume();
    const direct = dial(server.port, "127.0.0.1");
    sockets.add(direct.on("error", () => client.destroy()));
    client.on("close", () => direct.destroy());
    client.pipe(direct).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    tries: () => tries,
    wake: () => {
      awake = true;
    },
    close: () => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const status = (port: number, parameters: string, ...args: string[]) =>
  startMigrator(["status", "--migrations", directory, ...args], {
    DATABASE_URL: `${server.url.replace(`:${server.port}/`, `:${port}/`)}?${parameters}`,
  });

describe("a server that doesn't answer", () => {
  test("is waited for: an Aurora cluster that was paused wakes up", async () => {
    const paused = await pausedServer();
    try {
      const running = status(paused.port, "connect_timeout=1", "--connect-wait", "60s");
      await until(() => paused.tries() >= 2, "a second try", 60_000);
      paused.wake();
      const { exit, output } = await running.ended;
      expect({ exit, output }).toMatchObject({ exit: 10 });
      expect(output.match(/No connection yet \(timeout expired\); trying again for 1 min\./g)).toHaveLength(1);
    } finally {
      paused.close();
    }
  });

  test("is given up after --connect-wait, and the message names what may be in the way", async () => {
    const paused = await pausedServer();
    try {
      const { exit, output } = await status(paused.port, "connect_timeout=1", "--connect-wait", "2s").ended;
      expect(exit).toBe(3);
      expect(output).toMatch(/FAILED \(unreachable\): .*no answer within 1 s \(connect_timeout\), tried again for/);
      expect(output).toMatch(/Next: .*firewall or NetworkPolicy.*migrations\.connectWait/);
    } finally {
      paused.close();
    }
  });
});

test("a port at which nothing listens yet is tried again", async () => {
  const port = await freePort();
  const running = status(port, "", "--connect-wait", "60s");
  await until(() => running.output().includes("No connection yet"), "the first try", 60_000);
  const late = createServer((client) => {
    const direct = dial(server.port, "127.0.0.1");
    for (const socket of [client, direct]) socket.on("error", () => undefined);
    client.pipe(direct).pipe(client);
    client.on("close", () => direct.destroy());
  }).listen(port, "127.0.0.1");
  try {
    expect(await running.ended).toMatchObject({ exit: 10, output: expect.stringContaining("ECONNREFUSED") });
  } finally {
    late.close();
  }
});
