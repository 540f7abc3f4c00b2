import { identifier, keyOf, literal } from "../../migrations/sql/identifier";
import { type AddedValue, addedValue, usesEnumValue } from "../../migrations/statements/enum-use";
import type { Context, JudgedStatement } from "./context";

/** A new enum value that the same migration uses: it must be committed first, so the migration can't be one transaction. */
export function judgeEnumUse(
  statement: JudgedStatement,
  added: Map<AddedValue, JudgedStatement>,
  context: Context,
): void {
  const tables = statement.effect.tables.map(({ name }) => keyOf(name));
  for (const [value, by] of added) {
    if (!usesEnumValue(statement, tables, value, context.schema)) continue;
    added.delete(value);
    report(statement, by, value, context);
  }
  const value = addedValue(statement.node, context.schema, context.plan.name);
  if (value) added.set(value, statement);
}

function report(statement: JudgedStatement, by: JudgedStatement, { type, value }: AddedValue, context: Context): void {
  const { statements, mode } = context.plan;
  const what = `It uses the value ${literal(value)} of ${identifier(type)}, which line ${by.line} adds: Postgres refuses that until the value is committed`;
  const between = statements.slice(by.index, statement.index);
  if (between.some(({ control }) => control === "commit")) return;
  const texts = (part: typeof statements) =>
    part.flatMap(({ text, control }) => (control === undefined ? `${text};` : [])).join("\n");
  const migrations = [texts(statements.slice(0, statement.index)), texts(statements.slice(statement.index))];
  const safe = {
    migrations: migrations.join("").length <= 4000 && mode !== "statements" ? migrations : [],
    note: "Two migrations, each in one transaction.",
  };
  if (mode === "own")
    context.report(
      {
        rule: "enum-value-in-transaction",
        classes: ["failing"],
        severity: "error",
        target: `${type}.${value}`,
        what: `${what}, and there is no COMMIT between the two.`,
        who: "The release stops here.",
        howLong: "always",
        safe,
      },
      statement,
    );
  else if (mode === "transaction")
    context.report(
      {
        rule: "half-applied",
        classes: ["partial"],
        severity: context.runner === "command" ? "error" : "warning",
        target: "",
        what: `${what}, so it takes two transactions: if the second fails, the first stays.`,
        who: "Whoever has to repair a failed release.",
        howLong: "until the release is run again, which goes on behind what is committed",
        safe,
      },
      statement,
    );
}
