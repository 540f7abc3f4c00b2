import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectFolder, removeFolders } from "../by-hand/project";

const START = resolve(__dirname, "../../bin/start.cjs");

interface Answer {
  /** Words of the command. */
  when: string[];
  out?: unknown;
  err?: string;
  status?: number;
  /** How often it answers. */
  times?: number;
  /** A file that must be there for it to answer, one that the call makes, and one that it waits for. */
  after?: string;
  marks?: string;
  hold?: string;
}

const pod = (state: object, more: object = {}) => ({
  items: [{ metadata: { name: "pod-1" }, status: { containerStatuses: [{ name: "migrator", state }], ...more } }],
});
const job = (component: string, name: string, conditions: object[] = []) => ({
  metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z", labels: { "app.kubernetes.io/component": component } },
  status: { conditions },
});
const JOBS: Answer = { when: ["get jobs --selector=app.kubernetes.io/name=notes"], out: { items: [] } };
const CREATED: Answer = { when: ["create --filename=- --output=json"], out: { metadata: { name: "x", uid: "u-1" } } };
const MAPS: Answer = { when: ["create --filename=-"] };
const RUNNING: Answer = { when: ["get pods"], times: 1, out: pod({ running: {} }) };
const ENDED: Answer = { when: ["get pods"], out: pod({ terminated: { exitCode: 10, reason: "Error" } }) };
const LOG: Answer = { when: ["logs pod-1"], out: "2026-01-01T00:00:00.1Z first\n2026-01-01T00:00:00.2Z second line\n" };
const DELETE: Answer[] = [{ when: ["delete jobs"], marks: "deleted" }, { when: ["delete configmaps"] }];
const GOOD = [JOBS, CREATED, MAPS, RUNNING, ENDED, LOG, ...DELETE];

let bin: string;
let project: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "fake kubectl "));
  symlinkSync(join(__dirname, "fake-kubectl.cjs"), join(bin, "kubectl"));
  project = projectFolder({ prod: { namespace: "shop", "kubernetes:context": "eks" } });
  writeFileSync(join(project, "fix.sql"), "SELECT 1;\n");
});
afterEach(() => rmSync(bin, { recursive: true, force: true }));
afterAll(removeFolders);

