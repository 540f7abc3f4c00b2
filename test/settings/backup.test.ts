import { describe, expect, test } from "vitest";
import { isAgeRecipient } from "../../settings/age-recipient";
import { parseSettings } from "../../settings/parse";

const KEY = "age1gde3ncmahlqd9gg50tanl99r960llztrhfapnmx853s4tjum03uqfssgdh";
const DUMP = { to: "s3://notes-backups/prod", recipients: [KEY] };

function problemsOf(backup: object, more: { policy?: object; database?: object } = {}): string[] {
  return parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" }, ...more.database },
    migrations: { directory: "migrations" },
    policy: { encryption: "optional", ...more.policy },
    backup,
  }).problems;
}

const dump = (change: object = {}) => ({ mode: "dump", image: "postgres:17-alpine", dump: { ...DUMP, ...change } });

describe("backup.mode: dump", () => {
  test("needs no identifier of RDS, and counts where a backup is required", () => {
    expect(problemsOf(dump(), { policy: { backup: "required", encryption: "required" } })).toEqual([]);
    expect(problemsOf(dump({ to: undefined, claim: "notes-backups" }))).toEqual([]);
  });

  const wrong: [what: string, backup: object, message: string, policy?: object][] = [
    ["no image", { ...dump(), image: undefined }, "backup.image is missing; it must be an image with pg_dump"],
    ["no place", dump({ to: undefined }), "backup.dump.to is missing; it must be a bucket"],
    ["no group of the dump", { ...dump(), dump: undefined }, "backup.dump is missing"],
    ["two places", dump({ claim: "notes-backups" }), "left out, because backup.dump.to is given"],
    [
      "a bucket's key beside a claim",
      dump({ to: undefined, claim: "notes-backups", region: "eu-central-1" }),
      "backup.dump.region",
    ],
    ["the restore of a snapshot", { ...dump(), restore: "restore {snapshot}" }, "backup.restore"],
    ["a mistyped key", dump({ recipients: [KEY.replace("e3n", "e3m")] }), "backup.dump.recipients.0"],
    ["a bucket without s3://", dump({ to: "notes-backups" }), "a bucket and a prefix of names"],
    ["an endpoint with a path", dump({ endpoint: "https://minio.example/notes" }), "the address of a store"],
    ["a format, which `jobs` decides", dump({ format: "directory" }), "unknown setting backup.dump.format"],
    [
      "a disk for a streamed dump",
      dump({ scratch: { size: "10Gi" } }),
      "backup.dump.jobs is 1: such a dump needs no disk",
    ],
    [
      "a volume without a size",
      dump({ jobs: 4, scratch: { storageClass: "gp3" } }),
      "backup.dump.scratch.size is missing; it must be the size of the volume",
    ],
    [
      "no key where encryption is required",
      dump({ recipients: [] }),
      "at least one public key",
      { encryption: "required" },
    ],
    ["an image by its tag where images are pinned", dump(), "backup.image", { pinnedImages: true }],
    ["a dump's keys with a snapshot", { ...dump(), mode: "snapshot" }, 'left out, because backup.mode is "snapshot"'],
  ];
  test.each(wrong)("refuses %s", (_, backup, message, policy = {}) => {
    expect(problemsOf(backup, { policy: { backup: "optional", ...policy } }).join("\n")).toContain(message);
  });

  test("leaves a snapshot in need of the identifier", () => {
    expect(problemsOf({ mode: "snapshot" })).toEqual([
      'database.identifier is missing; it must be the DB identifier of RDS, because backup.mode is "snapshot" (without RDS: backup.mode: dump or branch)',
    ]);
  });
});

describe("backup.mode: branch", () => {
  const BRANCH = { project: "floral-king-961888", secret: { name: "notes-neon" } };
  const branch = (change: object = {}) => ({ mode: "branch", branch: { ...BRANCH, ...change } });

  test("needs no identifier of RDS, and counts where a backup is required", () => {
    expect(problemsOf(branch(), { policy: { backup: "required", encryption: "required" } })).toEqual([]);
  });

  const wrong: [what: string, backup: object, message: string][] = [
    ["no group of the branch", { mode: "branch" }, "backup.branch is missing; it must be a group of keys"],
    ["no project", branch({ project: undefined }), "backup.branch.project is missing; it must be the id of a project"],
    ["no Secret", branch({ secret: undefined }), "backup.branch.secret"],
    ["the key itself in place of its Secret", branch({ secret: "napi_abc" }), "backup.branch.secret"],
    ["an address without a scheme", branch({ endpoint: "console.neon.tech" }), "the address of Neon's API"],
    ["a branch's keys with a dump", { ...branch(), mode: "dump" }, 'left out, because backup.mode is "dump"'],
    ["a dump's keys", { ...branch(), dump: DUMP }, 'left out, because backup.mode is "branch"'],
    ["the restore of a snapshot", { ...branch(), restore: "restore {snapshot}" }, "backup.restore"],
  ];
  test.each(wrong)("refuses %s", (_, backup, message) => {
    expect(problemsOf(backup, { policy: { backup: "optional" } }).join("\n")).toContain(message);
  });
});

test("a public key of age is one whose checksum is right", () => {
  expect(isAgeRecipient(KEY)).toBe(true);
  for (const [index, character] of [...KEY].entries()) {
    if (index < 4) continue;
    const other = character === "q" ? "p" : "q";
    expect(isAgeRecipient(KEY.slice(0, index) + other + KEY.slice(index + 1)), `character ${index}`).toBe(false);
  }
  expect(isAgeRecipient("AGE-SECRET-KEY-1QQQQ")).toBe(false);
  expect(isAgeRecipient(KEY.toUpperCase())).toBe(false);
});
