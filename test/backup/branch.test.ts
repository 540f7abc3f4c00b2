import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runBranch } from "../../backup/branch/run-branch";
import { bundleBranch } from "../../backup/bundle";
import { NeonApi } from "../../backup/neon/api";
import { backupBranches, removeBackupBranch } from "../../backup/neon/branches";
import type { Fault } from "../../local/cloud/aws/faults";
import { answerNeon } from "../../local/cloud/neon/api";
import { type Branch, NeonProject } from "../../local/cloud/neon/project";
import { Log } from "../../migrator/log";
import { startServer, type TestServer } from "../support/server";

const PROJECT = "local-project-1";
const KEY = "napi_canary-neon-key-41d7";
const NAME = "notes.prod/notes-3f2a9c41b07e";
const OF = { project: "notes", stack: "prod" };

// These tests speak to the local cloud's stand-in of Neon's API, in this process. Behind it no data is copied here;
// test/local/branch.test.ts has whole releases on real servers.
describe("a branch of the stand-in of Neon's API", () => {
  let server: TestServer;
  let url: string;
  let folder: string;
  let program: string;
  let http: Server;
  let endpoint: string;
  let project: NeonProject;
  const faults = new Set<Fault>();
  /** What the stand-in was asked for, such as "POST branches". */
  let asked: string[] = [];
  /** What happens to each request before it is answered. */
  let before: (request: string) => "drop" | undefined = () => undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "branch-test-"));
    program = join(folder, "branch.cjs");
    writeFileSync(program, bundleBranch());
    server = await startServer();
    http = createServer((request, response) => {
      const what = `${request.method} ${request.url!.split("/")[5]!.split("?")[0]}`;
      asked.push(what);
      const surroundings = { key: KEY, project: projectOf, hasFault: (fault: Fault) => faults.has(fault) };
      if (before(what) !== "drop") return void answerNeon(surroundings, request, response);
      void answerNeon(surroundings, request, response).then(() => undefined);
      response.write = () => true;
      response.end = () => response.destroy() as never;
    });
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}/api/v2`;
  });
  afterAll(async () => {
    await new Promise((closed) => http.close(closed));
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const projectOf = (id: string) => {
    const found = new NeonProject(
      join(folder, `${id}.json`),
      {
        async copy(_, __, branch) {
          return { data: branch, lsn: "0/1DE2850" };
        },
        async copyOfMoment(_, __, branch) {
          return { data: branch.id };
        },
        start: async (data) => data,
        host: () => `127.0.0.1:${server.port}`,
        removeServer: async () => undefined,
        removeData: async () => undefined,
      },
      (fault) => faults.has(fault),
    );
    found.read();
    return found;
  };

  beforeEach(async () => {
    faults.clear();
    asked = [];
    before = () => undefined;
    rmSync(join(folder, `${PROJECT}.json`), { force: true });
    url = await server.createDatabase();
    const made = new NeonProject(join(folder, `${PROJECT}.json`), {} as never);
    made.ensure(PROJECT, "notes-db");
    project = projectOf(PROJECT);
    await query(`CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
        applied_steps_count integer NOT NULL DEFAULT 0);
      INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('1', '', '20260101000000_init', now())`);
  });

  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows ?? [];
    } finally {
      await client.end();
    }
  }

  const words = (args: readonly string[]) => [
    ...["--neon-project", PROJECT, "--endpoint", endpoint, "--name", NAME, "--project", "notes", "--stack", "prod"],
    ...["--app", "notes", "--fingerprint", "3f2a9c41b07e", "--trouble", "300ms", "--connect-wait", "1s"],
    ...["--timeout", "60s", ...args],
  ];
  const surroundings = (more: Record<string, string>) => ({
    ...{ PATH: process.env["PATH"], DATABASE_URL: url, NEON_API_KEY: KEY, RELEASE_ID: "0123456789ab" },
    ...more,
  });

  /** Begins a run in this process. */
  function start(args: readonly string[] = [], environment: Record<string, string> = {}) {
    const begun = { log: "", ended: Promise.resolve(0) };
    const log = new Log("text", (text) => (begun.log += text));
    begun.ended = runBranch(words(args), surroundings(environment), log);
    return begun;
  }

  async function run(args: readonly string[] = [], environment: Record<string, string> = {}) {
    const begun = start(args, environment);
    const status = await begun.ended;
    expect(begun.log).not.toContain(KEY);
    return { status, log: begun.log };
  }

  /** Begins a run as a process of its own, as the Job does. */
  function spawned() {
    const child = spawn(process.execPath, [program, ...words([])], { env: surroundings({}), stdio: "ignore" });
    return Object.assign(child, {
      ended: new Promise<number>((end) => child.once("close", (code) => end(code ?? 137))),
    });
  }

  const branches = () => project.read().branches;
  const named = (name = NAME) => branches().filter((each) => each.name === name);
  const seen = async (child: { log: string }, text: string) =>
    expect.poll(() => child.log, { timeout: 10_000 }).toContain(text);
  const add = (branch: Partial<Branch>) => {
    const state = project.read();
    const annotation = { "postgres-release": "backup", ...OF };
    const [root] = state.branches;
    const own: Branch = { ...root!, id: "br-earlier", name: NAME, default: false, parent_id: root!.id, annotation };
    writeFileSync(
      join(folder, `${PROJECT}.json`),
      JSON.stringify({ ...state, branches: [root, { ...own, ...branch }] }),
    );
  };

  test("is made of the branch behind the host, without a compute, and recorded; a second run finds it", async () => {
    const first = await run();
    expect(first).toMatchObject({ status: 0, log: expect.stringContaining("the migration may start") });
    const [root, made] = branches();
    expect(made).toMatchObject({ name: NAME, parent_id: root!.id, current_state: "ready", parent_lsn: "0/1DE2850" });
    expect(made!.annotation).toEqual({
      ...{ "postgres-release": "backup", ...OF, app: "notes" },
      ...{ migrations: "3f2a9c41b07e", release: "0123456789ab" },
    });
    expect(project.read().endpoints).toHaveLength(1);
    const [record] = await query("SELECT data FROM _release.record WHERE kind = 'branch'");
    expect(record!["data"]).toMatchObject({
      id: NAME,
      location: `neon://${PROJECT}/${NAME}`,
      createdAt: made!.created_at,
      fingerprint: "3f2a9c41b07e",
      branch: { id: made!.id, parent: root!.id, lsn: "0/1DE2850" },
    });
    asked = [];
    expect(await run()).toMatchObject({ status: 0, log: expect.stringContaining("is there already") });
    expect(asked.filter((each) => !each.startsWith("GET"))).toEqual([]);
    expect(branches()).toHaveLength(2);
  });

  test("is not made of a database that has the last migration already", async () => {
    expect(await run(["--last-migration", "20260101000000_init"])).toMatchObject({
      status: 0,
      log: expect.stringContaining("nothing to make a branch for"),
    });
    expect(branches()).toHaveLength(1);
  });

  test("waits while Neon is busy or has too many requests, and goes on", async () => {
    for (const [fault, said] of [
      ["neon-locked", "423: project already has running"],
      ["neon-rate-limit", "429: too many requests"],
    ] as const) {
      faults.add(fault);
      const begun = start(["--name", `${NAME}-${fault}`]);
      await seen(begun, said);
      faults.delete(fault);
      expect(await begun.ended, begun.log).toBe(0);
      expect(named(`${NAME}-${fault}`)).toHaveLength(1);
    }
  });

  const refusals: [
    what: string,
    code: string,
    prepare: () => void,
    args?: string[],
    environment?: Record<string, string>,
  ][] = [
    ["a wrong key", "neon-key", () => {}, [], { NEON_API_KEY: "napi_another" }],
    ["an unknown project", "neon-project", () => {}, ["--neon-project", "no-such-project"]],
    ["no room for a branch", "branch-limit", () => faults.add("neon-branch-limit")],
    ["a project that stays busy", "branch-too-slow", () => faults.add("neon-locked"), ["--timeout", "1s"]],
    [
      "another branch than the settings'",
      "branch-of-other-database",
      () => add({ name: "staging" }),
      ["--parent", "staging"],
    ],
    ["a parent that is not there", "branch-of-other-database", () => {}, ["--parent", "br-none"]],
    ["a foreign branch of the name", "branch-name-taken", () => add({ annotation: {} })],
    [
      "the same name of another stack",
      "branch-name-taken",
      () => add({ annotation: { "postgres-release": "backup", ...OF, stack: "dev" } }),
    ],
  ];
  test.each(refusals)("is refused for %s", async (_, code, prepare, args = [], environment = {}) => {
    prepare();
    const found = branches();
    const { status, log } = await run(args, environment);
    expect(log).toContain(`FAILED (${code})`);
    expect(log).toMatch(/Database: nothing was changed\.\nApp: not touched.*\nNext: .*run the same command again/);
    expect(status).toBe(7);
    expect(branches()).toEqual(found);
  });

  test("a project without room tells how many branches are ours, and what removes the old ones", async () => {
    add({ name: `${NAME}-2` });
    faults.add("neon-branch-limit");
    const { log } = await run();
    expect(log).toContain("1 of them are backups of this stack");
    expect(log).toContain("npm run ops -- prune --stack prod");
  });

  test("a branch that Neon never finishes gives its name away; the next run makes another", async () => {
    faults.add("neon-breaks");
    const { status, log } = await run();
    expect(log).toContain("FAILED (branch-broken)");
    expect(status).toBe(7);
    expect(named()).toEqual([]);
    const [, broken] = branches();
    expect(broken!.name).toBe(`${NAME}.${broken!.id}`);
    faults.clear();
    expect((await run()).status).toBe(0);
    expect(named()).toHaveLength(1);
    expect(branches()).toHaveLength(3);
  });

  test.each<[what: string, branch: Partial<Branch>, said: string]>([
    ["of another parent", { parent_id: "br-other" }, "is of another parent"],
    ["that was never finished", { current_state: "init" }, "was never finished"],
  ])("an earlier branch %s is renamed, and another is made", async (_, branch, said) => {
    add(branch);
    expect(await run()).toMatchObject({ status: 0, log: expect.stringContaining(said) });
    expect(
      branches()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([NAME, `${NAME}.br-earlier`, "production"].sort());
  });

  test("a request whose answer is lost is not repeated: the branch that it made is found", async () => {
    let lost = 0;
    before = (request) => (request === "POST branches" && lost++ === 0 ? "drop" : undefined);
    const { status, log } = await run();
    expect(log).toContain("the migration may start");
    expect(status).toBe(0);
    expect(lost).toBe(1);
    expect(named()).toHaveLength(1);
  });

  test("the program that is killed while Neon makes the branch leaves it to the next", async () => {
    for (const at of ["POST branches", "GET operations"]) {
      const child = spawned();
      before = (request) => (request === at && child.kill("SIGKILL") ? undefined : undefined);
      expect(await child.ended).toBe(137);
      before = () => undefined;
      expect((await run()).status).toBe(0);
      expect(branches()).toHaveLength(2);
      project.deleteBranch(named()[0]!.id);
      await expect.poll(() => branches().length).toBe(1);
    }
    expect(await spawned().ended).toBe(0);
    expect(named()).toHaveLength(1);
  });

  test("only backups of the stack are listed, and only they are removed", async () => {
    const api = new NeonApi({ endpoint, key: KEY, project: PROJECT, signal: new AbortController().signal });
    await run();
    const [root, made] = branches();
    expect((await backupBranches(api, OF)).map(({ id }) => id)).toEqual([made!.id]);
    expect(await backupBranches(api, { ...OF, stack: "dev" })).toEqual([]);
    await expect(removeBackupBranch(api, root!.id, OF)).rejects.toThrow("is no backup of notes.prod");
    await expect(removeBackupBranch(api, made!.id, { ...OF, stack: "dev" })).rejects.toThrow("is no backup of");
    await removeBackupBranch(api, made!.id, OF);
    expect(branches()).toEqual([root]);
  });
});
