import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { historyOf, migrate } from "../support";

/** Not a Postgres: a fake that accepts any login and then does what the test says with each message. */
async function fakeServer(then: (socket: Socket) => void) {
  const server = createServer((socket) => {
    let loggedIn = false;
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (loggedIn) return then(socket);
      // SSLRequest: no. Otherwise AuthenticationOk and ReadyForQuery.
      if (data.readInt32BE(4) === 80877103) return void socket.write("N");
      loggedIn = true;
      socket.write(Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0, 90, 0, 0, 0, 5, 73]));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `postgresql://a:b@127.0.0.1:${port}/x?connect_timeout=2`, close: () => server.close() };
}

const NOTICE = Buffer.from([78, 0, 0, 0, 13, ...Buffer.from("SNOTICE"), 0, 0]);

test.each([
  ["goes silent", () => undefined, "did not answer within 2 s"],
  ["sends garbage", (socket: Socket) => void socket.write("garbage, and no message at all"), "The"],
  [
    "announces a message of 2 GB",
    (socket: Socket) => void socket.write(Buffer.from([68, 127, 255, 255, 255, 0])),
    "did not answer within 2 s",
  ],
  [
    "floods notices",
    (socket: Socket) => void setInterval(() => socket.writable && socket.write(NOTICE), 1).unref(),
    "did not answer within 2 s",
  ],
])(
  "a server that %s after the login is given up, in words",
  async (_, then, message) => {
    const server = await fakeServer(then);
    try {
      const { exit, output } = await migrate(server.url, historyOf({ "1_a": "SELECT 1;" }), "deploy");
      expect(output).toContain(message);
      expect(output).not.toMatch(/^ {4}at /m);
      expect(exit).toBe(3);
    } finally {
      server.close();
    }
  },
  20_000,
);

test.each([
  ["5,000 queries joined by UNION ALL", `SELECT 1${" UNION ALL SELECT 1".repeat(5_000)};`, "joins too many queries"],
  ["50,000 comments in each other", `SELECT 1 ${"/*".repeat(50_000)}${"*/".repeat(50_000)};`, "more than 1000 deep"],
  ["a value of 100,000 characters", `SELECT '${"x".repeat(100_000)}';`, "nothing: it is read"],
])("%s are planned in seconds, or refused in words", async (_, sql, message) => {
  await loadParser();
  const began = performance.now();
  const { error } = planMigration({ name: "1_a", sql, checksum: "" });
  // How many joined queries fit depends on the stack that the process has.
  if (error) expect(error.message).toContain(message);
  else expect(message).not.toBe("more than 1000 deep");
  expect(performance.now() - began).toBeLessThan(10_000);
});
