import type { Node } from "libpg-query";
import { viewColumns } from "../../migrations/schema/view-columns";
import { identifier, keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { signatureOf } from "../../migrations/statements/routines";
import { refusedInTransaction } from "../../migrations/statements/statements";
import { refreshesConcurrently } from "../safe/unblock";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** Statements that Postgres refuses for what they are, given what the history has made. */
export function judgeImpossible(statement: JudgedStatement, context: Context): void {
  const { node, text, inside } = statement;
  const report = (rule: string, about: string, what: string, note: string, severity: "error" | "warning" = "error") =>
    context.report(
      {
        rule,
        classes: ["failing"],
        severity,
        target: about,
        what,
        who: "The release stops here.",
        howLong: "always",
        safe: { migrations: [], note },
      },
      statement,
    );
  const alone = inside && !("DoStmt" in node) ? refusedInTransaction(node, text) : undefined;
  if (alone !== undefined)
    report(
      "concurrently-in-transaction",
      `line ${statement.line}`,
      `${alone} stands in a DO block, where Postgres refuses it.`,
      "Write it as a statement of its own, in a migration of its own.",
    );
  if ("RefreshMatViewStmt" in node && node.RefreshMatViewStmt.concurrent && node.RefreshMatViewStmt.relation) {
    const name = nameOf(node.RefreshMatViewStmt.relation);
    const view = context.table(name);
    if (view?.kind === "materialized view" && !refreshesConcurrently(name, context.schema))
      report(
        "refresh-without-unique",
        target(name),
        `It refreshes ${tableText(name)} CONCURRENTLY, which has no unique index on columns without WHERE: Postgres refuses that.`,
        `Make one first: CREATE UNIQUE INDEX CONCURRENTLY … ON ${tableText(name)} (…).`,
      );
  }
  const replaced = replacement(node, context);
  if (replaced)
    report("cannot-replace", replaced.about, replaced.what, "Drop it and make it again, in the same migration.");
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return;
  const name = nameOf(node.AlterTableStmt.relation);
  for (const item of node.AlterTableStmt.cmds ?? []) {
    const def = "AlterTableCmd" in item ? item.AlterTableCmd.def : undefined;
    if (!def || !("Constraint" in def) || def.Constraint.contype !== "CONSTR_FOREIGN") continue;
    if (def.Constraint.skip_validation && context.table(name)?.partitioned)
      report(
        "foreign-key-partitioned",
        target(name, def.Constraint.conname ?? keyOf(name)),
        `It adds a foreign key NOT VALID to the partitioned table ${tableText(name)}, which Postgres before 18 refuses.`,
        "Add it to each partition NOT VALID, validate it there, and then add it to the table without NOT VALID.",
        "warning",
      );
  }
}

/** CREATE OR REPLACE that changes what it can't: Postgres lets views get further columns at their end, and functions another body. */
function replacement(node: Node, context: Context): { about: string; what: string } | undefined {
  const { schema } = context;
  if ("ViewStmt" in node && node.ViewStmt.replace && node.ViewStmt.view) {
    const name = nameOf(node.ViewStmt.view);
    const [before, after] = [schema.table(name)?.shows, viewColumns(node.ViewStmt, schema)];
    const lost = after && before?.find((column, index) => after[index] !== column);
    if (lost === undefined) return undefined;
    const what = `It replaces the view ${tableText(name)} by one whose columns don't begin with the same ones (${identifier(lost)}): Postgres refuses that.`;
    return { about: target(name), what };
  }
  if (!("CreateFunctionStmt" in node) || !node.CreateFunctionStmt.replace) return undefined;
  const name = nameOfParts(node.CreateFunctionStmt.funcname);
  const before = schema.routines.get(keyOf(name));
  const after = signatureOf(node.CreateFunctionStmt);
  // Other parameters make another function.
  if (before?.overloads !== 1 || before.parameters !== after.parameters || before.returns === after.returns)
    return undefined;
  const what = `It replaces the function ${tableText(name)} by one that returns something else: Postgres refuses that.`;
  return { about: keyOf(name), what };
}
