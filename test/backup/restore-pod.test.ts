import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CREATED } from "../../backup/restoring/copies";
import { readRestoreErrors, restoreFailure } from "../../backup/restoring/pg-restore-error";
import { removedAtEnd } from "../../backup/restoring/state";
import { dumpDatabase } from "../support/dump";
import { startServer, type TestServer } from "../support/server";
import {
  clientMajor,
  fileKeyOf,
  KEYS,
  NAME,
  RestorePod,
  type RestorePodOptions,
  runDump,
  runRestorePod,
  TestStore,
} from "./pod";

const MAJOR = clientMajor();
const [KEY] = KEYS;
const COPY = "notes_restored_20261130_1200";
const FILE = `${NAME}.dump.age`;

const ENTRY = "pg_restore: from TOC entry 3456; 0 16385 TABLE DATA public note migrator";

/** What pg_restore prints, and the code of the failure that it means. */
const MESSAGES: readonly [[lines: string[], code: string], ...[lines: string[], code: string][]] = [
  [
    [
      ENTRY,
      'pg_restore: error: COPY failed for table "note": ERROR:  could not extend file "base/1/2": No space left on device',
      'CONTEXT:  COPY note, line 7: "secret row"',
    ],
    "server-full",
  ],
  [
    ['pg_restore: error: connection to server at "x" failed: FATAL:  too many connections for role "migrator"'],
    "restore-connections-used",
  ],
  [
    [ENTRY, "pg_restore: error: error returned by PQputCopyData: server closed the connection unexpectedly"],
    "restore-connection-lost",
  ],
  [["pg_restore: error: unsupported version (1.16) in file header"], "restore-client-too-old"],
  [
    [
      "pg_restore: from TOC entry 3; 3079 16385 EXTENSION postgis ",
      'pg_restore: error: could not execute query: ERROR:  permission denied to create extension "postgis"',
      "pg_restore: from TOC entry 4; 1259 16386 TABLE public place migrator",
      'pg_restore: error: could not execute query: ERROR:  type "public.geometry" does not exist',
    ],
    "extension-refused",
  ],
  [[ENTRY, 'pg_restore: error: COPY failed for table "note": ERROR:  value too long'], "restore-failed"],
];

test.each(MESSAGES)("%j of pg_restore is a failure of its own", (lines, code) => {
  const errors = readRestoreErrors(lines.join("\n"));
  if (code !== "restore-client-too-old") expect(restoreFailure(errors, removedAtEnd(COPY))).toMatchObject({ code });
});

