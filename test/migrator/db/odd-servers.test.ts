import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { WholeMessages } from "../../../migrator/db/wire-messages";
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

/** A message of the protocol: type, length, body. */
function message(type: string, body: string): Buffer {
  const header = Buffer.from(`${type}....`, "latin1");
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, Buffer.from(body, "latin1")]);
}

const write = (bytes: Buffer | string) => (socket: Socket) => void socket.write(bytes);

const NOTICE = message("N", "SNOTICE\0\0");

test.each([
  ["goes silent", () => undefined, "did not answer within 2 s"],
  ["sends garbage", write("garbage, and no message at all"), "no message of Postgres' protocol: its type is unknown"],
  ["announces a message of 2 GB", write(Buffer.from([68, 127, 255, 255, 255, 0])), "a length of 2147483647 bytes"],
  ["announces a notice without an end", write(message("N", "SNOTICE")), "a text has no end"],
  ["sends an error whose fields go on behind its end", write(message("E", "SERROR\0")), "a text has no end"],
  ["sends a row whose value is longer than it", write(message("D", "\0\x01\0\0\0\x09x")), "a field ends outside"],
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

test("a server that sends a notice without an end in the middle of the work is given up, in words", async () => {
  const field = (name: string) => `${name}\0${"\0".repeat(18)}`;
  const opened = [
    message("T", `\0\x02${field("pid")}${field("version")}`),
    message("D", "\0\x02\0\0\0\x017\0\0\0\x06180000"),
    message("C", "SELECT 1\0"),
    message("Z", "I"),
  ];
  const answers = [Buffer.concat(opened), Buffer.concat([message("C", "SET\0"), message("Z", "I")])];
  const server = await fakeServer((socket) => void socket.write(answers.shift() ?? message("N", "SNOTICE")));
  try {
    const { exit, output } = await migrate(server.url, historyOf({ "1_a": "SELECT 1;" }), "deploy");
    expect(output).toContain("Connected to");
    expect(output).toMatch(/^FAILED \(connection-lost\): .*a text has no end/m);
    expect(output).toMatch(/^Database: what was not committed is rolled back/m);
    expect(exit).toBe(3);
  } finally {
    server.close();
  }
}, 20_000);

test("messages are complete and unchanged, however they are cut on their way", () => {
  const sent = Buffer.concat([
    ...[message("R", "\0\0\0\0"), message("S", "TimeZone\0UTC\0"), message("K", "12345678"), NOTICE],
    ...[message("T", `\0\x01a\0${"x".repeat(18)}`), message("D", "\0\x02\xff\xff\xff\xff\0\0\0\x02ab")],
    ...[message("D", `\0\x01\0\x01\x86\xa0${"y".repeat(100_000)}`), message("E", "SERROR\0C42P01\0M\0\0")],
    ...[message("A", "1234channel\0\0"), message("H", "\0\0\x01\0\0"), message("d", "row"), message("c", "")],
    ...[message("I", ""), message("C", "SELECT 1\0"), message("Z", "I")],
  ]);
  for (const size of [1, 2, 3, 5, 7, 64, 4096, 65_536, sent.length]) {
    const messages = new WholeMessages();
    const received: Buffer[] = [];
    for (let at = 0; at < sent.length; at += size) received.push(messages.add(sent.subarray(at, at + size)));
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  }
});

test.each([
  ["a negative number of fields", message("D", "\xff\xff")],
  ["a negative length of a value", message("D", "\0\x01\xff\xff\xff\xfe")],
  ["a status of 31,000 bytes", message("S", `a\0${"b".repeat(31_000)}\0`)],
  ["a length that is less than its own four bytes", Buffer.from([90, 0, 0, 0, 3, 73])],
  ["a number without its bytes", message("t", "\0\x01\0")],
  ["a list of logins without an end", message("R", "\0\0\0\x0aSCRAM-SHA-256\0")],
  ["a column without its type", message("T", "\0\x01a\0\0\0")],
])("%s is no message", (_, bytes) => {
  expect(() => new WholeMessages().add(bytes)).toThrow(/no message of Postgres' protocol/);
});

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
