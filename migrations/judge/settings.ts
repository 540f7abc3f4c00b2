import type { Node } from "libpg-query";
import type { Context, JudgedStatement } from "./context";

/** Settings that a migration takes from the release: how long it may wait for a lock, and whose tables its names mean. */
export function judgeSettings(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if (!("VariableSetStmt" in node)) return;
  const { name = "", args } = node.VariableSetStmt;
  if (name === "lock_timeout" && isZero(args?.[0]))
    context.report(
      {
        rule: "waits-for-ever",
        classes: ["blocking"],
        severity: "warning",
        target: `line ${statement.line}`,
        what: "It lets the statements after it wait for a lock without an end, and everybody else behind them.",
        who: "Reads and writes of each table they wait for, from the moment they begin to wait.",
        howLong: "as long as the longest transaction that uses the table",
        safe: { migrations: [], note: "Leave it out: the migrator sets lock_timeout, and tries again." },
      },
      statement,
    );
  if (name === "search_path" && !(args ?? []).every((arg) => textOf(arg) === "public" || textOf(arg) === ""))
    context.report(
      {
        rule: "not-judged",
        classes: ["unknown"],
        severity: "warning",
        target: `search_path in line ${statement.line}`,
        what: "It changes search_path: from here on, names without a schema may mean other tables than the review takes them for.",
        who: "Whoever reviews it: read it.",
        howLong: "not known",
        safe: { migrations: [], note: "Write the schema before each name instead." },
      },
      statement,
    );
}

interface Constant {
  ival?: { ival?: number };
  sval?: { sval?: string };
}

function isZero(arg: Node | undefined): boolean {
  if (!arg || !("A_Const" in arg)) return false;
  const { ival, sval } = arg.A_Const as Constant;
  return ival ? (ival.ival ?? 0) === 0 : /^\s*0+\s*[a-z]*\s*$/.test(sval?.sval ?? "");
}

function textOf(arg: Node): string | undefined {
  return "A_Const" in arg ? (arg.A_Const as Constant).sval?.sval : undefined;
}
