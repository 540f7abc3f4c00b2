import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serverAccount } from "../../../embedded/account";
import { freePort } from "../../../embedded/ports";
import { refuseKnownPooler } from "../../../migrator/db/known-poolers";
import { parseUrl } from "../../../migrator/db/url";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, until } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
const through = (url: string, port: number) => url.replace(/:\d+\//, `:${port}/`);

/** Every verb says so before it does anything. */
async function expectRefused(url: string, direct: string): Promise<void> {
  for (const verb of ["preflight", "deploy", "status"]) {
    const { exit, output } = await migrate(url, directory, verb);
    expect({ exit, output }).toMatchObject({ exit: 3, output: expect.stringContaining("FAILED (pooler)") });
    expect(output).toMatch(
      /served by \d+[\s\S]*Database: nothing was changed[\s\S]*App: [\s\S]*Next: give the direct URL/,
    );
  }
  expect(await query(direct, "SELECT to_regclass('_prisma_migrations') AS found")).toEqual([{ found: null }]);
}

const program = ["pgbouncer", "/usr/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"].find((each) => {
  try {
    execFileSync(each, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

/** A real PgBouncer in front of the server; it does not run as root, no more than Postgres does. */
async function startPgBouncer(mode: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const account = await serverAccount();
  const home = mkdtempSync(join(existsSync("/tmp") ? "/tmp" : tmpdir(), "pgbouncer-"));
  const port = await freePort();
  const files = {
    "users.txt": `"postgres" "${new URL(postgres.url).password}"\n`,
    "pgbouncer.ini": `[databases]\n* = host=127.0.0.1 port=${postgres.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = ${join(home, "users.txt")}\npool_mode = ${mode}\nmax_client_conn = 50\nignore_startup_parameters = extra_float_digits,options\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  if (account)
    for (const each of [home, ...Object.keys(files).map((name) => join(home, name))])
      chownSync(each, account.uid, account.gid);
  const child: ChildProcess = spawn(program!, [join(home, "pgbouncer.ini")], { ...account, cwd: "/", stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await until(() => listens(port), "pgbouncer listens");
  return {
    port,
    async stop() {
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), 3000).unref();
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

describe.skipIf(program === undefined)("PgBouncer (skipped where it is not installed)", () => {
  test.each(["transaction", "session", "statement"])("in %s mode is recognised", async (mode) => {
    const url = await postgres.createDatabase();
    const bouncer = await startPgBouncer(mode);
    try {
      // It works as a connection, so that it is the pooler that is refused.
      if (mode !== "statement")
        expect(await query(through(url, bouncer.port), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await expectRefused(through(url, bouncer.port), url);
    } finally {
      await bouncer.stop();
    }
  });
});

/** What a pooler has in common with a proxy: it announces a process of its own. Stands in for one where none is installed. */
function startStandIn(port: number): Promise<{ port: number; stop: () => void }> {
  const sockets = new Set<net.Socket>();
  const proxy = net.createServer((client) => {
    const server = net.connect(port, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    let rest = Buffer.alloc(0);
    server.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      // Messages: a letter, the length of what follows with itself, the rest. BackendKeyData: process, key.
      while (rest.length >= 5 && rest.length >= 1 + rest.readUInt32BE(1)) {
        const message = rest.subarray(0, 1 + rest.readUInt32BE(1));
        rest = rest.subarray(message.length);
        if (message[0] === 0x4b) message.writeUInt32BE(4711, 5);
        client.write(Buffer.from(message));
      }
    });
  });
  return new Promise((resolve) =>
    proxy.listen(0, "127.0.0.1", () =>
      resolve({
        port: (proxy.address() as net.AddressInfo).port,
        stop: () => {
          proxy.close();
          for (const socket of sockets) socket.destroy();
        },
      }),
    ),
  );
}

test("a stand-in for a pooler, which announces another process than the one that serves, is recognised", async () => {
  const url = await postgres.createDatabase();
  const standIn = await startStandIn(postgres.port);
  try {
    await expectRefused(`${through(url, standIn.port)}?sslmode=disable`, url);
  } finally {
    standIn.stop();
  }
});

test("a connection string that names a pooler is refused by what it says", async () => {
  const url = await postgres.createDatabase();
  const { exit, output } = await migrate(`${url}?pgbouncer=true`, directory, "preflight");
  expect({ exit, output }).toMatchObject({ exit: 3, output: expect.stringContaining("says pgbouncer=true") });
});

describe("poolers of providers are refused by their names, before anything is sent to them", () => {
  const LOCK = "where the migration lock may not hold";
  test.each([
    ["notes.proxy-c1a2b3.eu-west-1.rds.amazonaws.com", "RDS Proxy, by the host's name", "pins a session"],
    ["ro.endpoint.proxy-c1a2b3.eu-west-1.rds.amazonaws.com:5433", "RDS Proxy", "an Aurora cluster's writer"],
    ["ep-cool-1-pooler.eu-central-1.aws.neon.tech", "Neon's PgBouncer", LOCK],
    ["ep-cool-1-pooler.eu-central-1.aws.neon.tech", "Neon's", "the host ep-cool-1.eu-central-1.aws.neon.tech"],
    ["aws-0-eu-west-1.pooler.supabase.com:6543", "transaction mode", LOCK],
    [
      "aws-0-eu-west-1.pooler.supabase.com:5432",
      "Supabase's, by the host's name",
      "in session mode (port 5432) either",
    ],
    ["aws-0-eu-west-1.pooler.supabase.com", "Supabase's", "db.abcdef.supabase.co with port 5432"],
    ["notes.postgres.database.azure.com:6432", "Azure's PgBouncer", "the same host with port 5432"],
    ["notes-do-user-1-0.db.ondigitalocean.com:25061", "DigitalOcean's", "the same host with port 25060"],
  ])("%s: %s", async (place, evidence, words) => {
    const began = Date.now();
    const { exit, output } = await migrate(`postgresql://postgres.abcdef:test-password@${place}/notes`, directory);
    expect({ exit, output }).toMatchObject({ exit: 3, output: expect.stringContaining("FAILED (pooler)") });
    expect(output).toContain(evidence);
    expect(output).toContain(words);
    expect(output).toMatch(/Database: nothing was changed[\s\S]*App: [\s\S]*Next: give the direct URL .*which has/);
    expect(output).not.toContain("test-password");
    // No name was looked up, and nothing was waited for.
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test.each([
    "notes.c1a2b3.eu-west-1.rds.amazonaws.com:5432",
    "notes.cluster-c1a2b3.eu-west-1.rds.amazonaws.com:6432",
    "my-proxy.c1a2b3.eu-west-1.rds.amazonaws.com",
    "ep-cool-1.eu-central-1.aws.neon.tech",
    "db.abcdef.supabase.co:6543",
    "notes.postgres.database.azure.com",
    "pooler.example.org:6432",
  ])("%s is none", (place) =>
    expect(() => refuseKnownPooler(parseUrl(`postgresql://u:p@${place}/notes`))).not.toThrow(),
  );
});
