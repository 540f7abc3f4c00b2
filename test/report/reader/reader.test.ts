import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Report } from "../../../report/contract";
import { bundleReportReader } from "../../../report/reader/bundle";
import type { ReportRequest } from "../../../report/reader/request";
import { writePage } from "../../../report/reader/write-page";
import type { RehearsalProof } from "../../../report/rehearsal-proof";

const home = mkdtempSync(join(tmpdir(), "release report "));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const BEFORE: Report = {
  stage: "before",
  release: "3f2a9c41b07e",
  at: "2026-11-21T10:00:00.000Z",
  database: "notes",
  snapshot: null,
  notes: { tested: "staging, 20 November", window: "Sun 02:00", monitoring: "on call: dashboard | notes" },
  pending: ["20261120090000_add_note_colour"],
  scope: ['"public"."notes": ACCESS EXCLUSIVE'],
  results: [
    {
      name: "locks",
      title: "No lock is held",
      outcome: "warn",
      facts: "1 table looked at",
      findings: [{ check: "locks", what: "A lock.", evidence: ["pid 7"], next: "wait for it" }],
    },
  ],
  tables: { notes: { rows: 40, bytes: 98_304 } },
  elapsed: 400,
};
const AFTER: Report = {
  ...BEFORE,
  stage: "after",
  at: "2026-11-21T10:05:00.000Z",
  snapshot: { id: "notes-db-f00", createdAt: "2026-11-21T10:01:00.000Z" },
  results: [
    { name: "finished", title: "Every migration is finished", outcome: "ok", facts: "9 migrations", findings: [] },
    { name: "rows", title: "No rows lost", outcome: "ok", facts: "1 touched tables compared", findings: [] },
    { name: "analyzed", title: "ANALYZE", outcome: "ok", facts: "1 tables", findings: [] },
    { name: "valid-indexes", title: "Indexes are valid", outcome: "ok", facts: "3 indexes", findings: [] },
  ],
};

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(home, "bin "));
});

/** A kubectl that has these logs, by Job; it writes down how it was called. */
function kubectl(logs: Record<string, string>): void {
  for (const [job, log] of Object.entries(logs)) writeFileSync(join(path, job), log);
  const script = `#!/bin/sh
printf '%s\\n' "$*" >> "${path}/calls"
[ -f "${path}/\${2#job/}" ] || { echo "Error from server (NotFound): jobs.batch not found" >&2; exit 1; }
case "$*" in *--kubeconfig=*) cat "\${6#--kubeconfig=}" > "${path}/kubeconfig";; esac
exec cat "${path}/\${2#job/}"
`;
  writeFileSync(join(path, "kubectl"), script);
  chmodSync(join(path, "kubectl"), 0o755);
}

const log = (report: Report) => `Connected\nREPORT ${JSON.stringify(report)}\nChecklist\n  [x] …\nDone\n`;

