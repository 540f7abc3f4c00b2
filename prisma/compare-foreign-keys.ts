import { identifier } from "../migrations/sql/identifier";
import type { DatabaseTable, ForeignKey } from "./database";
import { type Found, placed } from "./difference";
import { isCut } from "./names";

/** Compares the foreign keys of one table, by the columns that they connect. */
export function compareForeignKeys(expected: DatabaseTable, made: DatabaseTable, found: Found): void {
  const whole = expected.key;
  const left = new Set(made.foreignKeys);
  for (const key of expected.foreignKeys) {
    const of = { object: "foreign key", whole, part: key.name, ...placed(key) } as const;
    const alike = [...left].filter((each) => ends(each) === ends(key));
    const own = alike.find(({ name }) => name === key.name) ?? alike[0];
    if (!own) {
      found.differs({ ...of, kind: "not-in-history", schema: keyText(key), history: "no such foreign key" });
      continue;
    }
    left.delete(own);
    if (own.onDelete !== key.onDelete || own.onUpdate !== key.onUpdate)
      found.differs({ ...of, kind: "differs", schema: actionsText(key), history: actionsText(own) });
    else if (own.name !== key.name && !isCut(own.name))
      found.differs({ ...of, kind: "named-differently", schema: key.name, history: own.name });
  }
  for (const key of left)
    found.differs({
      kind: "not-in-schema",
      ...{ object: "foreign key", whole, part: key.name, ...placed(expected) },
      schema: "no such relation",
      history: keyText(key),
    });
}

function ends({ columns, references, referenced }: ForeignKey): string {
  return JSON.stringify([columns, references, referenced]);
}

const words: Readonly<Record<string, string>> = {
  a: "NO ACTION",
  r: "RESTRICT",
  c: "CASCADE",
  n: "SET NULL",
  d: "SET DEFAULT",
};

function actionsText({ onDelete, onUpdate }: ForeignKey): string {
  return `ON DELETE ${words[onDelete]}, ON UPDATE ${words[onUpdate]}`;
}

function keyText(key: ForeignKey): string {
  const list = (names: readonly string[]) => names.map(identifier).join(", ");
  return `FOREIGN KEY (${list(key.columns)}) REFERENCES ${key.references} (${list(key.referenced)}), ${actionsText(key)}`;
}
