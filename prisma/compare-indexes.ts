import { identifier } from "../migrations/sql/identifier";
import type { DatabaseIndex, DatabaseTable } from "./database";
import { type Found, placed } from "./difference";
import { isCut } from "./names";

/** Compares the indexes and keys of one table: first those that are alike, then those with the same name. */
export function compareIndexes(expected: DatabaseTable, made: DatabaseTable, found: Found): void {
  const whole = expected.key;
  const wanted = new Set(expected.joins ? joinIndexes(expected, made, found) : expected.indexes);
  const left = new Set(made.indexes);
  const pair = (
    alike: (a: DatabaseIndex, b: DatabaseIndex) => boolean,
    then?: (a: DatabaseIndex, b: DatabaseIndex) => void,
  ) => {
    for (const index of wanted) {
      const other = [...left].find((each) => alike(index, each));
      if (!other) continue;
      wanted.delete(index);
      left.delete(other);
      then?.(index, other);
    }
  };
  const named = (a: DatabaseIndex, b: DatabaseIndex) => a.name === b.name;
  const apart = (a: DatabaseIndex, b: DatabaseIndex) => a.apart !== undefined || b.apart !== undefined;
  const same = (a: DatabaseIndex, b: DatabaseIndex) => !apart(a, b) && likeness(a) === likeness(b);
  const of = (index: DatabaseIndex) => ({ object: "index", whole, part: index.name, ...placed(index) }) as const;
  pair((a, b) => named(a, b) && same(a, b));
  pair(
    (a, b) => named(a, b) && apart(a, b),
    (a, b) => found.skips(`index ${a.name}`, a.apart ?? b.apart ?? "", a.place),
  );
  pair(same, (a, b) => {
    if (!isCut(b.name)) found.differs({ ...of(a), kind: "named-differently", schema: a.name, history: b.name });
  });
  pair(named, (a, b) => found.differs({ ...of(a), kind: "differs", schema: indexText(a), history: indexText(b) }));
  pair(
    (a, b) => a.kind === "primary" && b.kind === "primary",
    (a, b) => found.differs({ ...of(a), kind: "differs", schema: indexText(a), history: indexText(b) }),
  );
  for (const index of wanted)
    found.differs({ ...of(index), kind: "not-in-history", schema: indexText(index), history: "no such index" });
  for (const index of left) {
    const twin = expected.indexes.find((each) => same(each, index));
    const apartness = index.apart ?? (twin && `it is like ${twin.name}, and Prisma sees the two as one`);
    if (apartness !== undefined) found.skips(`index ${index.name} of ${whole}`, apartness);
    else
      found.differs({
        ...of(index),
        kind: "not-in-schema",
        ...placed(expected),
        schema: "no such index",
        history: indexText(index),
      });
  }
}

/** A join table has the unique index of Prisma 5 and older, or the primary key of Prisma 6 and newer. Both are right. */
function joinIndexes(expected: DatabaseTable, made: DatabaseTable, found: Found): DatabaseIndex[] {
  const old = made.indexes.find(({ kind, columns }) => kind === "unique" && columns.join() === "A,B");
  if (!old || made.indexes.some(({ kind }) => kind === "primary")) return [...expected.indexes];
  found.skips(`key of ${expected.key}`, "Prisma 5 makes a unique index, Prisma 6 a primary key", expected.place);
  return expected.indexes.map((index) => (index.kind === "primary" ? { ...old, ...placed(index) } : index));
}

/** A text that is equal for two indexes that Prisma takes for the same. */
function likeness({ kind, columns, method, elements }: DatabaseIndex): string {
  if (kind === "primary") return JSON.stringify([kind, columns]);
  const parts = elements.map(({ descending, operatorClass }) => [descending, operatorKey(operatorClass, method)]);
  return JSON.stringify([kind, columns, method, parts]);
}

/** The operator classes that an index has where none is written. */
const usual =
  /^(text|varchar|bpchar|int[248]|float[48]|numeric|bool|uuid|date|time|timetz|timestamp|timestamptz|enum|array|jsonb|bytea|inet|citext|tsvector|range)ops$/;

/** An operator class in a form that is equal for `JsonbPathOps` of Prisma and `jsonb_path_ops` of Postgres. */
function operatorKey(operatorClass: string | undefined, method: string): string {
  const plain = (operatorClass ?? "").replaceAll("_", "").toLowerCase();
  return /^(btree|hash|gin)$/.test(method) && usual.test(plain) ? "" : plain;
}

function indexText({ kind, columns, method, elements }: DatabaseIndex): string {
  const parts = columns.map((column, at) => {
    const { descending, operatorClass } = elements[at] ?? { descending: false };
    return [identifier(column), operatorClass, descending ? "DESC" : undefined]
      .filter((each) => each !== undefined)
      .join(" ");
  });
  const word = { primary: "PRIMARY KEY", unique: "UNIQUE INDEX", index: "INDEX" }[kind];
  return `${word}${method === "btree" ? "" : ` USING ${method}`} (${parts.join(", ")})`;
}
