import { keyOf } from "../../migrations/sql/identifier";
import { usesEnumValue } from "../../migrations/statements/enum-use";
import type { Facts, JudgedStatement, Prepared } from "../facts";
import type { SafeWay } from "../finding";
import { code } from "../names";

/** Lists the values of enums that a statement uses although the same migration adds them, with no COMMIT in between. */
export function uncommittedValues(statement: JudgedStatement, facts: Facts): Prepared["addedValues"] {
  const tables = statement.effect.tables.map(({ name }) => keyOf(name));
  return facts.prepared.addedValues.filter(
    ({ value, by }) =>
      by.index <= statement.index &&
      usesEnumValue(statement, tables, value, facts.schema) &&
      !facts.plan.statements.slice(by.index, statement.index).some(({ control }) => control === "commit"),
  );
}

/** Writes what happens when a value is used before it is committed. */
export function usesValue({ value: { type, value }, by }: Prepared["addedValues"][number]): string {
  return `Uses value ${code(value)} of enum ${code(type)}, which line ${by.line} adds: Postgres refuses that until the value is committed`;
}

/** Proposes to move the statement and all later ones to a second migration. */
export function commitBefore({ index }: JudgedStatement, { plan: { statements, mode } }: Facts): SafeWay {
  const texts = (part: typeof statements) =>
    part.flatMap(({ text, control }) => (control === undefined ? `${text};` : [])).join("\n");
  const migrations = [texts(statements.slice(0, index)), texts(statements.slice(index))];
  return {
    migrations: migrations.join("").length <= 4000 && mode !== "statements" ? migrations : [],
    note: "Two migrations, each in one transaction.",
  };
}
