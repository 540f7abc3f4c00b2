import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TRAIL } from "../../../local/cloud/aws/api/server";
import type { Kind } from "../../../local/cloud/aws/errors";
import {
  folders,
  listSnapshots,
  type SnapshotRecord,
  snapshotFolder,
  snapshotKey,
  writeSnapshot,
} from "../../../local/cloud/aws/records";
import { api, connect, stopCloud } from "../../../local/cloud/client";
import { toolsOf } from "../../../local/cloud/command/tools";
import { describeProcess } from "../../../local/cloud/process";
import { projectFolder, removeFolders } from "../../by-hand/project";
import { pruneActions } from "../../support/readme";

const START = resolve(__dirname, "../../../bin/start.cjs");
const HOUR = 60 * 60 * 1000;
const KEEP = { keep: { last: 2, days: 10 } };

const home = mkdtempSync(join(tmpdir(), "prune cloud "));
const cloudDir = join(home, "cloud");
const outputs = join(home, "outputs.json");
const granted = join(cloudDir, "granted.json");
let project: string;

beforeAll(async () => {
  // The cloud answers a method when it has cleaned up what an earlier one left: drafts of records, which tests write too.
  await (await connect(cloudDir)).call("aws.applyFaults", undefined);
  project = projectFolder({
    prod: { backup: KEEP },
    everything: {},
    copied: { backup: { ...KEEP, copy: { region: "eu-west-1" } }, "aws:region": "eu-central-1" },
    aurora: { backup: KEEP, database: { kind: "cluster", identifier: "notes-db", secret: { name: "notes-database" } } },
    elsewhere: { backup: KEEP, "aws:allowedAccountIds": ["111122223333"] },
    none: { backup: { mode: "none" }, policy: { backup: "optional" } },
  });
}, 60_000);
afterAll(async () => {
  await stopCloud(cloudDir);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  removeFolders();
});
beforeEach(() => {
  for (const kind of ["instance", "cluster"] as const)
    rmSync(folders.snapshots(cloudDir, kind), { recursive: true, force: true });
  rmSync(join(cloudDir, TRAIL), { force: true });
  rmSync(granted, { force: true });
  live(undefined);
});

/** What the stack's outputs say from now on: the backup of the live release, or that nothing was released. */
function live(id: string | undefined, copy?: string): void {
  const at = "2026-11-21T10:00:00Z";
  const backup = { kind: "snapshot", id, location: "arn", createdAt: at, completedAt: at };
  const release = {
    ...{ releaseId: "3c037a2cb34e", snapshot: null, image: "notes:1", namespace: "default", service: "notes" },
    ...{ migrations: { last: null, count: 0, fingerprint: "f" }, url: "http://notes", restore: null, sizes: null },
    backup: { ...backup, copy: copy === undefined ? null : { id: copy, location: "arn", region: "eu-west-1" } },
  };
  writeFileSync(outputs, JSON.stringify(id === undefined ? {} : release));
}

/** Twelve digits of migrations that differ from test to test, and their fingerprint. */
const digits = (n: number) => n.toString(16).padStart(12, "0");
const name = (n: number) => `notes-db-${digits(n)}`;

/** Writes the record of a snapshot, as a release of the stack has taken it so many days ago. */
function taken(n: number, days: number, more: Partial<SnapshotRecord> & { stack?: string } = {}): string {
  const { stack = "prod", ...own } = more;
  const createTime = new Date(Date.now() - days * 24 * HOUR).toISOString();
  const record: SnapshotRecord = {
    ...{ identifier: name(n), kind: "instance", status: "available", snapshotType: "manual", source: "notes-db" },
    ...{ createTime, progress: 100, size: 1, sharedAccounts: [] },
    tags: { project: "shop", stack, app: "notes", migrations: digits(n).padEnd(64, "0"), release: "r" },
    instance: {
      ...{ identifier: "notes-db", kind: "instance", database: "notes", createTime, ready: true, port: 5432 },
      ...{ engineVersion: "18.1", encrypted: false, region: stack === "copied" ? "eu-central-1" : undefined },
    },
    worker: describeProcess(process.pid)!,
    ...own,
  };
  mkdirSync(snapshotFolder(cloudDir, record.kind, snapshotKey(record)), { recursive: true });
  writeSnapshot(cloudDir, record);
  return record.identifier;
}

