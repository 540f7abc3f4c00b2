import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ReleaseFacts } from "../../by-hand/release-facts";
import type { CommandStack } from "../../by-hand/stack";
import type { Fault } from "../../local/cloud/aws/faults";
import { answerNeon } from "../../local/cloud/neon/api";
import { type Branch, NeonProject } from "../../local/cloud/neon/project";
import { NeonTarget } from "../../restore/neon/target";
import { parseSettings } from "../../settings/parse";

const PROJECT = "local-project-1";
const KEY = "napi_canary-restore-key";
const BACKUP = "notes.prod/notes-3f2a9c41b07e";
const STACK = { project: "notes", stack: "prod" };
const LIVE: ReleaseFacts = {
  outputs: { backup: { kind: "branch", id: BACKUP }, migrationBegan: null } as never,
  unknown: undefined,
};
const UNKNOWN: ReleaseFacts = { outputs: undefined, unknown: "the Pulumi CLI is not on PATH" };

// These tests speak to the local cloud's stand-in of Neon's API, in this process and without data behind it;
// test/local/branch.test.ts restores real servers.
describe("npm run restore of a branch, by the stand-in of Neon's API", () => {
  let http: Server;
  let folder: string;
  let endpoint: string;
  let asked: string[] = [];
  const faults = new Set<Fault>();
  const stop = new AbortController();
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);

  const project = () =>
    new NeonProject(
      join(folder, `${PROJECT}.json`),
      {
        copy: async (_, __, branch) => ({ data: branch }),
        copyOfMoment: async (_, __, branch) => ({ data: branch.id }),
        start: async (_, branch) => {
          if (faults.has("instance-unavailable")) throw new Error("no compute left");
          return branch.name;
        },
        host: () => "127.0.0.1:6543",
        removeServer: async () => undefined,
        removeData: async () => undefined,
      },
      (fault) => faults.has(fault),
    );
  const state = () => project().read();
  const root = () => state().branches[0]!;
  const file = () => join(folder, `${PROJECT}.json`);
  const add = (change: Partial<Branch>) => {
    const { branches, ...rest } = state();
    const own = { ...root(), id: `br-${branches.length}`, default: false, parent_id: root().id, ...change };
    writeFileSync(file(), JSON.stringify({ ...rest, branches: [...branches, own] }));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "restore-neon-"));
    http = createServer((request, response) => {
      asked.push(`${request.method} ${request.url!.split("/").slice(5).join("/").split("?")[0]}`);
      const surroundings = { key: KEY, project, hasFault: (fault: Fault) => faults.has(fault) };
      void answerNeon(surroundings, request, response);
    });
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}/api/v2`;
  });
  afterAll(async () => {
    http.closeAllConnections();
    await new Promise((closed) => http.close(closed));
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    vi.stubEnv("NEON_API_KEY", KEY);
    faults.clear();
    lines.length = 0;
    rmSync(file(), { force: true });
    project().ensure(PROJECT, "notes-db");
    add({ name: BACKUP, annotation: { "postgres-release": "backup", ...STACK }, data: "d" });
    asked = [];
  });
  afterEach(() => vi.unstubAllEnvs());

  function target({ timeout = 20_000, parent }: { timeout?: number; parent?: string } = {}): NeonTarget {
    const { settings } = parseSettings({
      app: { name: "notes", image: "notes:1" },
      database: { secret: { name: "notes-database" } },
      migrations: { directory: "migrations" },
      backup: {
        mode: "branch",
        branch: { project: PROJECT, secret: { name: "n" }, endpoint, ...(parent ? { parent } : {}) },
      },
    });
    const place = { config: new Map(), directory: folder, context: undefined, kubeconfig: undefined };
    const stack: CommandStack<"backup"> = { name: "prod", project: "notes", settings: settings!, ...place };
    const removal = (name: string, ...more: string[]) => ["remove", name, ...more].join(" ");
    return new NeonTarget({
      stack,
      patience: { timeout, stop: stop.signal, removal },
      commands: { removal, list: "list" },
    });
  }
  const plan = (
    to?: string,
    { facts = LIVE, name, ...of }: { facts?: ReleaseFacts; name?: string; parent?: string } = {},
  ) => target(of).plan({ to, name, facts, now: new Date("2026-11-30T17:41:00Z") });

  test("plans by reading alone, and shows the call as it can be typed, without the key", async () => {
    const made = await plan();
    expect(made).toMatchObject({
      ...{ source: "branch production", place: `Neon's project ${PROJECT}`, exists: false },
      ...{ copy: "notes-restored-20261130-1741", from: expect.stringContaining(`branch ${BACKUP} of 20`) },
    });
    const [call] = made.calls;
    expect(call!.parameters).toMatchObject({
      branch: { name: "notes-restored-20261130-1741", parent_id: "br-1" },
      endpoints: [{ type: "read_write", autoscaling_limit_min_cu: 0.25, autoscaling_limit_max_cu: 2 }],
      annotation_value: { "postgres-release": "restore", ...STACK, source: root().id, from: BACKUP },
    });
    expect(call!.typed).toContain('"$NEON_API_KEY"');
    expect(JSON.stringify(made)).not.toContain(KEY);
    expect(asked.every((each) => each.startsWith("GET"))).toBe(true);
  });

  test("makes a further branch with a compute like the source's; neither source nor backup is written to", async () => {
    const before = state();
    const made = await plan();
    expect(await target().carryOut(made, say)).toEqual({
      ...{ name: made.copy, endpoint: { host: "127.0.0.1", port: 6543 } },
    });
    expect(await target().differences(made)).toEqual([]);
    const after = state();
    expect(after.branches.slice(0, 2)).toEqual(before.branches);
    expect(after.branches).toHaveLength(3);
    expect(asked.filter((each) => !each.startsWith("GET"))).toEqual(["POST branches"]);
    expect(await plan()).toMatchObject({ copy: made.copy, exists: true });
    await target().carryOut(await plan(), say);
    expect(state().branches).toHaveLength(3);
  });

  test("a copy without a compute gets it by the same command", async () => {
    faults.add("instance-unavailable");
    const made = await plan();
    const failed = target({ timeout: 1_000 }).carryOut(made, say);
    await expect(failed).rejects.toMatchObject({
      exit: 1,
      database: expect.stringContaining("the source is untouched"),
    });
    faults.clear();
    const again = await plan();
    expect(again).toMatchObject({ copy: made.copy, exists: true });
    expect((await target().carryOut(again, say)).endpoint.port).toBe(6543);
    expect(state().branches).toHaveLength(3);
  });

  test("goes to a moment of the database's own branch, as far as Neon keeps its history", async () => {
    const { branches, ...rest } = state();
    const old = branches.map((each) => ({ ...each, created_at: "2020-01-01T00:00:00Z" }));
    writeFileSync(file(), JSON.stringify({ ...rest, branches: old }));
    const at = `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`;
    const made = await plan(at);
    expect(made).toMatchObject({ source: "branch production", from: `the moment ${at}` });
    expect(made.wanted).toMatchObject({ parent_id: root().id, parent_timestamp: at });
    await target().carryOut(made, say);
    const began = { outputs: { ...LIVE.outputs!, migrationBegan: at }, unknown: undefined };
    expect(await plan("before-migration", { facts: began })).toMatchObject({ exists: true, copy: made.copy });
    await expect(plan("2999-01-01T00:00:00Z")).rejects.toThrow("is in the future");
    await expect(plan("2020-06-01T00:00:00Z")).rejects.toThrow(/keeps the history of production since 20/);
    await expect(plan("before-migration")).rejects.toThrow("is not known");
  });

  test("finds the backup without the stack's outputs, and says how", async () => {
    const made = await plan(undefined, { facts: UNKNOWN });
    expect(made.from).toContain(BACKUP);
    expect(made.notes[0]).toContain("the Pulumi CLI is not on PATH");
    expect((await plan("br-1")).from).toContain(BACKUP);
  });

  const nothing = () => undefined;
  test.each<[what: string, prepare: () => unknown, act: () => Promise<unknown>, exit: number, message: string]>([
    ["an unknown branch", nothing, () => plan("none"), 2, "has no branch none, and it is no time either"],
    [
      "a name that is taken",
      nothing,
      () => plan(BACKUP, { name: "production" }),
      2,
      "There is another database production",
    ],
    ["no key", () => vi.stubEnv("NEON_API_KEY", ""), () => plan(), 2, "NEON_API_KEY is not set"],
    ["a wrong key", () => vi.stubEnv("NEON_API_KEY", "napi_x"), () => plan(), 69, "401"],
    [
      ...(["a release that made none", nothing] as const),
      () => plan(undefined, { facts: { ...LIVE, outputs: { ...LIVE.outputs!, backup: null } } }),
      ...([2, "The live release made no branch"] as const),
    ],
    [
      ...(["no room", () => faults.add("neon-branch-limit")] as const),
      async () => target().carryOut(await plan(), say),
      ...([69, "BRANCHES_LIMIT_EXCEEDED"] as const),
    ],
    [
      ...(["a copy that is never finished", () => faults.add("neon-breaks")] as const),
      async () => target({ timeout: 1_000 }).carryOut(await plan(), say),
      ...([1, "has not finished it"] as const),
    ],
  ])("ends with three parts for %s", async (_, prepare, act, exit, message) => {
    prepare();
    const failure = await act().then(
      () => undefined,
      (error: { exit: number; lines: string }) => error,
    );
    expect(failure?.lines).toContain(message);
    expect(failure?.lines).toMatch(/^FAILED: .*\nDatabase: .+\nNext: .+\n$/s);
    expect(failure?.lines).not.toContain(KEY);
    expect(failure?.exit).toBe(exit);
  });

  test("lists and removes only what restores of this stack have made", async () => {
    const made = await plan();
    await target().carryOut(made, say);
    add({ name: "of-dev", annotation: { "postgres-release": "restore", ...STACK, stack: "dev" } });
    add({ name: "a-preview", annotation: {} });
    expect(await target().list()).toMatchObject([
      { name: made.copy, status: "ready", source: "production", from: BACKUP, protectedFromDeletion: false },
    ]);
    for (const other of ["production", BACKUP, "of-dev", "a-preview"])
      await expect(target().remove(other, true, say)).rejects.toThrow("No branch of that name was made by a restore");
    await target().remove(made.copy, false, say);
    expect(state().branches.map(({ name }) => name)).toEqual(["production", BACKUP, "of-dev", "a-preview"]);
    expect(readFileSync(file(), "utf8")).not.toContain(made.copy);
  });

  test("tells where source and copy are, so that the app can be moved, and checks by a name of its own", async () => {
    const made = await plan();
    await target().carryOut(made, say);
    const endpoint = { host: "127.0.0.1", port: 6543 };
    expect(await target().move(made.copy)).toMatchObject({ source: { endpoint }, copy: { endpoint }, from: BACKUP });
    await expect(target().move(BACKUP)).rejects.toThrow("There is no copy");
    expect(target().fixedName("check")).toBe("notes-restored-check");
  });

  test("removes a protected copy only if it is told to", async () => {
    add({ name: "copy", protected: true, annotation: { "postgres-release": "restore", ...STACK } });
    await expect(target().remove("copy", false, say)).rejects.toMatchObject({ next: "remove copy --unprotect" });
    await target().remove("copy", true, say);
    expect(state().branches).toHaveLength(2);
  });
});
