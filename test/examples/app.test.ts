import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readHistorySync } from "../../migrations/history/history";
import { startPostgres, type TestPostgres } from "../support/postgres";

const APP = resolve(__dirname, "../../examples/app");
const history = readHistorySync(join(APP, "prisma/migrations"));

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const apps: ChildProcess[] = [];
afterEach(() => {
  for (const app of apps.splice(0)) app.kill("SIGKILL");
});

/** The app on a free port, as the cloud starts it; resolves when it listens. */
async function startApp(databaseUrl: string, version = "1.0.0") {
  const child = spawn(process.execPath, ["server.mjs"], {
    cwd: APP,
    env: { PATH: process.env["PATH"], DATABASE_URL: databaseUrl, PORT: "0", APP_VERSION: version },
    stdio: ["ignore", "pipe", "pipe"],
  });
  apps.push(child);
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const port = await new Promise<number>((listening, failed) => {
    child.once("exit", (code) => failed(new Error(`the app ended with ${code}: ${log}`)));
    child.stdout.on("data", (chunk) => {
      log += chunk;
      const found = /listens on port (\d+)/.exec(log);
      if (found) listening(Number(found[1]));
    });
  });
  return { child, port, log: () => log };
}

interface Answer {
  status: number;
  body: any;
}

function ask(port: number, method: string, path: string, body?: unknown, agent?: Agent): Promise<Answer> {
  return new Promise((answered, failed) => {
    const sent = request({ host: "127.0.0.1", port, method, path, agent: agent ?? false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => answered({ status: response.statusCode!, body: JSON.parse(text) }));
      response.on("error", failed);
    });
    sent.on("error", failed);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Asks on kept-alive connections until told to stop; what went wrong, and how many were asked. */
function load(port: number, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: string[] = [];
  let asked = 0;
  let stopped = false;
  const client = async () => {
    while (!stopped) {
      const write = asked++ % 3 === 0;
      try {
        const { status, body } = write
          ? await ask(port, "POST", "/notes", { subject: `note ${asked}` }, agent)
          : await ask(port, "GET", "/notes", undefined, agent);
        if (status !== (write ? 201 : 200)) failures.push(`${status} ${JSON.stringify(body)}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  };
  const clients = Array.from({ length: connections }, client);
  return {
    asked: () => asked,
    async stop() {
      stopped = true;
      await Promise.all(clients);
      agent.destroy();
      return failures;
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>, what: string, timeout = 15_000): Promise<void> {
  const end = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise((passed) => setTimeout(passed, 10));
  }
}

async function migrate(client: Client, migrations: typeof history): Promise<void> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz)`,
  );
  for (const { name, sql } of migrations) {
    await client.query(sql);
    await client.query("INSERT INTO _prisma_migrations VALUES ($1, now(), NULL)", [name]);
  }
}

describe("the example app", () => {
  test("serves without a failed request with the schema before, during and after each migration", async () => {
    const url = await postgres.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await migrate(client, history.slice(0, 1));
      const { port, log } = await startApp(`${url}?schema=public&connection_limit=4`);
      const clients = load(port, 6);
      for (const [index, migration] of history.entries()) {
        if (index > 0) await migrate(client, [migration]);
        const before = clients.asked();
        await until(() => clients.asked() > before + 30, `requests after ${migration.name}`);
        const health = await ask(port, "GET", "/health");
        expect(health.body).toEqual({ status: "ok", version: "1.0.0", schemaVersion: migration.name });
        const old = await ask(port, "POST", "/notes", { title: `by title after ${migration.name}` });
        expect(old.body.note).toMatchObject({
          subject: `by title after ${migration.name}`,
          pinned: false,
          state: "open",
        });
      }
      expect(await clients.stop(), log()).toEqual([]);

      const { rows } = await client.query("SELECT subject FROM notes WHERE subject LIKE 'by title%' ORDER BY id");
      expect(rows.map((row) => row.subject)).toEqual(history.map(({ name }) => `by title after ${name}`));
    } finally {
      await client.end();
    }
  });

  test("keeps title and subject equal between expand and contract, whichever a pod writes", async () => {
    const url = await postgres.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await migrate(client, history.slice(0, -1));
      await client.query(
        `INSERT INTO notes (title) VALUES ('old pod'); INSERT INTO notes (subject) VALUES ('new pod')`,
      );
      await client.query(`UPDATE notes SET title = 'old pod again' WHERE subject = 'old pod'`);
      await client.query(`UPDATE notes SET subject = 'new pod again' WHERE title = 'new pod'`);
      const { rows } = await client.query("SELECT title, subject FROM notes ORDER BY id");
      expect(rows).toEqual([
        { title: "Welcome", subject: "Welcome" },
        { title: "old pod again", subject: "old pod again" },
        { title: "new pod again", subject: "new pod again" },
      ]);
    } finally {
      await client.end();
    }
  });

  test("leaves on SIGTERM without losing a request behind a proxy with kept-alive connections", async () => {
    const url = await postgres.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    await migrate(client, history);
    await client.end();
    const [first, second] = await Promise.all([startApp(url, "1.0.0"), startApp(url, "1.1.0")]);

    let target = first.port;
    const proxy = createServer((downstream) => {
      const upstream = connect(target, "127.0.0.1");
      downstream.pipe(upstream).pipe(downstream);
      upstream.on("error", () => downstream.destroy());
      downstream.on("error", () => upstream.destroy());
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const { port } = proxy.address() as AddressInfo;
    try {
      const clients = load(port, 8);
      await until(() => clients.asked() > 200, "requests before");
      // The order of a real cluster: the pod is told first, and the proxy learns of it a little later.
      const ended = once(first.child, "exit");
      first.child.kill("SIGTERM");
      const told = clients.asked();
      await until(() => clients.asked() > told + 50, "requests to the leaving pod");
      target = second.port;
      expect(await ended).toEqual([0, null]);
      const left = clients.asked();
      await until(() => clients.asked() > left + 100, "requests after");
      expect(await clients.stop(), first.log()).toEqual([]);
      expect(first.log()).toContain("left: every request was answered");
    } finally {
      proxy.close();
    }
  });

  test("says within two seconds that the database is away, and serves again when it is back", async () => {
    const away = await startPostgres();
    try {
      const url = await away.createDatabase();
      const client = new Client({ connectionString: url });
      await client.connect();
      await migrate(client, history);
      await client.end();
      const { port } = await startApp(url);
      expect((await ask(port, "GET", "/health")).status).toBe(200);

      await away.kill();
      const asked = Date.now();
      expect(await ask(port, "GET", "/health")).toMatchObject({ status: 503, body: { status: "no database" } });
      expect(Date.now() - asked).toBeLessThan(2_500);
      expect((await ask(port, "GET", "/notes")).status).toBe(503);

      await away.restart();
      await until(async () => (await ask(port, "GET", "/health")).status === 200, "health after the restart");
      expect((await ask(port, "GET", "/notes")).status).toBe(200);
    } finally {
      await away.stop();
    }
  });

  test("answers a wrong request with what is wrong", async () => {
    const { port } = await startApp(postgres.url);
    expect(await ask(port, "POST", "/notes", { subject: " " })).toMatchObject({ status: 400 });
    expect((await ask(port, "POST", "/notes", { subject: "x".repeat(70_000) })).body).toEqual({
      error: "a note is at most 64 KiB",
    });
    expect(await ask(port, "GET", "/tags")).toEqual({ status: 404, body: { error: "no GET /tags here" } });
  });

  test("refuses to start without a database", async () => {
    await expect(startApp("")).rejects.toThrow("DATABASE_URL is not set");
  });
});
