import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { dumpDatabase } from "../support/dump";
import { startServer, type TestServer } from "../support/server";
import { clientMajor, DumpPod, fileKeyOf, KEYS, NAME, runDump, runRestorePod, TestStore } from "./pod";

const MAJOR = clientMajor();
const [KEY] = KEYS;
const COPY = "notes_restored_20261130_1200";

describe
  .skipIf(MAJOR === undefined)
  .sequential(`a parallel dump by pg_dump ${MAJOR ?? "(skipped: it is not on PATH)"}`, () => {
    let server: TestServer;
    let store: TestStore;
    let url: string;
    const bucket = () => ["--to", "s3://backups", "--endpoint", store.endpoint];

    beforeAll(async () => {
      server = await startServer({ major: MAJOR! });
      store = await new TestStore().start();
      url = await server.createDatabase();
      const client = new Client({ connectionString: url });
      await client.connect();
      for (const table of ["one", "two", "three"])
        await client.query(
          `CREATE TABLE ${table} (id int PRIMARY KEY, body text); INSERT INTO ${table} SELECT g, md5(g::text) FROM generate_series(1, 5000) g`,
        );
      await client.end();
    }, 120_000);
    afterAll(async () => {
      await store?.stop();
      await server?.stop();
    });

    test("is stored as one encrypted tar file, and comes back the same by several connections", async () => {
      const before = await dumpDatabase(url);
      const encrypted = ["--recipient", KEY.recipient];
      const made = await runDump({ url, environment: store.environment, jobs: 3, args: [...bucket(), ...encrypted] });
      expect(made.status, made.log).toBe(0);
      expect(store.objects.keys("backups", "").sort()).toEqual([`${NAME}.manifest.json`, `${NAME}.tar.age`]);

      const options = { url, environment: store.environment, args: [...bucket(), "--dump", NAME, "--copy", COPY] };
      const seen = await runRestorePod({ ...options, verb: "look" });
      const look = JSON.parse(seen.event("restore.look").look);
      expect(look.manifest).toMatchObject({ format: "directory", contents: { tableData: 3 } });
      const fileKey = await fileKeyOf(look.header, KEY.identity);
      const restored = await runRestorePod({ ...options, fileKey, args: [...options.args, "--jobs", "3"] });
      expect(restored.status, restored.log).toBe(0);
      const copy = new URL(url);
      copy.pathname = COPY;
      expect(await dumpDatabase(copy.href)).toBe(before);
    });

    test("that fails leaves nothing in the store", async () => {
      const holder = new Client({ connectionString: url });
      await holder.connect();
      await holder.query("BEGIN; LOCK TABLE two");
      const other = [...bucket(), "--name", "notes.prod/notes-locked"];
      const made = await runDump({ url, environment: store.environment, jobs: 2, lockSeconds: 1, args: other });
      await holder.end();
      expect(made.status).not.toBe(0);
      expect(made.log).toContain("FAILED (dump-lock-timeout)");
      const left = [...store.objects.keys("backups", ""), ...store.objects.uploads("backups", "")];
      expect(left.filter((each) => JSON.stringify(each).includes("locked"))).toEqual([]);
    });

    test("is ended soon when the storing program is killed", async () => {
      const pod = new DumpPod({
        url,
        environment: store.environment,
        jobs: 2,
        silentSeconds: 2,
        args: [...bucket(), "--name", "notes.prod/notes-killed"],
      });
      await vi.waitUntil(() => pod.log.includes("pg_dump has begun"), 20_000);
      pod.kill("store");
      expect(await pod.ended).toBe(137);
    });
  });
