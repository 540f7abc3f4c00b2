import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../../migrations/sql/parse";
import { randomNumbers } from "../support/random-numbers";
import { compare } from "./difference";
import { prismaOf, type RandomColumn, type RandomTable, randomTables, sqlOf } from "./random-schema";

beforeAll(() => loadParser());

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));

test(`random schemas agree with their SQL (SEED=${seed})`, () => {
  const random = randomNumbers(seed);
  for (let round = 0; round < 40; round++) {
    const tables = randomTables(random);
    expect(compare(prismaOf(tables), sqlOf(tables)), prismaOf(tables)).toEqual({ differences: [], uncompared: [] });
  }
});

/** Changes of one column of the schema, each with the difference that it makes. */
const changes: readonly { change: (column: RandomColumn) => RandomColumn; finds: (column: RandomColumn) => string }[] =
  [
    { change: (column) => ({ ...column, optional: !column.optional }), finds: () => "differs column" },
    { change: (column) => ({ ...column, kind: column.kind === 3 ? 5 : 3, default: 9 }), finds: () => "differs column" },
    {
      change: (column) => ({ ...column, unique: !column.unique }),
      finds: ({ unique }) => `${unique ? "not-in-schema" : "not-in-history"} index`,
    },
    {
      change: (column) => ({ ...column, indexed: !column.indexed }),
      finds: ({ indexed }) => `${indexed ? "not-in-schema" : "not-in-history"} index`,
    },
  ];

test(`one change of a random schema is found, and nothing else (SEED=${seed})`, () => {
  const random = randomNumbers(seed + 1);
  for (let round = 0; round < 40; round++) {
    const tables = randomTables(random);
    const at = Math.floor(random() * tables.length);
    const { change, finds } = changes[round % changes.length]!;
    const [column, ...rest] = tables[at]!.columns;
    const changed = tables.map(
      (table, index): RandomTable => (index === at ? { ...table, columns: [change(column!), ...rest] } : table),
    );
    const { differences, uncompared } = compare(prismaOf(changed), sqlOf(tables));
    const found = differences.map(({ kind, object }) => `${kind} ${object}`);
    expect({ found, uncompared }, `${prismaOf(changed)}\n${sqlOf(tables)}`).toEqual({
      found: [finds(column!)],
      uncompared: [],
    });
  }
});

test(`a table, a column or an enum's value that one side lacks is found (SEED=${seed})`, () => {
  const random = randomNumbers(seed + 2);
  for (let round = 0; round < 15; round++) {
    const tables = randomTables(random).map(({ references: _, ...table }) => table);
    const [first, ...others] = tables;
    const fewer = [{ ...first!, columns: first!.columns.slice(1) }, ...others];
    const kinds = (a: RandomTable[], b: RandomTable[]) =>
      compare(prismaOf(a), sqlOf(b)).differences.map(({ kind, object }) => `${kind} ${object}`);
    expect(kinds(tables, fewer).filter((each) => !each.endsWith("index"))).toEqual(["not-in-history column"]);
    expect(kinds(fewer, tables).filter((each) => !each.endsWith("index"))).toEqual(["not-in-schema column"]);
    expect(kinds(tables, others)).toEqual(["not-in-history table"]);
    expect(kinds(others, tables)).toEqual(["not-in-schema table"]);
  }
});
