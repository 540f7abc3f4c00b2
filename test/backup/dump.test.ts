import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Manifest, parseManifest } from "../../backup/manifest";
import { readDump } from "../../backup/read-dump";
import { claimStore } from "../../backup/stores/claim";
import { s3Store } from "../../backup/stores/s3";
import type { Fault } from "../../local/cloud/aws/faults";
import { startServer, type TestServer } from "../support/server";
import { clientMajor, DumpPod, KEYS, NAME, type PodOptions, runDump, TestStore } from "./pod";

const MAJOR = clientMajor();
const FILE = `p/${NAME}.dump.age`;
const [KEY] = KEYS;

const ROWS = 40_000;

describe.skipIf(MAJOR === undefined)(`a dump by pg_dump ${MAJOR ?? "(skipped: it is not on PATH)"}`, () => {
  let server: TestServer;
  let store: TestStore;
  let url: string;
  let folder: string;
  const clients: Client[] = [];

  const connect = async (to = url) => {
    const client = new Client({ connectionString: to });
    client.on("error", () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const bucket = (options: Partial<PodOptions> = {}): PodOptions => ({
    url,
    environment: store.environment,
    ...options,
    args: [
      "--to",
      "s3://backups/p",
      "--endpoint",
      store.endpoint,
      "--recipient",
      KEY.recipient,
      ...(options.args ?? []),
    ],
  });
  /** A folder with a program in place of pg_dump; it is named as a stand-in where it is used. */
  const programs = (script: string) => {
    const place = mkdtempSync(join(folder, "programs-"));
    writeFileSync(join(place, "pg_dump"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(place, "pg_dump"), 0o755);
    return place;
  };
  const leftovers = () => [...store.objects.keys("backups", ""), ...store.objects.uploads("backups", "")];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dump-test-"));
    server = await startServer({ major: MAJOR! });
    url = await server.createDatabase();
    const client = await connect();
    await client.query(`CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL);
      INSERT INTO note SELECT g, (SELECT string_agg(md5(g::text || i::text), '') FROM generate_series(1, 6) i) FROM generate_series(1, ${ROWS}) g;
      CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
        applied_steps_count integer NOT NULL DEFAULT 0);
      INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', '', '20260101000000_init', now());
      ANALYZE`);
  });
  afterEach(async () => {
    await store?.stop();
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is encrypted, checked and described, and comes back row by row; a second run finds it", async () => {
    store = await new TestStore().start();
    const first = await runDump(bucket());
    expect(first).toMatchObject({ status: 0, log: expect.stringContaining("the migration may start") });
    const manifest = await storedManifest(store);
    expect(manifest).toMatchObject({
      file: `${NAME}.dump.age`,
      release: "0123456789ab",
      stack: "prod",
      recipients: [KEY.recipient],
      migrations: { fingerprint: "3f2a9c41b07e", last: "20260101000000_init", count: 1 },
      contents: { tableData: 2 },
    });
    expect(manifest.tables["note"]).toMatchObject({ rows: ROWS });
    expect(manifest.fileBytes).toBe(store.objects.record("backups", FILE)!.bytes);
    expect(manifest.client.split(".")[0]).toBe(String(MAJOR));

    const copy = await server.createDatabase();
    await restore(s3For(store), copy);
    const sum = "SELECT count(*)::int AS rows, md5(string_agg(id || body, '' ORDER BY id)) AS sum FROM note";
    expect((await (await connect(copy)).query(sum)).rows).toEqual((await (await connect()).query(sum)).rows);

    const recorded = await (await connect()).query("SELECT data FROM _release.record WHERE kind = 'dump'");
    expect(recorded.rows[0].data).toMatchObject({
      id: NAME,
      location: `s3://backups/${FILE}`,
      checksum: manifest.checksum,
    });
    const again = await runDump(bucket());
    expect(again).toMatchObject({ status: 0, log: expect.stringContaining("is there already") });
    expect((await storedManifest(store)).begunAt).toBe(manifest.begunAt);
  });

  test("of a database that has the release's migrations already isn't needed", async () => {
    store = await new TestStore().start();
    const ran = await runDump(bucket({ args: ["--last-migration", "20260101000000_init"] }));
    expect(ran).toMatchObject({ status: 0, log: expect.stringContaining("nothing to take a dump for") });
    expect(leftovers()).toEqual([]);
  });

  test("on a volume is read again before it gets its name", async () => {
    store = await new TestStore().start();
    const volume = mkdtempSync(join(folder, "volume-"));
    const ran = await runDump({ url, args: ["--claim", "notes-backups", "--claim-folder", volume] });
    expect(ran.status).toBe(0);
    expect(readdirSync(dirname(join(volume, NAME))).sort()).toEqual([
      "notes-3f2a9c41b07e.dump",
      "notes-3f2a9c41b07e.manifest.json",
    ]);
    const { manifest, archive } = await readDump(claimStore(volume, "notes-backups"), NAME, []);
    expect(manifest.recipients).toEqual([]);
    let bytes = 0;
    for await (const piece of archive) bytes += piece.length;
    expect(bytes).toBe(manifest.archiveBytes);
  });

  const fault = (name: Fault) => async () => {
    store.faults.add(name);
    return {};
  };
  const refused: [what: string, code: string, prepare: () => Promise<Partial<PodOptions>>][] = [
    [
      "an old client (a stand-in)",
      "client-too-old",
      async () => ({ programs: programs("echo 'pg_dump (PostgreSQL) 9.6.1'") }),
    ],
    ["an image without pg_dump (a stand-in)", "client-missing", async () => ({ programs: programs("exit 127") })],
    [
      "a table that another session has locked",
      "dump-lock-timeout",
      async () => {
        const client = await connect();
        await client.query("BEGIN; LOCK TABLE note");
        return { lockSeconds: 1 };
      },
    ],
    [
      "a role that may not read a table",
      "dump-rights",
      async () => {
        const client = await connect();
        await client.query("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reader-password'");
        return { url: url.replace("postgres:test-password", "reader:reader-password") };
      },
    ],
    ["a wrong password", "login-refused", async () => ({ url: url.replace("test-password", "wrong-password") })],
    [
      "a server that has no connection left (pg_dump is a stand-in)",
      "no-connection-left",
      async () => ({
        programs: programs(`case "$1" in --version) exec ${realDump()} --version;; esac
        echo 'pg_dump: error: connection to server failed: FATAL:  sorry, too many clients already' >&2; exit 1`),
      }),
    ],
    ["a store that is full", "store-full", fault("store-full")],
    ["a store that cuts the connection", "store-unreachable", fault("store-breaks")],
    ["a store that has other bytes", "stored-differently", fault("store-corrupts")],
    [
      "a wrong access key",
      "store-refused",
      async () => ({
        environment: { ...store.environment, AWS_SECRET_ACCESS_KEY: "another-secret" },
      }),
    ],
    [
      "no access key",
      "no-store-credentials",
      async () => ({
        environment: { AWS_EC2_METADATA_DISABLED: "true", HOME: folder },
      }),
    ],
    ["a missing bucket", "store-missing", async () => ({ args: ["--to", "s3://other/p"] })],
    ["a store that isn't there", "store-unreachable", async () => ({ args: ["--endpoint", "http://127.0.0.1:9"] })],
  ];
  test.each(refused)("is refused with %s, and leaves nothing", async (_, code, prepare) => {
    store = await new TestStore().start();
    const ran = await runDump(bucket(await prepare()));
    expect(ran.log).toContain(`FAILED (${code})`);
    expect(ran.log).toMatch(/\nDatabase: nothing was changed\.\nApp: not touched.*\nNext: .*\n$/);
    expect(ran.status).toBe(code === "login-refused" ? 3 : 7);
    expect(leftovers()).toEqual([]);
  });

  test("to a full volume is refused, and leaves nothing", async () => {
    store = await new TestStore().start();
    const volume = mkdtempSync(join(folder, "volume-"));
    mkdirSync(dirname(join(volume, NAME)), { recursive: true });
    symlinkSync("/dev/full", join(volume, `${NAME}.dump.other`));
    // The run before is one that was killed: what it left stands on a device that has no room.
    symlinkSync("/dev/full", join(volume, `${NAME}.dump.unfinished`));
    const direct = claimStore(volume, "notes-backups");
    const upload = await direct.begin(`${NAME}.dump`, 0);
    await expect(upload.write(Buffer.alloc(10))).rejects.toThrow("the volume notes-backups is full");
    await upload.abort();
    expect(readdirSync(dirname(join(volume, NAME)))).toEqual(["notes-3f2a9c41b07e.dump.other"]);
  });

  test("whose connection breaks on the way is refused, and leaves nothing; the next one is complete", async () => {
    store = await new TestStore().start();
    const watcher = await connect();
    const pod = new DumpPod(bucket());
    const copying =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'release-dump' AND query LIKE 'COPY%'";
    let ended = false;
    void pod.ended.then(() => (ended = true));
    let cut = 0;
    while (cut === 0 && !ended) cut = (await watcher.query(copying)).rowCount ?? 0;
    expect(await pod.ended).toBe(7);
    expect(pod.log).toContain("FAILED (dump-connection-lost)");
    expect(leftovers()).toEqual([]);
    expect((await runDump(bucket())).status).toBe(0);
  });

  test.each(["store", "client"] as const)(
    "ends when the container %s is killed; the next one is complete",
    async (which) => {
      store = await new TestStore().start();
      const pod = new DumpPod(bucket({ silentSeconds: 6 }));
      const begun = () => store.objects.uploads("backups", "").length > 0;
      await waitFor(begun);
      pod.kill(which);
      const status = await pod.ended;
      expect(status).toBe(which === "store" ? 137 : 7);
      if (which === "client") expect(pod.log).toContain("FAILED (dump-vanished)");
      expect(store.objects.keys("backups", "")).toEqual([]);
      const next = await runDump(bucket());
      expect(next.status).toBe(0);
      expect(store.objects.uploads("backups", "")).toEqual([]);
    },
    120_000,
  );

  test("of another key, with a flipped bit, or cut off can't be read back", async () => {
    store = await new TestStore().start();
    expect((await runDump(bucket())).status).toBe(0);
    const other = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const s3 = s3For(store);
    await expect(read(s3, other)).rejects.toMatchObject({ code: "wrong-identity" });
    const whole = await stored(store);
    for (const damaged of [
      flipped(whole, 40),
      flipped(whole, whole.length >> 1),
      whole.subarray(0, -1),
      whole.subarray(0, -70_000),
    ]) {
      await store.objects.put("backups", FILE, Readable.from([damaged]));
      await expect(read(s3, KEY.identity)).rejects.toMatchObject({
        code: expect.stringMatching(/dump-damaged|wrong-identity/),
      });
    }
    await store.objects.put("backups", FILE, Readable.from([whole]));
    await expect(read(s3, KEY.identity)).resolves.toBeUndefined();
  });

  test("shows its password and its store's key to nobody", async () => {
    store = await new TestStore().start();
    const seen = new Set<string>();
    const watch = setInterval(() => {
      for (const line of execFileSync("ps", ["-eo", "args="], { encoding: "utf8", maxBuffer: 64e6 }).split("\n"))
        seen.add(line);
    }, 50);
    const failing = await runDump(bucket({ lockSeconds: 1, args: ["--endpoint", "http://127.0.0.1:9"] }));
    const ran = await runDump(bucket());
    clearInterval(watch);
    expect(ran.status).toBe(0);
    expect([...seen].some((line) => line.includes("pg_dump --format=custom"))).toBe(true);
    const texts = [...seen, ran.log, ran.clientLog, failing.log, await s3For(store).read(`${NAME}.manifest.json`)];
    for (const secret of ["test-password", store.credentials.secretAccessKey, "AGE-SECRET-KEY"])
      expect(texts.filter((text) => text?.includes(secret))).toEqual([]);
  });

  function s3For({ endpoint, credentials }: TestStore) {
    process.env["AWS_ACCESS_KEY_ID"] = credentials.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = credentials.secretAccessKey;
    return s3Store({ bucket: "backups", prefix: "p", endpoint, region: "us-east-1" });
  }
});

async function storedManifest(store: TestStore): Promise<Manifest> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.objects.read("backups", `p/${NAME}.manifest.json`)) chunks.push(chunk as Buffer);
  return parseManifest(Buffer.concat(chunks).toString())!;
}

async function stored(store: TestStore): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.objects.read("backups", FILE)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

async function read(store: ReturnType<typeof s3Store>, identity: string): Promise<void> {
  const { archive } = await readDump(store, NAME, [identity]);
  for await (const _ of archive);
}

/** Restores by the real pg_restore, from its standard input. */
async function restore(store: ReturnType<typeof s3Store>, url: string): Promise<void> {
  const { archive } = await readDump(store, NAME, [KEY.identity]);
  const child = spawn("pg_restore", ["--exit-on-error", "--dbname", url], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = new Promise<number | null>((closed) => child.once("close", closed));
  await pipeline(Readable.from(archive), child.stdin);
  expect(await ended).toBe(0);
}

function realDump(): string {
  return execFileSync("sh", ["-c", "command -v pg_dump"], { encoding: "utf8" }).trim();
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !condition(); ) {
    if (Date.now() > end) throw new Error("not within 30 s");
    await new Promise((passed) => setTimeout(passed, 5));
  }
}
