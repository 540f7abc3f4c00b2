import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as adopt from "../../../migrator/failures/adopt";
import * as baseline from "../../../migrator/failures/baseline";
import * as command from "../../../migrator/failures/command";
import * as connection from "../../../migrator/failures/connection";
import { closingLines, type Failure, OLD_VERSION_SERVES } from "../../../migrator/failures/failure";
import * as findings from "../../../migrator/failures/findings";
import * as history from "../../../migrator/failures/history";
import * as hotfix from "../../../migrator/failures/hotfix";
import * as iam from "../../../migrator/failures/iam";
import * as resolve from "../../../migrator/failures/resolve";
import * as restored from "../../../migrator/failures/restored";
import * as revert from "../../../migrator/failures/revert";
import * as sqlFile from "../../../migrator/failures/sql-file";
import * as statement from "../../../migrator/failures/statement";
import * as usage from "../../../migrator/failures/usage";
import * as wait from "../../../migrator/failures/wait";

const finding = {
  check: "drift",
  kind: "history",
  level: "fail",
  what: "It drifted.",
  evidence: ["a", "b", "c", "d"],
  next: "look",
} as const;

/** One of each class; a class that is missing here fails the first test. */
const failures: Failure[] = [
  new usage.UsageFailure(["wrong", "wrong too"]),
  new usage.UnreadableMigrations("bad\n  worse"),
  new usage.SnapshotTooOld({ kind: "snapshot", id: "s-1" }, "2 h", "1 h", 2),
  new usage.SnapshotGone({ kind: "branch", id: "s-1" }, 2),
  new usage.OtherDatabase("s-1", ["the connection: h:1"]),
  new connection.BadUrl(["bad", "worse"]),
  new connection.Unreachable("h:1", "refused"),
  new connection.LoginRefused("h:1", "no", { form: "parts" }),
  new connection.TlsFailure("h:1", "no", "do"),
  new connection.ConnectionLost("gone", "as it was."),
  new connection.PoolerInBetween("pid", { form: "file" }),
  new connection.ReadOnlyDatabase("cannot execute"),
  iam.NoToken.withoutCredentials("notes", "Could not load credentials"),
  new wait.NotMigrated('database "notes" on h:1', ["a", "b"], "2 min"),
  new wait.HistoryUnreadable("denied", { schema: "public", table: "_prisma_migrations", role: "app" }, undefined),
  new command.CommandFailed("npx prisma migrate deploy", "exit status 1", ["Error: P1001"], "it applied no migration."),
  new command.LeftUnfinished("a", "The command", ["line 1: applied"], "part"),
  new command.CommandWentFurther(["a", "b", "c", "d", "e", "f"]),
  new command.CommandCantHold("a"),
  new history.EditedMigration(["a", "b", "c", "d", "e", "f"], ["  a: x"]),
  new history.MissingMigration(["a"]),
  new history.FailedMigration("a", "today", ["logs"]),
  new history.OrdinaryAfterContract("b", "a"),
  new history.NoHistory("public", ["table a"]),
  new history.NotRecorded(
    { title: "a", file: "a.sql" },
    { code: "42P01", message: "gone" },
    ["drops it in line 1"],
    [],
    "rolled back.",
  ),
  new history.ForeignRecords("_release", ["  _release belongs to app"], "find out who made it"),
  new hotfix.HotfixRefused("fix.sql", ["line 1: it holds the password of a role in plain text"]),
  new hotfix.HotfixNameTaken("add_index", "1_add_index", "the folder has it"),
  new hotfix.HotfixNotWritten("1_add_index", "migrations/1_add_index", "EACCES"),
  new hotfix.HotfixUndecided([
    { what: "The hotfix a is there in part.", evidence: ["  line 1: there"], next: "drift" },
  ]),
  new statement.StatementFailed("a", "evidence", "rolled back.", "correct it, then: {rerun}"),
  new statement.StatementTooSlow("a", "5 s", "evidence", "rolled back."),
  new statement.LockNotObtained("a", 5, "10 s", "evidence", "rolled back."),
  new statement.AnotherRunner("10 s", "pid 1"),
  new statement.Stopped("SIGTERM", "rolled back."),
  new statement.OwnWorkRefused({ code: "53100", message: "disk full", hint: "make room" }),
  new statement.NoRecords("a", "denied", "u"),
  new statement.ChangedAfterStart("a", 2),
  new statement.UnclosedTransaction("a", "BEGIN", "add the COMMIT", "1 | BEGIN"),
  new statement.UnfollowedDirective({ title: "a", file: "a.sql" }, "what", "1 | x"),
  new restored.RestoredIncomplete(["Table a is missing.", "Table b is missing."]),
  new resolve.UnknownMigration("a"),
  new resolve.NothingToResolve("a", "because"),
  new resolve.FolderGone("a"),
  new resolve.ContradictsCatalog("a", "applied", Array(20).fill("  x")),
  new resolve.AlreadyHasHistory(2),
  new resolve.NothingRecorded(),
  new revert.AlreadyReverted("a", ["3_revert_a"], true),
  new revert.BuiltUpon("a", ["  b makes index i"], "b"),
  new revert.NotApplied("a", "pending"),
  new revert.UnreadableHistory("syntax error"),
  new revert.Unwritable("migrations/3_revert_a", "EACCES"),
  new findings.DriftFound(finding),
  new baseline.NotBaselined("It can't be tried.", "give the role CREATEDB, then: {rerun}"),
  new adopt.NotAdopted("It has no SQL.", "write it by hand, then: {rerun}", ["+ index i"]),
  new sqlFile.UnreadableSqlFile("There is no file fix.sql."),
  new sqlFile.SeveralSteps("fix.sql", ["  line 2: VACUUM can't run in a transaction"]),
  new sqlFile.FileRefused("fix.sql", ["  line 1: drops a column"], "--acknowledge …"),
  new findings.PreflightFindings([finding, finding]),
  new findings.VerifyFindings([finding], { open: 0, all: 1 }),
];

