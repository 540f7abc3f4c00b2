import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StoreRefused } from "../../../backup/failures/store";
import { type Manifest, manifestText } from "../../../backup/manifest";
import { backupName } from "../../../backup/names";
import type { Retention } from "../../../backup/retention/choose";
import { dumpStore } from "../../../backup/retention/dumps";
import { pruneStore } from "../../../backup/retention/prune";
import { claimStore } from "../../../backup/stores/claim";
import { parseS3, s3Store } from "../../../backup/stores/s3";
import type { Store } from "../../../backup/stores/store";
import { Log } from "../../../migrator/log";
import { randomNumbers } from "../../support/random-numbers";
import { TestStore } from "../pod";

const OWNER = { project: "shop", stack: "prod", app: "notes" };
const NOW = new Date("2026-11-30T12:00:00Z");
const KEEP: Retention = { keep: { last: 2 }, named: new Map(), maxAgeMs: 3_600_000, now: NOW };
const fingerprint = (n: number) => n.toString(16).padStart(12, "0").padEnd(64, "0");
const nameOf = (n: number, owner = OWNER, attempt = 1) => backupName(owner, fingerprint(n), attempt);

function manifest(n: number, days: number, more: Partial<Manifest> = {}, id = nameOf(n)): string {
  const at = new Date(NOW.getTime() - days * 86_400_000).toISOString();
  return manifestText({
    ...{ version: 1, file: `${id}.dump.age`, format: "custom", release: "r", ...OWNER, begunAt: at, completedAt: at },
    ...{ database: { name: "notes", bytes: 1 }, server: "18.1", client: "18.1", tables: {}, recipients: [] },
    migrations: { fingerprint: fingerprint(n), last: null, count: 0 },
    contents: { entries: 1, tableData: 1 },
    ...{ archiveBytes: 1, fileBytes: 1, checksum: "0".repeat(64) },
    ...more,
  });
}

