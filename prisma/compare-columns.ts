import { type ColumnType, typeText } from "../migrations/sql/column-type";

import { compareDefaults, defaultText } from "./compare-defaults";
import type { DatabaseColumn, DatabaseTable } from "./database";
import { type Found, placed } from "./difference";

/** Compares the columns of one table. */
export function compareColumns(expected: DatabaseTable, made: DatabaseTable, found: Found): void {
  const whole = expected.key;
  for (const column of expected.columns.values()) {
    const own = made.columns.get(column.name);
    const of = { object: "column", whole, part: column.name, ...placed(column) } as const;
    if (own) compareColumn(column, own, whole, found);
    else found.differs({ ...of, kind: "not-in-history", schema: columnText(column), history: "no such column" });
  }
  for (const column of made.columns.values())
    if (!expected.columns.has(column.name))
      found.differs({
        kind: "not-in-schema",
        ...{ object: "column", whole, part: column.name, ...placed(expected) },
        schema: "no such field",
        history: columnText(column),
        mustBeSet: column.required && column.default.kind === "none",
      });
}

function compareColumn(expected: DatabaseColumn, made: DatabaseColumn, whole: string, found: Found): void {
  const what = `${whole}.${expected.name}`;
  const schema: string[] = [];
  const history: string[] = [];
  if (!expected.type || !made.type)
    found.skips(`type of ${what}`, "it is a domain, or no type that can be read", expected.place);
  else if (!sameType(expected.type, made.type)) {
    schema.push(typeText(expected.type));
    history.push(typeText(made.type));
  }
  // Prisma doesn't say of a list whether it may be NULL.
  const list = (expected.type?.array ?? 0) > 0 && (made.type?.array ?? 0) > 0;
  if (!list && expected.required !== made.required) {
    schema.push(expected.required ? "NOT NULL" : "may be NULL");
    history.push(made.required ? "NOT NULL" : "may be NULL");
  }
  const defaults = compareDefaults(expected.default, made.default, expected.type);
  if (defaults === "differ") {
    schema.push(defaultText(expected.default));
    history.push(defaultText(made.default));
  } else if (defaults !== "same") found.skips(`default of ${what}`, defaults, expected.place);
  if (schema.length > 0)
    found.differs({
      kind: "differs",
      ...{ object: "column", whole, part: expected.name, ...placed(expected) },
      schema: schema.join(", "),
      history: history.join(", "),
    });
}

export function sameType(a: ColumnType, b: ColumnType): boolean {
  const [name, other] = [a.name, b.name].map((each) => each.split(".").at(-1));
  // The type of an extension may be written with or without the schema that the extension is in.
  const named = a.name === b.name || (name === other && (a.name === name || b.name === other));
  return named && String(a.mods) === String(b.mods) && a.array === b.array;
}

function columnText({ type, required, default: value }: DatabaseColumn): string {
  return [
    type ? typeText(type) : "a type that can't be read",
    ...(required && (type?.array ?? 0) === 0 ? ["NOT NULL"] : []),
    ...(value.kind === "none" ? [] : [defaultText(value)]),
  ].join(", ");
}