async function start(
  ...words: string[]
): Promise<{ child: ChildProcess; ended: Promise<{ status: number | null; out: string; err: string }> }> {
  const { url, secret } = await api(cloudDir, "/rds");
  const child = spawn(process.execPath, [START, "ops", "prune", ...words], {
    cwd: project,
    env: {
      ...{ ...process.env, ...toolsOf(cloudDir), RELEASE_LOCAL_RDS: url, RELEASE_STACK_OUTPUTS: outputs },
      ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: secret },
    },
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return { child, ended: new Promise((done) => child.once("close", (status) => done({ status, out, err }))) };
}
const run = async (...words: string[]) => (await start(...words)).ended;
const pruned = async (stack: string, ...words: string[]) => {
  const { status, out, err } = await run("--stack", stack, "--json", ...words);
  expect(status, out + err).toBe(0);
  return JSON.parse(out.trim()) as {
    event: string;
    places: { place: string; gone: { id: string }[]; warnings: string[] }[];
  };
};
const left = async (kind: Kind = "instance") =>
  (await listSnapshots(cloudDir))
    .filter((each) => each.kind === kind)
    .map(snapshotKey)
    .sort();
const trail = () => (existsSync(join(cloudDir, TRAIL)) ? readFileSync(join(cloudDir, TRAIL), "utf8") : "");
/** The calls of RDS' API so far. A line that is being written is left out. */
const calls = () => [...trail().matchAll(/"action":"(\w+)".*\}\n/g)].map(([, action]) => action!);

