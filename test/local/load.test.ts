import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { startLoad } from "../../local/demo/load";
import { until } from "./cli";

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Loads until so many requests were served; what the server counted beside what the load says. */
async function load(requests: number, answer: (n: number, ...args: Parameters<RequestListener>) => void) {
  let served = 0;
  const url = await serve((request, response) => answer(++served, request, response));
  const running = startLoad({ url, connections: 5, rate: 1_000 });
  await until(() => served >= requests, `${requests} requests`);
  await running.stop();
  return { served, ...running.counts(), failures: running.failures() };
}

describe("the demo's load", () => {
  test("counts what is answered", async () => {
    const { served, answered, failed } = await load(200, (_n, _request, response) => response.end("{}"));
    expect(failed).toBe(0);
    // Those on their way at the end are in neither number.
    expect(served - answered).toBeLessThanOrEqual(5);
  });

  test("counts every request whose connection ends without an answer", async () => {
    let dropped = 0;
    const { failed, failures } = await load(300, (n, request, response) => {
      // Not among the last, which may be on their way when the load ends.
      if (n % 40 !== 0 || n > 250) return void response.end("{}");
      dropped++;
      request.socket.destroy();
    });
    expect(dropped).toBe(6);
    expect(failed).toBe(dropped);
    expect(failures[0]).toContain("no answer");
  });

  test("counts no failure when the server asks to close the connection, and sends nothing more on it", async () => {
    const after: string[] = [];
    const { failed } = await load(300, (n, request, response) => {
      const socket = request.socket as typeof request.socket & { closing?: boolean };
      if (socket.closing) after.push(request.url!);
      if (n % 3 === 0) {
        socket.closing = true;
        response.setHeader("connection", "close");
      }
      response.end("{}");
    });
    expect(failed).toBe(0);
    expect(after).toEqual([]);
  });

  test("counts an answer that is no success, and tells what was asked and said", async () => {
    let refused = 0;
    const { failed, failures } = await load(100, (n, _request, response) => {
      if (n % 20 === 0) {
        refused++;
        response.statusCode = 503;
      }
      response.end('{"error":"the database is not available"}\n');
    });
    expect(failed).toBeGreaterThanOrEqual(refused - 1);
    expect(failures[0]).toMatch(
      / (GET|POST) \/(notes|health): HTTP status 503 {"error":"the database is not available"}$/,
    );
  });
});
