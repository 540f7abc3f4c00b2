import { describe, expect, test } from "vitest";
import { parseSettings } from "../../settings/parse";
import { rehearsalSource } from "../../settings/rehearsal-rules";

const RDS = { identifier: "notes-db" };
const DUMP = { mode: "dump", image: "postgres:17-alpine", dump: { to: "s3://notes-backups/prod" } };
const BRANCH = { mode: "branch", branch: { project: "floral-king-961888", secret: { name: "notes-neon" } } };
const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const INTO = { into: { secret: "notes-rehearsal-server" } };

function parsed(
  rehearsal: object,
  { backup = {}, database = {}, migrations = {} }: { backup?: object; database?: object; migrations?: object },
) {
  return parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" }, ...database },
    migrations: { directory: "migrations", ...migrations },
    policy: { backup: "optional" },
    backup,
    rehearsal,
  });
}

describe("what a rehearsal restores", () => {
  const sources: [what: string, stack: Parameters<typeof parsed>[1], inRelease: string, byHand: string][] = [
    ["snapshots", { database: RDS }, "snapshot", "pitr"],
    ["dumps", { backup: DUMP }, "dump", "dump"],
    ["dumps of a database of RDS", { backup: DUMP, database: RDS }, "dump", "dump"],
    ["branches", { backup: BRANCH }, "branch", "branch"],
    ["no backup of a database of RDS", { backup: { mode: "none" }, database: RDS }, "pitr", "pitr"],
  ];
  test.each(sources)("with %s", (_, stack, inRelease, byHand) => {
    const { settings } = parsed({ mode: "copy", ...(inRelease === "dump" ? INTO : {}) }, stack);
    expect([rehearsalSource(settings!, true), rehearsalSource(settings!, false)]).toEqual([inRelease, byHand]);
  });

  test("is what the setting says", () => {
    const { settings } = parsed({ mode: "copy", from: "pitr" }, { database: RDS });
    expect(rehearsalSource(settings!, true)).toBe("pitr");
  });
});

describe("refuses", () => {
  const wrong: [what: string, rehearsal: object, stack: Parameters<typeof parsed>[1], message: string][] = [
    [
      "a dump where snapshots are taken",
      { from: "dump", ...INTO },
      { database: RDS },
      'rehearsal.from is "dump"; it must be "snapshot" or "pitr", because backup.mode is "snapshot"',
    ],
    ["a moment of a branch", { from: "pitr" }, { backup: BRANCH }, 'must be "branch", because backup.mode is "branch"'],
    ["a moment without RDS", { from: "pitr" }, { backup: DUMP }, 'because rehearsal.from is "pitr"'],
    ["nothing to restore", { mode: "copy" }, { backup: { mode: "none" } }, 'rehearsal.mode is "copy"'],
    ["a dump beside production", { mode: "copy" }, { backup: DUMP }, "rehearsal.into is missing; it must be a group"],
    [
      "a dump that a release can't read",
      { mode: "copy", ...INTO },
      { backup: { ...DUMP, dump: { ...DUMP.dump, recipients: [RECIPIENT] } } },
      'rehearsal.mode is "copy"; it must be "none", because the dumps are encrypted',
    ],
    [
      "a connection in files",
      { mode: "copy" },
      { database: { ...RDS, secret: undefined, file: { secretProviderClass: "notes" } } },
      "because the connection is in files of the CSI driver",
    ],
    [
      "a variable that may lead to production",
      { mode: "copy" },
      { database: RDS, migrations: { env: { AUDIT_URL: { secret: { name: "audit", key: "url" } } } } },
      "migrations.env.AUDIT_URL",
    ],
    ["a server for a snapshot", INTO, { database: RDS }, "left out, because the copy is not made of a dump"],
    ["a class without RDS", { class: "db.t4g.micro" }, { backup: BRANCH }, "left out, because the copy is none of RDS"],
    ["a class in other words", { class: "large" }, { database: RDS }, "an instance class of RDS, such as db.r6g.large"],
    ["an empty command", { command: [] }, { database: RDS }, "rehearsal.command"],
    ["a limit of no size", { limits: { diskGrowth: "much" } }, { database: RDS }, "an amount of memory"],
    ["a limit of no time", { limits: { blockedFor: "5" } }, { database: RDS }, "a duration such as 45s"],
  ];
  test.each(wrong)("%s", (_, rehearsal, stack, message) => {
    expect(parsed(rehearsal, stack).problems.join("\n")).toContain(message);
  });
});