describe.sequential("npm run ops -- prune with snapshots of RDS", { timeout: 120_000 }, () => {
  test("shows with --plan which ones stay and why, and removes none", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 5],
      [3, 20],
      [4, 30],
    ] as const)
      taken(n, days);
    live(name(3));
    const { status, out, err } = await run("--stack", "prod", "--plan");
    expect(status, err).toBe(0);
    expect(out).toMatch(
      new RegExp(
        `^Snapshots in xx-local-1: 1 backup would go, 3 stay\\.\n  stays {4}${name(1)}  \\S+ \\S+  it is the newest\n(.*\n)  stays {4}${name(3)}  .*the live release names it\n  goes {5}${name(4)}  .*\n$`,
      ),
    );
    expect(await left()).toHaveLength(4);
    expect(calls().filter((each) => !each.startsWith("Describe"))).toEqual([]);
  });

  test("removes what is older, and nothing that a release names or makes, nor any foreign one", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 5],
      [3, 20],
      [4, 30],
      [5, 40],
      [6, 50],
    ] as const)
      taken(n, days);
    live(name(6));
    const stays = [
      taken(10, 60, { stack: "dev" }),
      taken(11, 60, { tags: {} }),
      taken(12, 60, { identifier: `${name(12)}-before-gdpr` }),
      taken(13, 60, { snapshotType: "automated" }),
      taken(14, 60, { status: "creating", progress: 50 }),
    ];
    const { places } = await pruned("prod", "--except", name(5));
    expect(places[0]!.gone.map(({ id }) => id)).toEqual([name(4), name(3)]);
    expect(await left()).toEqual([name(1), name(2), name(5), name(6), ...stays].sort());
    expect((await pruned("prod", "--except", name(5))).places[0]!.gone).toEqual([]);
  });

  test("removes none without backup.keep, but tells when little is left of the quota", async () => {
    for (let n = 1; n <= 80; n++) taken(n, 10 + n, { stack: n > 40 ? "other" : "everything" });
    const { status, out, err } = await run("--stack", "everything");
    expect(status, err).toBe(0);
    expect(out).toContain("0 backups removed, 40 stay.\nbackup.keep is not set, so every backup stays.");
    expect(err).toMatch(
      /Warning: 80 of 100 manual snapshots that the account may have in xx-local-1 are used\.\n.*\nNext: pulumi config set --path release:backup\.keep\.last 20 --stack everything, and then npm run ops -- prune --stack everything\n/,
    );
  });

  test("prunes the copies in their region by the same rule, and never a snapshot that is being copied", async () => {
    const stack = "copied";
    for (const [n, days] of [
      [1, 1],
      [2, 2],
      [3, 20],
      [4, 30],
    ] as const) {
      taken(n, days, { stack });
      taken(n, days, {
        stack,
        copy: { region: "eu-west-1", source: `arn:${name(n)}` },
        ...(n === 4 ? { status: "copying" } : {}),
      });
    }
    taken(5, 40, { stack, copy: { region: "eu-west-1", source: "arn" }, identifier: `${name(5)}-r2` });
    taken(9, 40, { stack, copy: { region: "us-east-1", source: "arn" } });
    const { places } = await pruned(stack);
    expect(places.map(({ place, gone }) => [place, gone.map(({ id }) => id)])).toEqual([
      ["Snapshots in eu-central-1", [name(3)]],
      ["Snapshots in eu-west-1", [`${name(5)}-r2`, name(3)]],
    ]);
    expect(await left()).toContain(`${name(9)}@us-east-1`);
  });

  test("prunes snapshots of clusters", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 2],
      [3, 20],
    ] as const)
      taken(n, days, { stack: "aurora", kind: "cluster" });
    expect((await pruned("aurora")).places[0]!.gone.map(({ id }) => id)).toEqual([name(3)]);
    expect(calls()).toContain("DeleteDBClusterSnapshot");
    expect(await left("cluster")).toEqual([name(1), name(2)]);
  });

  test("says which right is missing, and needs none that the documentation doesn't list", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 2],
      [3, 20],
    ] as const)
      taken(n, days);
    writeFileSync(granted, JSON.stringify(pruneActions("instance").filter((each) => !each.includes("Delete"))));
    const refused = await run("--stack", "prod");
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(
      /FAILED: 1 backup could not be removed: RDS refused DeleteDBSnapshot: .*not authorized/,
    );
    expect(refused.err).toMatch(
      /Next: give the rights that docs\/backup\.md lists, then: npm run ops -- prune --stack prod\n/,
    );
    expect(await left()).toHaveLength(3);
    writeFileSync(granted, JSON.stringify(pruneActions("instance").filter((each) => !each.includes("Account"))));
    expect((await pruned("prod")).places[0]!.gone).toHaveLength(1);
  });

  test("ends well when it is repeated after a kill between two removals", async () => {
    for (let n = 1; n <= 30; n++) taken(n, 20 + n);
    live(name(1));
    const { child, ended } = await start("--stack", "prod");
    while (child.exitCode === null && !calls().includes("DeleteDBSnapshot")) await new Promise(setImmediate);
    child.kill("SIGKILL");
    expect((await ended).status).toBeNull();
    expect((await left()).length).toBeGreaterThan(2);
    await pruned("prod");
    expect(await left()).toEqual([name(1), name(2)]);
  });

  test("is refused while a release runs, with credentials of another account, and without the outputs", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 2],
      [3, 20],
    ] as const)
      taken(n, days);
    const elsewhere = await run("--stack", "elsewhere");
    expect([elsewhere.status, elsewhere.err]).toEqual([
      2,
      expect.stringContaining("belong to AWS account 000000000000"),
    ]);
    const none = await run("--stack", "none");
    expect([none.status, none.err]).toEqual([2, expect.stringContaining('backup.mode of stack "none" is "none"')]);
    writeFileSync(outputs, JSON.stringify({ vpc: "vpc-1" }));
    const unknown = await run("--stack", "prod");
    expect([unknown.status, unknown.err]).toEqual([
      2,
      expect.stringMatching(
        /which backup the live release names: the outputs .*\n.*\nNext: pulumi stack output --json --stack prod > outputs.json && npm run ops -- prune --stack prod --outputs outputs.json/,
      ),
    ]);
    live(name(1));
    const cloud = await connect(cloudDir);
    const metadata = {
      name: "notes-dump-1",
      namespace: "default",
      labels: { "app.kubernetes.io/name": "notes", "app.kubernetes.io/component": "dump" },
    };
    const container = { name: "migrator", image: "node:22", command: ["node", "-e", "setInterval(() => {}, 1000)"] };
    const spec = { backoffLimit: 0, template: { spec: { restartPolicy: "Never", containers: [container] } } };
    await cloud.call("kubernetes.apply", { object: { apiVersion: "batch/v1", kind: "Job", metadata, spec } });
    const busy = await run("--stack", "prod");
    expect([busy.status, busy.err]).toEqual([6, expect.stringContaining("A release is running: Job notes-dump-1")]);
    expect(await left()).toHaveLength(3);
  });
});