async function stored(store: Store, n: number, days: number, more: Partial<Manifest> = {}): Promise<string> {
  const id = nameOf(n);
  const upload = await store.begin(`${id}.dump.age`, 1);
  await upload.write(Buffer.from("x"));
  await upload.finish(Buffer.from("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "hex"));
  await store.write(`${id}.manifest.json`, manifest(n, days, more));
  return id;
}

async function pruned(store: Store, { retention = KEEP, plan = false } = {}) {
  const events: { event: string; id: string }[] = [];
  const log = new Log("json", (text) => events.push(JSON.parse(text) as { event: string; id: string }));
  const signal = new AbortController().signal;
  const all = await pruneStore(await dumpStore(store, OWNER), { retention, plan, log, signal });
  const ids = (kind: string) => events.filter(({ event }) => event === kind).map(({ id }) => id);
  return { all, gone: ids("backup.gone"), stay: ids("backup.stays"), notRemoved: ids("backup.not-removed") };
}

/** The stores, both of which must keep the same rules. */
const bucket = new TestStore();
let folder: string;
beforeAll(async () => {
  await bucket.start();
  for (const [name, value] of Object.entries(bucket.environment)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await bucket.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dump-volume-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const key of bucket.objects.keys("backups", "")) bucket.objects.remove("backups", key);
});

describe.each([
  ["a bucket", () => s3Store({ ...parseS3("s3://backups/prefix"), endpoint: bucket.endpoint, region: "us-east-1" })],
  ["a volume", () => claimStore(folder, "backups")],
] as const)("old dumps in %s", (_, open) => {
  const files = async (store: Store, stack = "shop.prod") => (await store.list(stack)).sort();
  const both = (...ns: number[]) =>
    ns.flatMap((n) => [".dump.age", ".manifest.json"].map((ending) => `${nameOf(n).split("/")[1]}${ending}`));

  test("go with their manifests, by the dates of these; a plan removes none", async () => {
    const store = open();
    for (const [n, days] of [
      [1, 1],
      [2, 5],
      [3, 20],
      [4, 30],
    ] as const)
      await stored(store, n, days);
    const retention = { ...KEEP, named: new Map([[nameOf(4), "named"]]) };
    expect(await pruned(store, { retention, plan: true })).toMatchObject({ gone: [nameOf(3)] });
    expect(await files(store)).toEqual(both(1, 2, 3, 4));
    expect(await pruned(store, { retention })).toMatchObject({ all: true, gone: [nameOf(3)], notRemoved: [] });
    expect(await files(store)).toEqual(both(1, 2, 4));
    expect((await pruned(store, { retention })).gone).toEqual([]);
  });

  test("leave every other file alone", async () => {
    const store = open();
    await stored(store, 1, 1);
    await stored(store, 2, 2);
    // Each of these is older, and lacks one thing of a dump of this stack.
    await stored(store, 3, 50, { project: "other" });
    await stored(store, 4, 50, { stack: "dev" });
    await stored(store, 5, 50, { app: "notes-admin" });
    await stored(store, 6, 50, { file: "shop.prod/another.dump.age" });
    await stored(store, 7, 50, { migrations: { fingerprint: "f".repeat(64), last: null, count: 0 } });
    const id = "shop.prod/notes-before-gdpr";
    for (const [name, text] of [
      ["shop.prod/notes-00000000000a.dump.age", "a dump without a manifest"],
      ["shop.prod/notes-00000000000b.manifest.json", "{}"],
      [`${id}.dump.age`, "a copy that a person has made"],
      [`${id}.manifest.json`, manifest(12, 50, {}, id)],
      ["shop.prod/notes-00000000000c/inside.manifest.json", manifest(12, 50)],
      ["shop.prod-2/notes-00000000000d.manifest.json", manifest(13, 50)],
      ["shop.prod/README.txt", "read me"],
    ] as const) {
      if (!name.includes("/inside") && !name.includes("prod-2")) await store.write(name, text);
    }
    const before = await files(store);
    expect(await pruned(store)).toMatchObject({ gone: [], stay: [nameOf(1), nameOf(2)] });
    expect(await files(store)).toEqual(before);
  });

  test("go too where only the manifest is left, because somebody has removed the dump", async () => {
    const store = open();
    for (const [n, days] of [
      [1, 1],
      [2, 2],
      [3, 50],
    ] as const)
      await stored(store, n, days);
    await store.remove(`${nameOf(3)}.dump.age`);
    expect((await pruned(store)).gone).toEqual([nameOf(3)]);
    expect(await files(store)).toEqual(both(1, 2));
  });

  test("are removed whole by the next run, wherever the one before was killed", async () => {
    const retention = { ...KEEP, keep: { last: 1 } };
    const store = open();
    await stored(store, 1, 1);
    for (let calls = 0; calls <= 4; calls++) {
      await stored(store, 3, 50);
      await pruned(dying(store, calls), { retention }).catch(() => undefined);
      for (const name of await files(store)) {
        if (name.endsWith(".manifest.json"))
          expect(await files(store), `after ${calls} calls`).toContain(name.replace(".manifest.json", ".dump.age"));
      }
      await pruned(store, { retention });
      expect(await files(store), `after ${calls} calls`).toEqual(both(1));
    }
  });

  test("stay whole where the store refuses a removal, and that is told", async () => {
    for (const refused of [".manifest.json", ".dump.age"]) {
      const store = open();
      for (const [n, days] of [
        [1, 1],
        [2, 2],
        [3, 50],
      ] as const)
        await stored(store, n, days);
      const refusing: Store = {
        ...store,
        remove: (file) =>
          file.endsWith(refused) ? Promise.reject(new StoreRefused(store.title, "Access Denied")) : store.remove(file),
      };
      expect(await pruned(refusing)).toMatchObject({ all: false, gone: [], notRemoved: [nameOf(3)] });
      expect(await files(store), refused).toEqual(both(1, 2, 3));
    }
  });

  test("of which a removal was killed before it began stay, if they shall stay now", async () => {
    const store = open();
    await stored(store, 1, 1);
    await store.write(`${nameOf(1)}.removal.json`, manifest(1, 1));
    expect((await pruned(store)).stay).toEqual([nameOf(1)]);
    expect(await files(store)).toEqual(both(1));
  });
});

/** A store of a process that is killed after so many calls that change something. */
function dying(store: Store, calls: number): Store {
  let left = calls;
  const spend = () => (left-- > 0 ? undefined : new Error("killed"));
  const before =
    <A extends unknown[], T>(work: (...args: A) => Promise<T>) =>
    (...args: A) => {
      const killed = spend();
      return killed ? Promise.reject(killed) : work(...args);
    };
  return { ...store, remove: before(store.remove), write: before(store.write) };
}

test("a number of random removals and kills leaves no half of a dump", async () => {
  const seed = randomInt(2 ** 31);
  console.log(`seed of the kills: ${seed}`);
  const random = randomNumbers(seed);
  const store = claimStore(folder, "backups");
  for (let n = 1; n <= 6; n++) await stored(store, n, n * 2);
  for (let last = 6; last >= 1; last--) {
    const retention = { ...KEEP, keep: { last } };
    await pruned(dying(store, Math.floor(random() * 6)), { retention }).catch(() => undefined);
    await pruned(store, { retention });
    const names = await store.list("shop.prod");
    expect(
      names.filter((name) => name.endsWith(".dump.age")),
      `seed ${seed}`,
    ).toHaveLength(last);
    expect(names).toHaveLength(2 * last);
  }
});