describe.skipIf(MAJOR === undefined).sequential(
  `a restore by pg_restore ${MAJOR ?? "(skipped: it is not on PATH)"}`,
  {
    timeout: 60_000,
  },
  () => {
    let server: TestServer;
    let store: TestStore;
    let folder: string;
    let admin: string;
    /** The source, as the migration's role, which is no superuser and may create databases. */
    let url: string;
    let key: Uint8Array;
    /** The rows and objects of the source at the time of its dump. */
    let before: string;
    /** The file of the dump. */
    let file: Buffer;

    const query = async (sql: string, at = admin) => {
      const client = new Client({ connectionString: at });
      await client.connect();
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };
    const at = (database: string, base = url) => Object.assign(new URL(base), { pathname: `/${database}` }).href;
    const options = (more: Partial<RestorePodOptions> = {}): RestorePodOptions => ({
      ...{ url, environment: store.environment, fileKey: key },
      ...more,
      args: [
        ...["--to", "s3://backups", "--endpoint", store.endpoint, "--dump", NAME, "--copy", COPY],
        ...(more.args ?? []),
      ],
    });
    const databases = async () =>
      (await query("SELECT datname FROM pg_database WHERE datname LIKE 'notes_restored%' ORDER BY 1")).map(
        ({ datname }) => datname,
      );

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "restore-test-"));
      server = await startServer({ major: MAJOR! });
      admin = await server.createDatabase();
      store = await new TestStore().start();
      await query("CREATE ROLE notes_app LOGIN; CREATE ROLE migrator LOGIN CREATEDB PASSWORD 'secret-5f1c'");
      await query(
        "CREATE DATABASE notes OWNER migrator TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
      );
      await query("ALTER DATABASE notes SET work_mem = '8MB'");
      url = Object.assign(new URL(admin), { username: "migrator", password: "secret-5f1c", pathname: "/notes" }).href;
      await query(
        `CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL, parent int REFERENCES note);
       INSERT INTO note SELECT g, (SELECT string_agg(md5(g::text || i::text), '') FROM generate_series(1, 6) i), g FROM generate_series(1, 20000) g;
       CREATE INDEX ON note (body);
       GRANT SELECT ON note TO notes_app`,
        url,
      );
      before = await dumpDatabase(url);
      const dumped = await runDump({
        url,
        environment: store.environment,
        args: ["--to", "s3://backups", "--endpoint", store.endpoint, "--recipient", KEY.recipient],
      });
      expect(dumped.status, dumped.log).toBe(0);
      const seen = await runRestorePod({ ...options(), verb: "look" });
      expect(seen.status, seen.log).toBe(0);
      file = await buffer(store.objects.read("backups", FILE));
      key = await fileKeyOf(JSON.parse(seen.event("restore.look").look).header, KEY.identity);
    }, 120_000);
    afterAll(async () => {
      await store?.stop();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test("makes a second database with the rows, the grants and the collation of the source, and says what it lacks", async () => {
      // The store cuts each connection after a megabyte, and the reading goes on where it broke.
      store.faults.add("store-breaks");
      const made = await runRestorePod(options());
      store.faults.clear();
      expect(made.status, made.log).toBe(0);
      expect(await dumpDatabase(at(COPY))).toBe(before);
      const [copy] = await query(
        `SELECT datcollate, shobj_description(oid, 'pg_database') AS mark, datconnlimit FROM pg_database WHERE datname = '${COPY}'`,
      );
      expect(copy).toMatchObject({
        datcollate: "C",
        datconnlimit: -1,
        mark: expect.stringContaining('"state":"complete"'),
      });
      expect(JSON.parse(made.event("restore.differences").differences)).toEqual([
        expect.objectContaining({ parameter: "setting work_mem", source: "set", copy: "-" }),
      ]);
      expect(made.event("restore.copy")).toMatchObject({ database: COPY });
      expect(await query("SELECT has_table_privilege('notes_app', 'note', 'SELECT') AS may", at(COPY))).toEqual([
        { may: true },
      ]);
      expect(made.log).not.toContain(Buffer.from(key).toString("base64"));
      const again = await runRestorePod(options());
      expect(again.status, again.log).toBe(0);
      expect(again.log).toContain("it is kept");
    });

    test("removes only a copy, and one that is in use only when that is asked for", async () => {
      const removal = (copy: string, ...more: string[]) =>
        runRestorePod({ ...options(), args: [...options().args, "--copy", copy, ...more], verb: "remove" });
      const client = new Client({ connectionString: at(COPY), application_name: "the app" });
      client.on("error", () => undefined);
      await client.connect();
      const used = await removal(COPY);
      expect(used.event("failed")).toMatchObject({ code: "copy-in-use", detail: "the app of migrator" });
      for (const name of ["notes", "postgres", "nothing"])
        expect((await removal(name)).event("failed")).toMatchObject({ code: "no-such-copy" });
      expect(await databases()).toEqual([COPY]);
      const removed = await removal(COPY, "--force");
      expect(removed.status, removed.log).toBe(0);
      expect(await databases()).toEqual([]);
    });

    test("of a file that was changed or cut off leaves no database behind", async () => {
      const middle = Buffer.from(file);
      middle[file.length >> 1]! ^= 1;
      for (const damaged of [middle, file.subarray(0, -1000)]) {
        await store.objects.put("backups", FILE, Readable.from([damaged]));
        const { log, event } = await failed();
        expect(event, log).toMatchObject({ code: "dump-damaged" });
        expect(await databases()).toEqual([]);
      }
      await store.objects.put("backups", FILE, Readable.from([file]));
      const wrong = await failed({ fileKey: Buffer.alloc(16, 7) });
      expect(wrong.event, wrong.log).toMatchObject({ code: "dump-damaged" });
      const missing = await failed({ args: ["--dump", "notes.prod/other"] });
      expect(missing.event).toMatchObject({ code: "no-such-dump" });
      expect(await databases()).toEqual([]);
    });

    test("is begun anew after a kill at any place, and never takes a database of somebody else", async () => {
      await query(`CREATE DATABASE ${COPY}`);
      expect((await failed()).event).toMatchObject({ code: "copy-name-taken" });
      await query(`DROP DATABASE ${COPY}`);
      // What a run leaves that is killed between the creation and the mark.
      await query(`CREATE DATABASE ${COPY} OWNER migrator ALLOW_CONNECTIONS false CONNECTION LIMIT ${CREATED}`);
      const pod = new RestorePod(options());
      while (!pod.log.includes("restore.begun")) await new Promise((again) => setTimeout(again, 5));
      pod.kill("store");
      pod.kill("client");
      await pod.ended;
      expect(await databases()).toEqual([COPY]);
      const again = await runRestorePod(options());
      expect(again.status, again.log).toBe(0);
      expect(again.log).toContain("restore.leftover");
      expect(await dumpDatabase(at(COPY))).toBe(before);
      await query(`DROP DATABASE ${COPY}`);
    });

    test("says what the server or pg_restore refused, and removes what it restored", async () => {
      await query("ALTER ROLE migrator NOCREATEDB");
      expect((await failed()).event).toMatchObject({ code: "no-createdb", next: expect.stringContaining("--into") });
      await query("ALTER ROLE migrator CREATEDB");
      const [[words, code]] = MESSAGES;
      // A stand-in for a pg_restore whose server is full.
      const { event, log } = await failed({ programs: standIn(words) });
      expect(event, log).toMatchObject({ code, database: expect.stringContaining("the source is untouched") });
      expect(log).not.toContain("secret row");
      const dead = new RestorePod(options({ silentSeconds: 2 }));
      while (!dead.log.includes("restore.begun")) await new Promise((again) => setTimeout(again, 5));
      dead.kill("client");
      await dead.ended;
      expect(dead.event("failed"), dead.log).toMatchObject({
        code: expect.stringMatching(/restore-(vanished|connection-lost)/),
      });
      expect(await databases()).toEqual([]);
    });

    test("tells what it had to leave out, and keeps the copy", async () => {
      const programs = standIn([
        "pg_restore: from TOC entry 3; 3079 16385 EXTENSION pg_cron ",
        'pg_restore: error: could not execute query: ERROR:  permission denied to create extension "pg_cron"',
      ]);
      const made = await runRestorePod(options({ programs }));
      expect(made.status, made.log).toBe(0);
      expect(made.event("restore.left-out").leftOut).toEqual([
        'EXTENSION pg_cron: permission denied to create extension "pg_cron"',
      ]);
      await query(`DROP DATABASE ${COPY}`);
    });

    test("fills a database that somebody has made, and cleans up what a killed run has left in it", async () => {
      await query("CREATE DATABASE elsewhere OWNER migrator TEMPLATE template0");
      const environment = { ...store.environment, INTO_URL: at("elsewhere") };
      const into = () => runRestorePod(options({ environment, args: ["--into"] }));
      const made = await into();
      expect(made.status, made.log).toBe(0);
      expect(await dumpDatabase(at("elsewhere"))).toBe(before);
      expect((await into()).log).toContain("it is kept");
      // What a run leaves that is killed on the way: its mark, and a part of the tables.
      const [{ mark }] = await query(
        "SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = 'elsewhere'",
      );
      await query(`COMMENT ON DATABASE elsewhere IS '${mark.replace('"complete"', '"restoring"')}'`);
      await query("DELETE FROM note WHERE id > 100", at("elsewhere"));
      const again = await into();
      expect(again.status, again.log).toBe(0);
      expect(await dumpDatabase(at("elsewhere"))).toBe(before);
      await query("COMMENT ON DATABASE elsewhere IS NULL");
      expect((await into()).event("failed")).toMatchObject({ code: "target-not-empty" });
      const own = { ...environment, INTO_URL: url };
      const refused = await runRestorePod(options({ environment: own, args: ["--into"] }));
      expect(refused.event("failed")).toMatchObject({ code: "target-not-empty" });
    });

    const failed = async (more: Partial<RestorePodOptions> = {}) => {
      const pod = await runRestorePod(options(more));
      expect(pod.status, pod.log).not.toBe(0);
      return { event: pod.event("failed"), log: pod.log };
    };
    /** A folder with a stand-in for pg_restore, which reads the archive, prints this and fails. */
    const standIn = (lines: readonly string[]) => {
      const place = mkdtempSync(join(folder, "programs-"));
      const script = ["#!/bin/sh", "cat >/dev/null", "cat >&2 <<'END'", ...lines, "END", "exit 1", ""].join("\n");
      writeFileSync(join(place, "pg_restore"), script, { mode: 0o755 });
      return place;
    };
  },
);