function start(answers: readonly Answer[], ...args: string[]) {
  writeFileSync(join(bin, "answers.json"), JSON.stringify(answers));
  const child = spawn(process.execPath, [START, "ops", ...args], {
    cwd: project,
    env: { ...process.env, PATH: [bin, process.env["PATH"]].join(delimiter), FAKE_KUBECTL: bin },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const ended = new Promise<{ status: number | null; out: string; err: string }>((done) =>
    child.once("close", (status) => done({ status, out, err })),
  );
  return { child, ended, err: () => err };
}

const run = (answers: readonly Answer[], ...args: string[]) => start(answers, ...args).ended;

function calls(): { words: string[]; input: string }[] {
  const file = join(bin, "calls.jsonl");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}
const called = (words: string) => calls().filter((each) => each.words.join(" ").includes(words));

// Each run builds the migrator, which takes seconds on a busy machine.
describe("npm run ops", { timeout: 180_000 }, () => {
  test("creates the Job, passes on its log and exit status, and removes it with its ConfigMaps", async () => {
    const { status, out, err } = await run(GOOD, "status", "--stack", "prod");
    expect(status, err).toBe(10);
    expect(out).toBe("first\nsecond line\n");
    expect(err).toMatch(/^status on stack prod, namespace shop, context eks\n {2}Job notes-ops-status-\w{6}, image /);
    expect(err).toContain("It only reads the database.");
    for (const { words } of calls())
      expect(words).toEqual(expect.arrayContaining(["--namespace=shop", "--context=eks"]));
    const created = JSON.parse(called("--output=json").find(({ input }) => input)!.input);
    expect(created.kind).toBe("Job");
    const { name } = created.metadata;
    const maps = JSON.parse(called("create").at(-1)!.input).items.map(({ metadata }: any) => metadata.name);
    expect(created.spec.template.spec.volumes[0].projected.sources.map(({ configMap }: any) => configMap.name)).toEqual(
      maps,
    );
    expect(called(`delete jobs ${name} --cascade=background`)).toHaveLength(1);
    expect(called(`delete configmaps ${maps.join(" ")}`)).toHaveLength(1);
  });

  test("goes on behind the last line when the stream of the log breaks", async () => {
    const answers: Answer[] = [
      ...[JOBS, CREATED, MAPS],
      { ...RUNNING, times: 2 },
      ENDED,
      { ...LOG, times: 1, status: 1, err: "http2: stream closed" },
      {
        when: ["logs pod-1", "--since-time=2026-01-01T00:00:00.2Z"],
        out: "2026-01-01T00:00:00.2Z second line\n2026-01-01T00:00:00.25Z third\n",
      },
      ...DELETE,
    ];
    const { status, out, err } = await run(answers, "status", "--stack", "prod");
    expect(status, err).toBe(10);
    expect(out).toBe("first\nsecond line\nthird\n");
  });

  test("writes the folder of a hotfix that the Job has recorded, and never over another one", async () => {
    const told = (event: string, fields: object) => JSON.stringify({ event, message: `${event} told`, ...fields });
    const lines = [
      told("sql.started", {}),
      told("hotfix.recorded", { migration: "20260101000000_add_fax", checksum: "x" }),
    ];
    const answers: Answer[] = [
      ...[JOBS, CREATED, MAPS, RUNNING],
      { when: ["get pods"], out: pod({ terminated: { exitCode: 0, reason: "Completed" } }) },
      { ...LOG, out: lines.map((line, at) => `2026-01-01T00:00:00.${at + 1}Z ${line}\n`).join("") },
      ...DELETE,
    ];
    const words = ["sql", "fix.sql", "--hotfix", "add_fax", "--stack", "prod"];
    const { status, out, err } = await run(answers, ...words);
    expect(status, err).toBe(0);
    expect(out).toBe("sql.started told\nhotfix.recorded told\n");
    const [{ args }] = JSON.parse(called("--output=json").find(({ input }) => input)!.input).spec.template.spec
      .containers;
    expect(args.join(" ")).toMatch(/^sql \S+statement\.sql --file-name fix\.sql --hotfix add_fax .*--json/);
    const path = join("migrations", "20260101000000_add_fax", "migration.sql");
    expect(err).toContain(`Written: ${path}. `);
    expect(err).toContain("Next: git add migrations/20260101000000_add_fax (");
    expect(readFileSync(join(project, path), "utf8")).toBe("-- release: hotfix\nSELECT 1;\n");
    writeFileSync(join(project, path), "SELECT 2;");
    rmSync(join(bin, "used-3"));
    const taken = await run(answers, ...words);
    expect(taken.status, taken.err).toBe(1);
    expect(taken.err).toMatch(
      /FAILED: .*_add_fax can't be written: ENOTEMPTY\.\nDatabase: .*_add_fax is applied and recorded.*\nNext: see to the folder, then: npm run ops -- sql fix\.sql --hotfix add_fax --stack prod \(it only writes/,
    );
    expect(readFileSync(join(project, path), "utf8")).toBe("SELECT 2;");
  });

  test("writes the migrations that the Job of adopt has made, behind those of the checkout", async () => {
    const told = (event: string, fields: object) => JSON.stringify({ event, message: `${event} told`, ...fields });
    const answers = (...lines: string[]): Answer[] => [
      ...[JOBS, CREATED, MAPS, RUNNING],
      { when: ["get pods"], out: pod({ terminated: { exitCode: 0, reason: "Completed" } }) },
      { ...LOG, out: lines.map((line, at) => `2026-01-01T00:00:00.${at + 1}Z ${line}\n`).join("") },
      ...DELETE,
    ];
    const words = ["adopt", "--name", "fax", "--stack", "prod"];
    const drafts = told("drafts", { migrations: [{ title: "fax", sql: "-- release: hotfix\nSELECT 1;\n" }] });
    const { status, out, err } = await run(answers(told("adopt.drift", {}), drafts), ...words);
    expect(status, err).toBe(0);
    expect(out).toBe("adopt.drift told\ndrafts told\n");
    const [, path = ""] = /^Written: (migrations\/\d{14}_fax\/migration\.sql)$/m.exec(err) ?? [];
    expect(readFileSync(join(project, path), "utf8")).toBe("-- release: hotfix\nSELECT 1;\n");
    expect(err).toMatch(/^Next: read the SQL, change schema\.prisma, git add migrations\/\d+_fax/m);
    rmSync(join(bin, "used-3"));
    const cut = await run(answers(told("adopt.drift", {})), ...words);
    expect(cut.err).toMatch(
      /FAILED: The log of the Job was cut off[\s\S]*Next: npm run ops -- adopt --name fax --stack prod/,
    );
  });

  test("refuses what changes the database while a release's Job runs, and only tells otherwise", async () => {
    const busy: Answer = { ...JOBS, out: { items: [job("migrate", "notes-migrate-1")] } };
    const refused = await run([busy], "sql", "fix.sql", "--stack", "prod");
    expect(refused.status).toBe(6);
    expect(refused.err).toMatch(
      /FAILED: A release is running: Job notes-migrate-1 has not ended\.\nDatabase: this command changed nothing.*\nNext: wait until .*kubectl get job notes-migrate-1 -n shop --context eks/,
    );
    expect(called("create")).toEqual([]);
    const diagnosed = await run([busy, ...GOOD.slice(1)], "resolve", "--diagnose", "1_init", "--stack", "prod");
    expect(diagnosed.status).toBe(10);
    expect(diagnosed.err).toContain("A release is running");
    const ended: Answer = {
      ...JOBS,
      out: { items: [job("migrate", "notes-migrate-1", [{ type: "Failed", status: "True" }])] },
    };
    expect((await run([ended, ...GOOD.slice(1)], "resolve", "--applied", "1_init", "--stack", "prod")).status).toBe(10);
  });

  test("removes the Job that a killed ops left once it has ended, and names one that runs", async () => {
    const complete = { type: "Complete", status: "True", lastTransitionTime: "2026-01-01T00:01:00Z" };
    const left: Answer = {
      ...JOBS,
      out: { items: [job("ops", "notes-ops-old", [complete]), job("ops", "notes-ops-new")] },
    };
    const { status, err } = await run([left, ...GOOD.slice(1)], "status", "--stack", "prod");
    expect(status, err).toBe(10);
    expect(err).toContain("Removed Job notes-ops-old, which an earlier `ops` left (Complete).");
    expect(err).toContain("Job notes-ops-new of another `ops` runs since 2026-01-01T00:00:00Z.");
    expect(called("delete jobs notes-ops-old")).toHaveLength(1);
    expect(called("delete jobs notes-ops-new")).toEqual([]);
  });

  test("deletes the Job at Ctrl-C, passes on the migrator's last lines, and ends with 130", async () => {
    const answers: Answer[] = [
      ...[JOBS, CREATED, MAPS],
      { when: ["get pods"], after: "deleted", out: { items: [] } },
      { when: ["get pods"], out: pod({ running: {} }) },
      { when: ["get jobs"] },
      { ...LOG, out: "2026-01-01T00:00:00.1Z Stopped by SIGTERM.\n", hold: "deleted", marks: "following" },
      ...DELETE,
    ];
    const running = start(answers, "sql", "fix.sql", "--stack", "prod");
    while (!existsSync(join(bin, "following"))) await new Promise((again) => setTimeout(again, 20));
    running.child.kill("SIGINT");
    // npm passes the same key press on.
    running.child.kill("SIGINT");
    const { status, out, err } = await running.ended;
    expect(status, err).toBe(130);
    expect(out).toContain("Stopped by SIGTERM.");
    expect(err).toContain("It changes the database: it runs it in one transaction");
    expect(err).toContain("Stopping: Job notes-ops-sql-");
    expect(called("delete jobs")).toHaveLength(1);
    expect(called("delete configmaps")).toHaveLength(1);
  });

  test.each([
    [
      "an image that can't be pulled",
      pod({ waiting: { reason: "ImagePullBackOff", message: "no such image" } }),
      "ImagePullBackOff: no such image",
    ],
    [
      "a Secret that is missing",
      pod({ waiting: { reason: "CreateContainerConfigError", message: 'secret "x" not found' } }),
      'secret "x" not found',
    ],
    [
      "an eviction before the start",
      pod({ waiting: {} }, { phase: "Failed", reason: "Evicted", message: "The node was low" }),
      "Evicted: The node was low",
    ],
  ])("tells %s, and leaves nothing behind", async (_, out, message) => {
    const { status, err } = await run(
      [JOBS, CREATED, MAPS, { when: ["get pods"], out }, ...DELETE],
      "status",
      "--stack",
      "prod",
    );
    expect(status).toBe(69);
    expect(err).toContain(`FAILED: The cluster can't run the Job: `);
    expect(err).toContain(message);
    expect(err).toContain("Database: not connected to; nothing was changed.");
    expect(called("delete jobs")).toHaveLength(1);
    expect(called("delete configmaps")).toHaveLength(1);
  });

  test("tells why a Job gets no pod", async () => {
    const answers: Answer[] = [
      ...[JOBS, CREATED, MAPS],
      { when: ["get pods"], out: { items: [] } },
      { when: ["get jobs"], out: job("ops", "x") },
      {
        when: ["get events"],
        out: { items: [{ reason: "FailedCreate", message: "pods is forbidden: violates PodSecurity" }] },
      },
      ...DELETE,
    ];
    const { status, err } = await run(answers, "status", "--stack", "prod");
    expect(status).toBe(69);
    expect(err).toContain("pods is forbidden: violates PodSecurity");
  });

  test.each([
    [
      "evicted",
      pod({ running: {} }, { phase: "Failed", reason: "Evicted", message: "low on memory" }),
      "Evicted: low on memory",
    ],
    ["killed for its memory", pod({ terminated: { exitCode: 137, reason: "OOMKilled" } }), "OOMKilled"],
  ])("tells that its pod was %s while it ran", async (_, out, message) => {
    const answers = [JOBS, CREATED, MAPS, RUNNING, { when: ["get pods"], out }, LOG, ...DELETE];
    const { status, err } = await run(answers, "verify", "--stack", "prod");
    expect(status).toBe(69);
    expect(err).toContain(`was ended from outside: ${message}`);
  });

  test.each([
    [
      "a missing right",
      'Error from server (Forbidden): jobs.batch is forbidden: User "me" cannot list',
      "bind the Role of docs/ops.md",
    ],
    [
      "a context that isn't there",
      'error: context "eks" does not exist',
      "see that this answers: kubectl get jobs -n shop --context eks",
    ],
  ])("tells %s in kubectl's words", async (_, message, next) => {
    const { status, err } = await run([{ ...JOBS, status: 1, err: message }], "status", "--stack", "prod");
    expect(status).toBe(69);
    expect(err).toContain(message);
    expect(err).toContain(next);
  });

  test("removes the Job when its ConfigMaps are refused, and names it if even that fails", async () => {
    const refused: Answer = {
      when: ["create --filename=-"],
      status: 1,
      err: "Error from server (Forbidden): configmaps is forbidden",
    };
    const first = await run([JOBS, CREATED, refused, ...DELETE], "status", "--stack", "prod");
    expect(first.status, first.err).toBe(69);
    expect(called("delete jobs")).toHaveLength(1);
    const stuck: Answer = { when: ["delete jobs"], status: 1, err: "Error from server (Forbidden): jobs is forbidden" };
    const second = await run([JOBS, CREATED, refused, stuck], "status", "--stack", "prod");
    expect(second.err).toMatch(/Job notes-ops-status-\w+ could not be removed/);
    expect(second.err).toMatch(/By hand: kubectl delete job notes-ops-status-\w+ -n shop --context eks/);
  });

  test.each([
    [["sql", "nowhere.sql"], "There is no file nowhere.sql."],
    [["status", "--kubeconfig"], "--kubeconfig needs a value (FILE)"],
  ])("%j ends with 2 before it asks the cluster", async (args, message) => {
    const { status, err } = await run([], ...args, "--stack", "prod");
    expect(status).toBe(2);
    expect(err).toContain(message);
    expect(calls()).toEqual([]);
  });
});
