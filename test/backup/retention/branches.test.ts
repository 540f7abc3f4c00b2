import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { backupName } from "../../../backup/names";
import { NeonApi } from "../../../backup/neon/api";
import { branchStore } from "../../../backup/retention/branches";
import type { Retention } from "../../../backup/retention/choose";
import { pruneStore } from "../../../backup/retention/prune";
import { answerNeon } from "../../../local/cloud/neon/api";
import { type Branch, NeonProject } from "../../../local/cloud/neon/project";
import { Log } from "../../../migrator/log";
import { writeAtomically } from "../../../text/atomic";

const OWNER = { project: "shop", stack: "prod", app: "notes" };
const NOW = new Date("2026-11-30T12:00:00Z");
const KEEP: Retention = { keep: { last: 2 }, named: new Map(), maxAgeMs: 3_600_000, now: NOW };
const KEY = "napi_canary-prune-3b1";
const fingerprint = (n: number) => n.toString(16).padStart(12, "0").padEnd(64, "0");
const nameOf = (n: number, attempt = 1) => backupName(OWNER, fingerprint(n), attempt);

// These tests speak to the local cloud's stand-in of Neon's API, in this process.
describe("old branches at the stand-in of Neon's API", () => {
  let folder: string;
  let http: Server;
  let project: NeonProject;
  const file = () => join(folder, "p.json");

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "prune-neon-"));
    project = new NeonProject(file(), {
      ...{ copy: () => Promise.reject(new Error()), copyOfMoment: () => Promise.reject(new Error()) },
      ...{ start: () => Promise.reject(new Error()), host: () => "127.0.0.1:1" },
      ...{ removeServer: async () => undefined, removeData: async () => undefined },
    });
    const surroundings = { key: KEY, project: () => project, hasFault: () => false };
    http = createServer((request, response) => void answerNeon(surroundings, request, response));
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  });
  afterAll(async () => {
    http.closeAllConnections();
    await new Promise((closed) => http.close(closed));
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    rmSync(file(), { force: true });
    project.ensure("p", "notes-db");
  });

  /** Notes a branch as one that a release of the stack has made so many days ago. */
  function made(n: number, days: number, more: Partial<Branch> = {}): string {
    const { branches, ...rest } = project.read();
    const branch: Branch = {
      ...{ id: `br-${n}`, name: nameOf(n), parent_id: branches[0]!.id, current_state: "ready", default: false },
      ...{ created_at: new Date(NOW.getTime() - days * 86_400_000).toISOString(), protected: false, data: "none" },
      annotation: { "postgres-release": "backup", ...OWNER, migrations: fingerprint(n) },
      ...more,
    };
    writeAtomically(file(), JSON.stringify({ ...rest, branches: [...branches, branch] }));
    return branch.name;
  }

  async function pruned({ retention = KEEP, plan = false } = {}) {
    const { port } = http.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}/api/v2`;
    const api = new NeonApi({ endpoint, key: KEY, project: "p", signal: AbortSignal.timeout(20_000), firstPauseMs: 1 });
    const events: { event: string; id: string }[] = [];
    const log = new Log("json", (text) => events.push(JSON.parse(text) as { event: string; id: string }));
    const signal = new AbortController().signal;
    const all = await pruneStore(await branchStore(api, OWNER), { retention, plan, log, signal });
    expect(JSON.stringify(events)).not.toContain(KEY);
    return { all, gone: events.filter(({ event }) => event === "backup.gone").map(({ id }) => id) };
  }
  const left = () => project.read().branches.map(({ name }) => name);

  test("go by their age and number; a plan removes none, and a second run nothing more", async () => {
    for (const [n, days] of [
      [1, 1],
      [2, 5],
      [3, 20],
      [4, 30],
    ] as const)
      made(n, days);
    const retention = { ...KEEP, named: new Map([[nameOf(4), "named"]]) };
    expect(await pruned({ retention, plan: true })).toEqual({ all: true, gone: [nameOf(3)] });
    expect(left()).toHaveLength(5);
    expect(await pruned({ retention })).toEqual({ all: true, gone: [nameOf(3)] });
    expect(left()).toEqual(["production", nameOf(1), nameOf(2), nameOf(4)]);
    expect((await pruned({ retention })).gone).toEqual([]);
  });

  test("of others, or of another purpose, stay, and so does one that is being made or used", async () => {
    const annotation = { "postgres-release": "backup", ...OWNER };
    for (const [n, days] of [
      [1, 1],
      [2, 5],
    ] as const)
      made(n, days);
    made(3, 50, { annotation: {} });
    made(4, 50, { annotation: { ...annotation, stack: "dev", migrations: fingerprint(4) } });
    made(5, 50, { annotation: { ...annotation, app: "notes-admin", migrations: fingerprint(5) } });
    made(6, 50, { annotation: { ...annotation, "postgres-release": "restore", migrations: fingerprint(6) } });
    made(7, 50, { name: "notes before gdpr" });
    made(8, 50, { annotation: { ...annotation, migrations: "f".repeat(64) } });
    made(9, 50, { protected: true });
    made(10, 50, { current_state: "init" });
    made(11, 50);
    made(12, 1, { name: "somebody's", parent_id: "br-11", annotation: {} });
    const before = left();
    expect((await pruned()).gone).toEqual([]);
    expect(left()).toEqual(before);
  });
});