/** As the command runs it: the script on stdin. */
async function read(request: ReportRequest, kubeconfig?: string) {
  const child = spawn(process.execPath, ["-"], {
    env: {
      PATH: existsSync(join(path, "kubectl")) ? `${path}:/bin` : path,
      TMPDIR: home,
      RELEASE_REPORT: JSON.stringify(request),
      ...(kubeconfig === undefined ? {} : { RELEASE_KUBECONFIG: kubeconfig }),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  child.stdin.end(bundleReportReader());
  const status = await new Promise<number | null>((ended) => child.on("close", ended));
  return { status, stderr, answer: stdout === "" ? undefined : JSON.parse(stdout) };
}

const SIZES: ReportRequest = { namespace: "notes", context: "prod", jobs: ["notes-migrate-3f"] };
const page = (file: string): ReportRequest => ({
  ...SIZES,
  jobs: ["notes-preflight-3f", "notes-migrate-3f"],
  page: {
    file,
    fingerprint: "f".repeat(64),
    release: "3f2a9c41b07e",
    app: "notes",
    stack: "prod",
    namespace: "notes",
    image: "notes:1.1.0",
    url: "https://notes",
    smoke: "curl https://notes/health",
    restore: "aws rds restore-db-instance-from-db-snapshot …",
  },
});

describe("the sizes of the tables", () => {
  test("are those that the migration Job measured last", async () => {
    kubectl({ "notes-migrate-3f": log(AFTER) });
    const { status, answer } = await read(SIZES);
    expect(status).toBe(0);
    expect(answer).toEqual({
      sizes: { recordedAt: AFTER.at, tables: AFTER.tables },
      backup: expect.objectContaining({ id: AFTER.snapshot!.id, createdAt: AFTER.snapshot!.createdAt }),
    });
    expect(readFileSync(join(path, "calls"), "utf8")).toMatch(
      /^logs job\/notes-migrate-3f .*--namespace=notes .*--context=prod/,
    );
  });

  test.each([
    ["kubectl is not there", undefined, "kubectl is not on PATH"],
    ["the log is gone", {}, "Error from server (NotFound): jobs.batch not found"],
    ["the log has no report", { "notes-migrate-3f": "Killed\n" }, "its log has no report"],
    ["the report is cut off", { "notes-migrate-3f": 'REPORT {"stage":"af' }, "the report in its log is cut off"],
    ...["null", "[]", "{}", '"x"', '{"stage":"after","results":null}', JSON.stringify({ ...AFTER, results: [{}] })].map(
      (json): [string, Record<string, string>, string] => [
        `the report is ${json.slice(0, 40)}`,
        { "notes-migrate-3f": `REPORT ${json}\n` },
        "the report in its log is not one that this version knows",
      ],
    ),
  ])("are unknown when %s, and the release is said to be complete", async (_, logs, reason) => {
    if (logs) kubectl(logs);
    const { status, answer } = await read(SIZES);
    expect(status).toBe(0);
    expect(answer.sizes).toBeUndefined();
    const [state, missing, next] = answer.problem.split("\n");
    expect(state).toBe("The new version is rolled out and serves; nothing is wrong with the release.");
    expect(missing).toContain(reason);
    expect(next).toContain("kubectl logs job/notes-migrate-3f -n notes --context prod");
  });
});

describe("the page for a change ticket", () => {
  test("has every point of a release's checklist, before and after", async () => {
    kubectl({ "notes-preflight-3f": log(BEFORE), "notes-migrate-3f": log(AFTER) });
    const file = join(path, "reports", "deep", "prod-3f.md");
    expect(await read(page(file))).toMatchObject({ status: 0, answer: { file } });
    const text = readFileSync(file, "utf8");
    expect(text.split("\n")[2]).toMatch(
      /^\*\*Complete on .* UTC: 1 migration, the new version serves, 1 finding to look at/,
    );
    for (const row of [
      "| ✅ | Backup | snapshot `notes-db-f00` of 2026-11-21 10:01 UTC |",
      "| ✅ | Tested on another stage | staging, 20 November |",
      '| ✅ | Scope of impact | "public"."notes": ACCESS EXCLUSIVE |',
      "| ✅ | Rollback plan | `aws rds restore-db-instance-from-db-snapshot …` |",
      "| ✅ | Maintenance window | Sun 02:00 |",
      "| ✅ | Monitoring | on call: dashboard \\| notes |",
      "| ✅ | Schema | Every migration is finished: 9 migrations |",
      "| ✅ | Indexes | Indexes are valid: 3 indexes |",
      "| ✅ | Data | No rows lost: 1 touched tables compared |",
      "| ✅ | Performance | ANALYZE: 1 tables |",
      "| ✅ | Application | `notes:1.1.0` serves at https://notes<br>smoke check passed: `curl https://notes/health` |",
      "| ✅ | Logs | `kubectl logs job/notes-preflight-3f -n notes --context prod`<br>",
      "| notes | 96 KiB, 40 rows |",
    ])
      expect(text).toContain(row);
    // Nothing half written stays beside it.
    expect(readdirSync(dirname(file))).toEqual(["prod-3f.md"]);
  });

  test("has what a rehearsal of these migrations measured, and nothing of one of others", async () => {
    mkdirSync(join(path, "configmaps"));
    const growth = { people: { before: { rows: 10, bytes: 8192 }, after: { rows: 10, bytes: 16_384 } } };
    const proof: RehearsalProof = {
      ...{ fingerprint: "f".repeat(64), at: "2026-11-20T22:00:00Z", of: "snapshot notes-db-e11", result: "passed" },
      measurement: {
        ...{ milliseconds: 41_000, walBytes: 2048, diskBytes: 8192, growth, plans: undefined },
        migrations: [
          {
            ...{ name: "9_age", milliseconds: 41_000 },
            blocked: [{ table: "people", lock: "ACCESS EXCLUSIVE", milliseconds: 40_000 }],
            statements: [
              { index: 0, line: 1, kind: "UPDATE", milliseconds: 41_000, rows: 10, walBytes: 2048, tables: [] },
            ],
          },
        ],
      },
    };
    const written = async (found: RehearsalProof) => {
      const map = { kind: "ConfigMap", metadata: { name: "notes-rehearsal" }, data: { proof: JSON.stringify(found) } };
      // Both ConfigMaps are asked for at once, by the name of the other first.
      const maps = { "configmaps/notes-restore-check": JSON.stringify({ kind: "List", items: [map] }) };
      kubectl({ ...maps, "notes-preflight-3f": log(BEFORE), "notes-migrate-3f": log(AFTER) });
      await read(page(join(path, "prod-3f.md")));
      return readFileSync(join(path, "prod-3f.md"), "utf8");
    };
    const text = await written(proof);
    expect(text).toContain("| ✅ | Rehearsed | on 2026-11-20 22:00 UTC, on a copy of snapshot notes-db-e11, in 41 s |");
    expect(text).toContain("| `9_age` | 41 s | people (ACCESS EXCLUSIVE) for 40 s | 10 | 2 KiB |");
    expect(text).toContain("| people | 8 KiB, 10 rows | 16 KiB, 10 rows |\n\nThe database grew by 8 KiB.");
    expect(text).not.toContain("Left out");
    expect(await written({ ...proof, leftOut: "the details of the 9 quickest statements" })).toContain(
      "Left out, because a ConfigMap takes 1 MiB: the details of the 9 quickest statements. Rows and WAL above are without them.",
    );
    expect(await written({ ...proof, fingerprint: "0".repeat(64) })).not.toMatch(/Rehearsed|Measured on a copy/);
    const failed: RehearsalProof = { ...proof, result: "failed", reason: "9_age failed.", measurement: undefined };
    expect(await written(failed)).toContain("| ⚠️ | Rehearsed | failed on 2026-11-20 22:00 UTC");
  });

  test("is written also without the part of a Job whose log is gone, and says so", async () => {
    kubectl({ "notes-migrate-3f": log(AFTER) });
    const file = join(path, "prod-3f.md");
    const { status, answer } = await read(page(file));
    expect(status).toBe(0);
    expect(answer.problem).toContain("notes-preflight-3f");
    const text = readFileSync(file, "utf8");
    expect(text).toContain("> ⚠️ The part of Job `notes-preflight-3f` is missing here: kubectl says: Error from server");
    expect(text).toContain("| ❔ | Scope of impact | not known here");
    expect(text.split("\n")[2]).toContain("findings not known in full");
    expect(text).toContain("| ✅ | Schema | Every migration is finished: 9 migrations |");
  });

  test("takes what names hold for text, never for markup", async () => {
    const evil = "x`</code>|<img src=x>\n```\n## @team [y](https://e.example) ::error::";
    const finding = {
      check: "c",
      kind: "locks" as const,
      level: "warn" as const,
      what: evil,
      evidence: [evil],
      next: evil,
    };
    const result = { name: "rows", title: evil, outcome: "warn" as const, facts: evil, findings: [finding] };
    const report: Report = {
      ...AFTER,
      database: evil,
      notes: { tested: evil },
      pending: [evil],
      scope: [evil],
      results: [result],
      tables: { [evil]: { rows: 1, bytes: 1 } },
      snapshot: { id: evil, createdAt: evil },
    };
    kubectl({ "notes-preflight-3f": log({ ...report, stage: "before" }), "notes-migrate-3f": log(report) });
    const file = join(path, "prod-3f.md");
    expect((await read(page(file))).status).toBe(0);
    const text = readFileSync(file, "utf8");
    expect(text).toContain("  ````\n  x`</code>");
    const outside = text.replace(/^ *(`{3,}).*\n[\s\S]*?^ *\1$/gm, "");
    expect(outside).not.toMatch(/<img|@team|https:\/\/e\.example|^## @|^::/m);
    for (const line of outside.split("\n").filter((each) => each.startsWith("|")))
      expect(line.replaceAll("\\|", "").split("|").length).toBeGreaterThanOrEqual(4);
  });

  test("that can't be written is an error that says that the release is complete", async () => {
    kubectl({ "notes-preflight-3f": log(BEFORE), "notes-migrate-3f": log(AFTER) });
    mkdirSync(join(path, "taken"));
    writeFileSync(join(path, "taken", "file"), "");
    const { status, stderr } = await read(page(join(path, "taken", "file", "prod-3f.md")));
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^The release is complete: .*\nOnly its report was not written: .*\nNext: .*report\.directory/,
    );
  });

  test("reads with the provider's kubeconfig, which is in no argument and stays nowhere", async () => {
    kubectl({ "notes-preflight-3f": log(BEFORE), "notes-migrate-3f": log(AFTER) });
    const content = "kind: Config\ntoken: hunter2\n";
    expect((await read({ ...SIZES, context: undefined }, content)).status).toBe(0);
    expect(readFileSync(join(path, "kubeconfig"), "utf8")).toBe(content);
    expect(readFileSync(join(path, "calls"), "utf8")).not.toContain("hunter2");
    expect(readdirSync(home).filter((name) => name.startsWith("release-report-"))).toEqual([]);
  });
});

test("a folder that can't be made is an error at once, not a page that is written for ever", {
  timeout: 10_000,
}, () => {
  expect(() => writePage("/proc/nope/below/page.md", "text")).toThrow(/ENOENT|EACCES/);
});
