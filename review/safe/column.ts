import type { ColumnDef } from "libpg-query";
import { columnConstraints, type DefinedColumn } from "../../migrations/schema/definition";
import type { Schema } from "../../migrations/schema/schema";
import { identifier, literal, type Name, nameText } from "../../migrations/sql/identifier";
import { tokensOf } from "../../migrations/sql/tokens";
import type { SafeWay } from "../finding";
import { alter, batched, newName, notNullSteps, uniqueSteps } from "./words";

const starts = new Set([
  "CONSTRAINT",
  "NOT",
  "NULL",
  "DEFAULT",
  "PRIMARY",
  "UNIQUE",
  "CHECK",
  "REFERENCES",
  "GENERATED",
  "DEFERRABLE",
  "INITIALLY",
]);

/** Returns the type and the default of `ADD COLUMN a TYPE … DEFAULT …` as they are written. */
export function columnTexts(command: string): { type: string; default?: string } {
  const tokens = tokensOf(command);
  let at = tokens.findIndex(({ upper }) => upper === "ADD") + 1;
  if (tokens[at]?.upper === "COLUMN") at++;
  if (tokens[at]?.upper === "IF") at += 3;
  at++; // This skips the column name.
  const until = (from: number): number => {
    let depth = 0;
    let index = from;
    for (; index < tokens.length; index++) {
      const { text, upper } = tokens[index]!;
      if (text === "(" || text === "[") depth++;
      if (text === ")" || text === "]") depth--;
      if (depth === 0 && index > from && starts.has(upper)) break;
    }
    return index;
  };
  const slice = (from: number, to: number) => command.slice(tokens[from]?.start ?? 0, tokens[to - 1]?.end ?? 0);
  const type = slice(at, until(at));
  const word = tokens.findIndex(({ upper }, index) => index >= at && upper === "DEFAULT");
  return word < 0 ? { type } : { type, default: slice(word + 1, until(word + 1)) };
}

/** Proposes to add the column empty and to fill its rows afterwards in batches, instead of under the lock. */
export function fillLater(
  command: string,
  definition: ColumnDef,
  defined: DefinedColumn,
  name: Name,
  schema: Schema,
): SafeWay {
  const { column } = defined;
  if (defined.generated === "stored")
    return {
      migrations: [],
      note: "No SQL adds a stored generated column without a rewrite. Let the app or a trigger fill an ordinary column, or use a maintenance window.",
    };
  if (column.type && schema.domains.has(column.type.name) && !defined.default)
    return {
      migrations: [],
      note: "No SQL adds a column of a domain with a constraint without a rewrite. Use the domain's own type, with a CHECK that is added NOT VALID and validated later, or a maintenance window.",
    };
  const texts = columnTexts(command);
  const c = identifier(column.name);
  const sequence = newName(name.name, column.name, defined.identity ? "fill" : "seq");
  const integer: Record<string, string> = { int2: "smallint", int4: "integer", int8: "bigint" };
  const numbered = column.type?.serial || defined.identity;
  const type = column.type?.serial ? (integer[column.type.name] ?? "integer") : texts.type;
  const numbers = { ...name, name: sequence };
  const first = numbered
    ? [
        alter(name, `ADD COLUMN ${c} ${type}`),
        `CREATE SEQUENCE ${nameText(numbers)}${defined.identity ? "" : ` AS ${type} OWNED BY ${nameText(name)}.${c}`};`,
        alter(name, `ALTER COLUMN ${c} SET DEFAULT nextval(${literal(nameText(numbers))})`),
      ]
    : [alter(name, `ADD COLUMN ${c} ${type}`), alter(name, `ALTER COLUMN ${c} SET DEFAULT ${texts.default ?? "NULL"}`)];
  const migrations = [
    first.join("\n"),
    batched(`UPDATE ${nameText(name)} SET ${c} = DEFAULT WHERE ${c} IS NULL;`, name, schema),
  ];
  if (column.notNull) migrations.push(...notNullSteps(name, column.name, false));
  if (defined.identity) {
    const always = columnConstraints(definition).some(
      (node) => node.contype === "CONSTR_IDENTITY" && node.generated_when === "a",
    );
    migrations.push(
      [
        alter(name, `ALTER COLUMN ${c} DROP DEFAULT`),
        alter(name, `ALTER COLUMN ${c} ADD GENERATED ${always ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY`),
        `SELECT setval(pg_get_serial_sequence(${literal(nameText(name))}, ${literal(column.name)}), nextval(${literal(nameText(numbers))}));`,
        `DROP SEQUENCE ${nameText(numbers)};`,
      ].join("\n"),
    );
  }
  for (const { kind, name: constraint } of defined.constraints)
    if (kind === "primary" || kind === "unique")
      migrations.push(...uniqueSteps(name, constraint, [column.name], kind === "primary", false));
  return { migrations };
}

/** Proposes to add a required column as optional, to fill it, and to make it required when no old pod is left. */
export function requireLater(command: string, defined: DefinedColumn, name: Name, schema: Schema): SafeWay {
  const { column } = defined;
  const c = identifier(column.name);
  const value = example(defined, schema);
  const migrations = [
    alter(name, `ADD COLUMN ${c} ${columnTexts(command).type}`),
    batched(
      `-- the value for the rows that are there: choose it\nUPDATE ${nameText(name)} SET ${c} = ${value} WHERE ${c} IS NULL;`,
      name,
      schema,
    ),
    ...notNullSteps(name, column.name, true),
  ];
  return { migrations, note: "The new version must always set it; the old one can ignore it." };
}

/** Returns an example value of the column's type, which a person replaces by the right one. */
function example(defined: DefinedColumn, schema: Schema): string {
  const type = defined.column.type;
  if (!type) return "''";
  if (type.array > 0) return "'{}'";
  const values = schema.enums.get(type.name);
  if (values?.[0] !== undefined) return literal(values[0]);
  if (/^(int|float|numeric)/.test(type.name)) return "0";
  if (type.name === "bool") return "false";
  if (/^(timestamp|date|time)/.test(type.name)) return "now()";
  if (type.name === "uuid") return "gen_random_uuid()";
  if (/^json/.test(type.name)) return "'{}'";
  return "''";
}
