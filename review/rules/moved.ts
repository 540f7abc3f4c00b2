import type { Node } from "libpg-query";
import { identifier, keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import type { Severity } from "../finding";
import { type Context, type JudgedStatement, tableText } from "./context";

type Rename = Extract<Node, { RenameStmt: unknown }>["RenameStmt"];

/** What pods name in their queries, beside tables, columns and types; other names (indexes, constraints) are nobody's business. */
const named: Record<string, [word: string, severity: Severity]> = {
  OBJECT_SCHEMA: ["schema", "error"],
  OBJECT_DATABASE: ["database", "error"],
  OBJECT_ROLE: ["role", "error"],
  OBJECT_FOREIGN_TABLE: ["foreign table", "error"],
  OBJECT_FUNCTION: ["function", "warning"],
  OBJECT_PROCEDURE: ["procedure", "warning"],
  OBJECT_ROUTINE: ["routine", "warning"],
  OBJECT_AGGREGATE: ["aggregate", "warning"],
  OBJECT_DOMAIN: ["domain", "warning"],
  OBJECT_ATTRIBUTE: ["attribute", "warning"],
  OBJECT_COLLATION: ["collation", "warning"],
  OBJECT_TSCONFIGURATION: ["text search configuration", "warning"],
  // Defaults follow it; only who calls nextval() by name fails.
  OBJECT_SEQUENCE: ["sequence", "info"],
};

/** Objects that are no tables, and get another name or another schema, where pods of the old version no longer find them. */
export function judgeMoved(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if (context.plan.contract) return;
  if ("RenameStmt" in node) renamed(statement, node.RenameStmt, context);
  else if ("AlterObjectSchemaStmt" in node) {
    const { objectType, object, relation, newschema = "" } = node.AlterObjectSchemaStmt;
    const [word, severity] = (objectType === "OBJECT_TYPE" ? ["type", "warning"] : named[objectType ?? ""]) ?? [];
    const name = relation ? nameOf(relation) : nameOfParts(object);
    if (word === undefined || context.isNewObject(name) || context.isNewSequence(name)) return;
    report(
      statement,
      context,
      "move-object",
      keyOf(name),
      `It moves the ${word} ${tableText(name)} into the schema ${identifier(newschema)}.`,
      severity as Severity,
    );
  }
}

function renamed(statement: JudgedStatement, rename: Rename, context: Context): void {
  const { renameType, relation, object, subname = "", newname = "" } = rename;
  const [word, severity] = named[renameType ?? ""] ?? [];
  if (word === undefined || severity === undefined) return;
  const whole = renameType === "OBJECT_SCHEMA" || renameType === "OBJECT_DATABASE" || renameType === "OBJECT_ROLE";
  const name = whole ? { name: subname } : relation ? nameOf(relation) : nameOfParts(object);
  if (context.isNewObject(name) || context.isNewSequence(name) || context.isNew(name)) return;
  if (whole && context.isMade(word, subname)) return;
  const what = renameType === "OBJECT_ATTRIBUTE" ? `${identifier(subname)} of ${tableText(name)}` : tableText(name);
  report(
    statement,
    context,
    "rename-object",
    keyOf(name),
    `It renames the ${word} ${what} to ${identifier(newname)}.`,
    severity,
  );
}

function report(
  statement: JudgedStatement,
  context: Context,
  rule: string,
  target: string,
  what: string,
  severity: Severity,
): void {
  context.report(
    {
      rule,
      classes: ["incompatible"],
      severity,
      target,
      what,
      who: "Pods of the old version that name it fail, and the app can't be rolled back.",
      howLong: "until the rollout is complete",
    },
    statement,
  );
}
