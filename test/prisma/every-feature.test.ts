import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../../migrations/sql/parse";
import { compare } from "./difference";

beforeAll(() => loadParser());

const folder = join(__dirname, "every-feature");
const read = (name: string) => readFileSync(join(folder, name), "utf8");
// The SQL is what @prisma/schema-engine-wasm 8.1.0-2.59be4fda writes for the schema, from an empty database.
const [schema, sql] = [read("schema.prisma"), read("made-by-prisma.sql")];

test("a schema that uses everything agrees with the SQL that Prisma's own engine makes of it", () => {
  expect(compare(schema, sql)).toEqual({ differences: [], uncompared: [] });
});

/** Each statement of the SQL that makes something, by its line, without the one that makes schemas. */
const statements = sql.split(/(?<=;)\n+(?=-- )/).filter((each) => !/CREATE SCHEMA|CREATE TYPE/.test(each));

test.each(statements.map((each) => [each.split("\n")[1]!, each]))("without %s it differs", (_, statement) => {
  const { differences, uncompared } = compare(schema, sql.replace(statement, ""));
  // A table that later statements mention, and none makes, is there from before.
  const found = [...differences.map(({ kind }) => kind), ...uncompared.map(({ what }) => what.split(" ")[0])];
  expect([["table"], ["not-in-history"]]).toContainEqual([...new Set(found)]);
});

/** Each column of the SQL that is written on a line of its own. */
const columns = [...sql.matchAll(/^ {4}"(\w+)" (.*),$/gm)].map(([line, name, rest]) => [name!, rest!, line] as const);

test.each(columns)("with another type of %s %s, that column differs", (name, _, line) => {
  const other = line.includes("CITEXT") ? "TEXT" : "CITEXT";
  const changed = line
    .replace(/^( {4}"\w+" )(?:"auth"\.)?"?\w+(?: PRECISION)?"?(\([\d,]+\))?(\[\])?/, `$1${other}`)
    .replace(/ DEFAULT .*,/, ",");
  const { differences } = compare(schema, sql.replace(line, changed));
  expect(differences.map(({ kind, object, part }) => [kind, object, part])).toEqual([["differs", "column", name]]);
});
