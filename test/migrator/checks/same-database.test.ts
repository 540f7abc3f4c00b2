import { createServer, connect as open, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query } from "../support";

let postgres: TestPostgres;
/** A load balancer in front of the server, on a port of its own. */
let balancer: Server;
let url: string;
const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  balancer = createServer((client) => {
    const server = open(postgres.port, "127.0.0.1");
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((ready) => balancer.listen(0, "127.0.0.1", ready));
});
afterAll(async () => {
  balancer.close();
  await postgres.stop();
});

/** The connection string with another host or port. */
function at(change: { hostname?: string; port?: number }): string {
  const changed = new URL(url);
  if (change.hostname !== undefined) changed.hostname = change.hostname;
  if (change.port !== undefined) changed.port = String(change.port);
  return changed.href;
}

const balanced = () => at({ port: (balancer.address() as { port: number }).port });
const look = (of: string, ...args: string[]) => preflightCheck(of, directory, "same-database", ...args);

describe("the snapshot is of the database that is migrated", () => {
  test("where host and port are the endpoint's, in any case and with a dot at the end", async () => {
    const found = await look(url, "--database-endpoint", `127.0.0.1:${postgres.port}`);
    expect(found).toMatchObject({ outcome: "ok" });
    expect(found.text).toContain("by host and port");
    expect(
      await look(at({ hostname: "localhost" }), "--database-endpoint", `LOCALHOST.:${postgres.port}`),
    ).toMatchObject({
      outcome: "ok",
    });
  });

  test("where a name of its own leads to the endpoint's address", async () => {
    const found = await look(at({ hostname: "localhost" }), "--database-endpoint", `127.0.0.1:${postgres.port}`);
    expect(found).toMatchObject({ outcome: "ok" });
    expect(found.text).toContain("by address and port");
  });

  test("where the server behind a load balancer says so of itself", async () => {
    const found = await look(balanced(), "--database-endpoint", `127.0.0.1:${postgres.port}`);
    expect(found).toMatchObject({ outcome: "ok" });
    expect(found.text).toContain("by what the server says of itself");
  });

  test("where one of a cluster's endpoints is the connection's", async () => {
    const endpoints = `writer.invalid:5432,127.0.0.1:${postgres.port}`;
    expect(await look(url, "--database-endpoint", endpoints)).toMatchObject({ outcome: "ok" });
  });
});

describe("another database is refused, with both endpoints shown", () => {
  test("on another port of the same host", async () => {
    const { exit, outcome, output } = await look(balanced(), "--database-endpoint", "127.0.0.1:1");
    expect({ exit, outcome }).toEqual({ exit: 3, outcome: "fail" });
    const { port } = balancer.address() as { port: number };
    for (const line of [
      "The connection string leads to another database than the one that the snapshot is taken of.",
      "the snapshot's database: 127.0.0.1:1",
      `the connection: 127.0.0.1:${port}`,
      `the server says of itself: 127.0.0.1:${postgres.port}`,
      "for a tunnel: database.endpointCheck: off",
    ])
      expect(output).toContain(line);
    expect(output).not.toContain(new URL(url).password);
  });

  test("at a host that can't be found here", async () => {
    const { outcome, output } = await look(url, "--database-endpoint", `notes-db.invalid:${postgres.port}`);
    expect(outcome).toBe("fail");
    expect(output).toContain(`the snapshot's database: notes-db.invalid:${postgres.port} (no address found here)`);
  });

  test("by the migration too, if the Secret has changed since preflight, and nothing is applied", async () => {
    const own = await postgres.createDatabase();
    const snapshot = ["--snapshot", "s-1", "--snapshot-created-at", new Date().toISOString()];
    const other = ["--database-endpoint", "127.0.0.1:1"];
    const refused = await migrate(own, directory, ...snapshot, ...other);
    expect(refused.exit).toBe(7);
    expect(refused.output).toContain("FAILED (other-database): The snapshot s-1 is of another database");
    expect(refused.output).toContain("the snapshot's database: 127.0.0.1:1");
    expect(refused.output).toContain(`the connection: 127.0.0.1:${postgres.port}`);
    expect(await query(own, "SELECT FROM pg_class WHERE relname = 'a'")).toEqual([]);
    const allowed = await migrate(own, directory, ...snapshot, ...other, "--check", "same-database=warn");
    expect(allowed.exit).toBe(0);
    // Nothing is pending any more, so no snapshot is needed.
    expect((await migrate(own, directory, ...snapshot, ...other)).exit).toBe(0);
  });
});

test("the report says where it isn't compared: switched off for a tunnel, or no snapshot is taken", async () => {
  const off = await look(url, "--database-endpoint", "127.0.0.1:1", "--check", "same-database=off");
  expect(off).toMatchObject({ outcome: "off" });
  expect(off.text).toContain("not looked at, by the settings");
  const none = await look(url);
  expect(none).toMatchObject({ outcome: "off" });
  expect(none.text).toContain("no snapshot is taken");
});

test.each(["notes-db", "notes-db:", ":5432", "a:1,b"])("an endpoint that is none is refused: %s", async (endpoint) => {
  const { exit, output } = await look(url, "--database-endpoint", endpoint);
  expect(exit).toBe(2);
  expect(output).toContain(`--database-endpoint is "${endpoint}", and must be HOST:PORT`);
});
