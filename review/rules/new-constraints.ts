import type { AlterTableCmd } from "libpg-query";
import { constraintOf } from "../../migrations/schema/definition";
import type { Constraint } from "../../migrations/schema/objects";
import { identifier, keyOf, type Name } from "../../migrations/sql/identifier";
import { notNullSteps } from "../safe/words";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";
import { uniqueKey } from "./dropped-uniques";

const rollout = "until the rollout is complete";

/** Reports what a new constraint does to the rows that are there and to what pods of the old version write. */
export function newConstraint(statement: JudgedStatement, cmd: AlterTableCmd, name: Name, context: Context): void {
  const node = cmd.def && "Constraint" in cmd.def ? cmd.def.Constraint : undefined;
  const constraint = node && constraintOf(node, name.name, context.schema);
  if (!node || !constraint) return;
  if (constraint.kind === "not null")
    newNotNull(statement, name, constraint.columns[0] ?? "", context, node.skip_validation === true);
  if (constraint.kind === "unique") unique(statement, name, constraint.columns, constraint.name, context);
  if (constraint.kind !== "check" && constraint.kind !== "foreign" && constraint.kind !== "exclude") return;
  // NULLs in a column that is as new as its constraint break nothing, and the old version doesn't write it.
  if (constraint.columns.length > 0 && constraint.columns.every((column) => isNewColumn(name, column, context))) return;
  // Prisma changes ON DELETE by dropping the key and adding it again: the rows are those that it held for before.
  if (constraint.kind === "foreign" && context.droppedKeys.has(foreignKey(name, constraint))) return;
  const word = { check: "check", foreign: "foreign key", exclude: "exclusion constraint" }[constraint.kind];
  const later = node.skip_validation === true;
  context.report(
    {
      rule: { check: "new-check", foreign: "new-foreign-key", exclude: "new-exclusion" }[constraint.kind],
      classes: [...(later ? [] : (["failing"] as const)), "incompatible"],
      severity: later ? "info" : "warning",
      target: target(name, constraint.name),
      what: `It adds the ${word} ${identifier(constraint.name)} to ${tableText(name)}${later ? "" : ", and fails if a row breaks it"}.`,
      who: "Pods of the old version fail when they write such a row.",
      howLong: rollout,
    },
    statement,
  );
}

/**
 * NULL is forbidden from now on.
 * @param later the rows that are there aren't looked at: NOT VALID
 */
export function newNotNull(
  statement: JudgedStatement,
  name: Name,
  column: string,
  context: Context,
  later = false,
): void {
  const table = context.table(name);
  // A check that holds already forbids NULL; this only says it in other words.
  if (table?.columns.get(column)?.notNull) return;
  if (table?.constraints.some(({ notNullOf, valid }) => notNullOf?.includes(column) && valid)) return;
  context.report(
    {
      rule: "new-not-null",
      classes: [...(later ? [] : (["failing"] as const)), "incompatible"],
      severity: "warning",
      target: target(name, column),
      what: `It forbids NULL in ${columnText(name, column)}${later ? "" : ", and fails if there is one"}.`,
      who: "Pods of the old version fail when they write NULL, or leave the column out.",
      howLong: rollout,
      safe: {
        migrations: notNullSteps(name, column, true),
        note: "After the version that always fills it in, when no old pod is left.",
      },
    },
    statement,
  );
}

/** Identifies a foreign key by its table, its columns and the table that it refers to. */
export function foreignKey(name: Name, { columns, references }: Constraint): string {
  return `${keyOf(name)}(${columns.join(",")}) ${references}`;
}

/** Reports a new rule that values are unique, unless one at least as strict holds already. */
export function unique(
  statement: JudgedStatement,
  name: Name,
  columns: readonly string[],
  label: string,
  context: Context,
): void {
  if (context.isNew(name) || context.plan.contract) return;
  if (columns.length > 0 && columns.some((column) => isNewColumn(name, column, context))) return;
  if (
    context.schema
      .indexesOf(keyOf(name))
      .some((index) => index.unique && index.columns.every((column) => columns.includes(column)))
  )
    return;
  if (context.droppedUniques.has(uniqueKey(name, columns))) return;
  const list = columns.length > 0 ? columns.map((column) => identifier(column)).join(", ") : "an expression";
  context.report(
    {
      rule: "new-unique",
      classes: ["failing", "incompatible"],
      severity: "warning",
      target: target(name, label),
      what: `It makes ${list} of ${tableText(name)} unique, and fails if there are duplicates.`,
      who: "Pods of the old version fail when they write a duplicate.",
      howLong: rollout,
    },
    statement,
  );
}

/** Added in this release, by a migration that the old version doesn't know. */
export function isNewColumn(name: Name, column: string, context: Context): boolean {
  return context.newColumns.has(target(name, column));
}
