import { identifier, keyOf, nameOfParts } from "../../migrations/sql/identifier";
import { type Context, type JudgedStatement, tableText } from "./context";

/** A constraint that a domain gets: it holds for every column of that type. */
export function judgeDomain(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if (!("AlterDomainStmt" in node) || context.plan.contract) return;
  const { subtype, typeName, def } = node.AlterDomainStmt;
  // C: ADD CONSTRAINT, O: SET NOT NULL.
  if (subtype !== "C" && subtype !== "O") return;
  const domain = nameOfParts(typeName);
  const users = context.schema.using(keyOf(domain)).filter(({ table }) => !context.isNew(table.name));
  if (users.length === 0 && context.isNewObject(domain)) return;
  const later = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
  const columns = users.map(({ table, column }) => `${identifier(column.name)} of ${tableText(table.name)}`);
  context.report(
    {
      rule: "new-check",
      classes: [...(later ? [] : (["failing"] as const)), "incompatible"],
      severity: later ? "info" : "warning",
      target: keyOf(domain),
      what: `It lets the domain ${tableText(domain)} take fewer values${columns.length > 0 ? ` (${columns.join(", ")})` : ""}${later ? "" : ", and fails if a row has another one"}.`,
      who: "Pods of the old version fail when they write such a value.",
      howLong: "until the rollout is complete",
    },
    statement,
  );
}
