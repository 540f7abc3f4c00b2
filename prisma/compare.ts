import type { Migration } from "../migrations/history/history";
import { nameOfKey } from "../migrations/schema/schema-object";
import { temporarySchema } from "../migrations/schema/temporary";
import { keyOf } from "../migrations/sql/identifier";
import { compareColumns } from "./compare-columns";
import { compareForeignKeys } from "./compare-foreign-keys";
import { compareIndexes } from "./compare-indexes";
import type { Database, DatabaseEnum, DatabaseTable } from "./database";
import type { Datamodel } from "./datamodel";
import { type Comparison, type Difference, Found, placed, type Uncompared } from "./difference";
import { expectedDatabase } from "./expected";
import { type Doubt, doubtAbout, followHistory } from "./followed-history";
import { madeDatabase } from "./made-database";

/**
 * Compares what a Prisma schema says with what a history makes. It is pure; the SQL parser must be loaded. A difference
 * about which a statement leaves a doubt is listed as not compared.
 * @param external the tables and enums that Prisma doesn't migrate, such as `auth.users`. Default: none.
 */
export function comparePrisma(
  datamodel: Datamodel,
  history: readonly Migration[],
  external: readonly string[] = [],
): Comparison {
  const { schema, doubts } = followHistory(history);
  const found = new Found();
  for (const { name, place } of datamodel.views) found.skips(`view ${name}`, "Prisma doesn't migrate views", place);
  compareDatabases(expectedDatabase(datamodel), madeDatabase(schema), datamodel.schemas, found);
  const others = new Set(external.map((name) => keyOf(nameOfKey(name))));
  for (const key of others) found.skips(key, "prisma.config.ts names it as external");
  const differences = found.differences.filter((difference) => {
    if (others.has(difference.whole)) return false;
    const doubt = doubtOf(difference, doubts);
    if (doubt) found.skips(differenceText(difference), doubtText(doubt), difference.place);
    return !doubt;
  });
  return { differences, uncompared: [...found.uncompared, ...unseen(doubts)] };
}

/** The statements that may do what no text shows, named also where everything that is visible agrees. */
function unseen(doubts: readonly Doubt[]): Uncompared[] {
  const hidden = doubts.filter(({ exact }) => !exact);
  const [first] = hidden;
  if (!first) return [];
  const more = hidden.length > 1 ? `, and ${hidden.length - 1} more` : "";
  return [{ what: "what some statements do to tables", why: `${doubtText(first)}${more}` }];
}

function doubtOf({ whole, part }: Difference, doubts: readonly Doubt[]): Doubt | undefined {
  return doubtAbout(doubts, nameOfKey(whole).name, part);
}

function doubtText({ migration, line, why }: Doubt): string {
  return `${migration}, line ${line}: ${why}`;
}

/** A difference in a few words: `column notes.title, which the history doesn't make`. */
function differenceText({ kind, object, whole, part }: Difference): string {
  const clauses = {
    "not-in-history": "which the history doesn't make",
    "not-in-schema": "which the schema doesn't have",
    differs: "which the history makes otherwise",
    "named-differently": "which the history names otherwise",
  };
  return `${object} ${part === undefined ? whole : `${whole}.${part}`}, ${clauses[kind]}`;
}

function compareDatabases(expected: Database, made: Database, schemas: readonly string[], found: Found): void {
  for (const table of expected.tables.values()) compareTable(table, made.tables.get(table.key), found);
  for (const table of made.tables.values())
    if (!expected.tables.has(table.key) && isSeen(table.key, schemas)) leftOver(table, found);
  for (const each of expected.enums.values()) compareEnum(each, made.enums.get(each.key), found);
  for (const { key } of made.enums.values())
    if (!expected.enums.has(key) && isSeen(key, schemas))
      found.differs({ kind: "not-in-schema", object: "enum", whole: key, schema: "no such enum", history: "an enum" });
}

/** Whether Prisma looks at the schema in which a table or type is. */
function isSeen(key: string, schemas: readonly string[]): boolean {
  const { schema = "public" } = nameOfKey(key);
  return schemas.length === 0 ? schema === "public" : schemas.includes(schema);
}

function compareTable(expected: DatabaseTable, made: DatabaseTable | undefined, found: Found): void {
  if (made?.apart !== undefined) found.skips(`table ${expected.key}`, made.apart, expected.place);
  else if (made) {
    compareColumns(expected, made, found);
    compareIndexes(expected, made, found);
    compareForeignKeys(expected, made, found);
  } else
    found.differs({
      kind: "not-in-history",
      ...{ object: "table", whole: expected.key, ...placed(expected) },
      schema: `a table of ${expected.columns.size} columns`,
      history: "no such table",
    });
}

/** The tables that Prisma and the extension PostGIS make for themselves, and that Prisma's schema never has. */
const foreign =
  /^(_prisma_migrations|spatial_ref_sys|geometry_columns|geography_columns|raster_columns|raster_overviews)$/;

function leftOver({ key, columns, apart, isView }: DatabaseTable, found: Found): void {
  const { schema = "", name } = nameOfKey(key);
  if (isView || foreign.test(name) || schema.startsWith(temporarySchema)) return;
  if (apart !== undefined) found.skips(`table ${key}`, apart);
  else
    found.differs({
      kind: "not-in-schema",
      ...{ object: "table", whole: key },
      schema: "no such model",
      history: `a table of ${columns.size} columns`,
    });
}

function compareEnum(expected: DatabaseEnum, made: DatabaseEnum | undefined, found: Found): void {
  const whole = expected.key;
  if (!made) {
    const schema = `an enum of ${expected.values.length} values`;
    found.differs({
      kind: "not-in-history",
      object: "enum",
      whole,
      ...placed(expected),
      schema,
      history: "no such enum",
    });
    return;
  }
  const of = { object: "enum value", whole } as const;
  for (const { name, ...rest } of expected.values)
    if (!made.values.some((each) => each.name === name))
      found.differs({
        ...of,
        part: name,
        ...placed(rest),
        kind: "not-in-history",
        schema: "a value",
        history: "no such value",
      });
  for (const { name } of made.values)
    if (!expected.values.some((each) => each.name === name))
      found.differs({
        ...of,
        part: name,
        ...placed(expected),
        kind: "not-in-schema",
        schema: "no such value",
        history: "a value",
      });
}
