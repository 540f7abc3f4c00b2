import type { Node } from "libpg-query";
import { booleanOf, integerOf, textOf } from "../../migrations/sql/constant";
import { callsOf } from "../../migrations/sql/references";
import type { Context, JudgedStatement } from "./context";

/** More than this, in milliseconds, and the app's requests run into their own time limits behind a statement that waits. */
const longestWaitMs = 10_000;

interface Setting {
  readonly name: string;
  /** As written; none for RESET and DEFAULT. */
  readonly values: readonly Node[];
}

/** Settings that a migration takes from the release: how long it may wait for a lock, whose tables its names mean, and as whom it runs. */
export function judgeSettings(statement: JudgedStatement, context: Context): void {
  for (const setting of settingsOf(statement.node)) judgeSetting(setting, statement, context);
}

/** SET, RESET and set_config(). */
function settingsOf(node: Node): Setting[] {
  if ("VariableSetStmt" in node) {
    const { kind, name = "", args = [] } = node.VariableSetStmt;
    if (kind === "VAR_RESET_ALL") return ["lock_timeout", "search_path"].map((all) => ({ name: all, values: [] }));
    return [{ name, values: args }];
  }
  if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL")
    return ["lock_timeout", "search_path"].map((name) => ({ name, values: [] }));
  if (!("SelectStmt" in node)) return [];
  return callsOf(node)
    .filter(({ name }) => name === "set_config")
    .map(({ args: [name, value] }) => ({ name: textOf(name) ?? "", values: value ? [value] : [] }));
}

function judgeSetting({ name, values }: Setting, statement: JudgedStatement, context: Context): void {
  if (name === "lock_timeout") {
    const wait = milliseconds(values[0]);
    if (wait > longestWaitMs) longWait(wait, statement, context);
  } else if (name === "search_path") {
    if (values.length === 0 || !values.every((value) => textOf(value) === "public" || textOf(value) === ""))
      notJudged(
        statement,
        context,
        name,
        "It changes search_path: from here on, names without a schema may mean other tables than the review takes them for.",
        "Write the schema before each name instead.",
      );
  } else if (name === "role" || name === "session_authorization") {
    if (values.length > 0)
      notJudged(
        statement,
        context,
        name,
        "It goes on as another role: what it makes from here on belongs to that role, and the app's role may have no rights on it.",
        "Let the migration role own what it makes.",
      );
  } else if (name === "session_replication_role" && textOf(values[0]) !== "origin" && values.length > 0)
    context.report(
      {
        rule: "drop-constraint",
        classes: ["destructive"],
        severity: "warning",
        target: name,
        what: "It turns off triggers and foreign keys for the statements after it: rows that break them can come in.",
        who: "Whoever relies on them.",
        howLong: "until it is set back; what came in stays, and nothing finds it",
      },
      statement,
    );
}

function longWait(wait: number, statement: JudgedStatement, context: Context): void {
  const endless = wait === Number.POSITIVE_INFINITY;
  context.report(
    {
      rule: endless ? "waits-for-ever" : "waits-long",
      classes: ["blocking"],
      severity: "warning",
      target: `line ${statement.line}`,
      what: `It lets the statements after it wait for a lock ${endless ? "without an end" : `for up to ${Math.round(wait / 1000)} s`}, and everybody else behind them.`,
      who: "Reads and writes of each table they wait for, from the moment they begin to wait.",
      howLong: `as long as the longest transaction that uses the table${endless ? "" : ", but no longer than that"}`,
      safe: { migrations: [], note: "Leave it out: the migrator sets lock_timeout, and tries again." },
    },
    statement,
  );
}

function notJudged(statement: JudgedStatement, context: Context, name: string, what: string, note: string): void {
  context.report(
    {
      rule: "not-judged",
      classes: ["unknown"],
      severity: "warning",
      target: `${name} in line ${statement.line}`,
      what,
      who: "Whoever reviews it: read it.",
      howLong: "not known",
      safe: { migrations: [], note },
    },
    statement,
  );
}

const units: Record<string, number> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as Postgres reads it: in milliseconds unless it has a unit; 0 or the server's default is for ever, and so is what isn't constant. */
function milliseconds(value: Node | undefined): number {
  const text = textOf(value) ?? integerOf(value)?.toString() ?? (booleanOf(value) === false ? "0" : "");
  const found = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/.exec(text);
  const time = found ? Number(found[1]) * (found[2] === "" ? 1 : (units[found[2] ?? ""] ?? Number.NaN)) : 0;
  return time > 0 ? time : Number.POSITIVE_INFINITY;
}