const commands = { rerun: "RERUN", migrator: (verb: string) => `MIGRATOR ${verb}`, app: OLD_VERSION_SERVES };

test("every failure that a person can meet is here, with a code of its own", () => {
  const classes = [
    usage,
    adopt,
    baseline,
    command,
    connection,
    hotfix,
    iam,
    history,
    statement,
    resolve,
    revert,
    restored,
    findings,
    sqlFile,
    wait,
  ].flatMap((module) => Object.keys(module));
  expect(failures.map(({ name }) => name).sort()).toEqual(classes.sort());
  expect(new Set(failures.map(({ code }) => code)).size).toBe(failures.length);
});

describe.each(failures.map((failure) => [failure.code, failure] as const))("%s", (code, failure) => {
  test("has what happened, the state of database and app, and the next command", () => {
    const text = closingLines(failure, commands);
    const lines = text.split("\n");
    expect(lines[0]).toMatch(new RegExp(`^FAILED \\(${code}\\): .+`));
    expect(lines.slice(-3).map((line) => line.split(":")[0])).toEqual(["Database", "App", "Next"]);
    expect(text).toMatch(/RERUN|MIGRATOR|again|next release|release after/);
    expect(text).not.toMatch(/[{}]|undefined/);
  });

  test("stands in docs/errors.md with its exit status", () => {
    const table = readFileSync(join(__dirname, "../../../docs/errors.md"), "utf8");
    const row = table.split("\n").find((line) => line.startsWith(`| \`${code}\` `));
    expect(row?.split("|")[2]).toMatch(new RegExp(`\\b${failure.exit}\\b`));
  });
});

test("the last lines fit into a pod's termination message, the next command included, however long the evidence is", () => {
  const long = new statement.StatementFailed(
    "a",
    `first line\n${"ä".repeat(100)}\n`.repeat(200),
    "rolled back.",
    "correct it, then: {rerun}",
  );
  const text = closingLines(long, commands);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
  expect(text.split("\n").length).toBeLessThanOrEqual(80);
  expect(text).toContain("first line");
  expect(text).toMatch(/Next: correct it, then: RERUN$/);
});

test("the table names no failure that there isn't", () => {
  const table = readFileSync(join(__dirname, "../../../docs/errors.md"), "utf8");
  const codes = [...table.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, code]) => code);
  expect(codes.sort()).toEqual([...failures.map(({ code }) => code), "defect"].sort());
});
