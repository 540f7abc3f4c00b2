import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dumpDatabase, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, startMigrator, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const NOTES = "CREATE TABLE notes (id serial PRIMARY KEY, title text NOT NULL);";
const COLOUR = `ALTER TABLE notes ADD COLUMN colour text DEFAULT 'red';
CREATE INDEX notes_title_idx ON notes (title);
CREATE TABLE tags (id int PRIMARY KEY);
`;

const offline = (directory: string, ...args: string[]) =>
  startMigrator(["revert", ...args, "--migrations", directory], {}).ended;

describe("revert --plan", () => {
  test("shows the SQL, what would be lost by it, and its review, and changes nothing", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_notes": NOTES, "2_colour": COLOUR });
    await migrate(url, directory);
    await query(url, "INSERT INTO notes (title, colour) VALUES ('a', 'red'), ('b', NULL); INSERT INTO tags VALUES (1)");
    const [before, folder] = [await dumpDatabase(url), readdirSync(directory)];
    const { exit, output } = await migrate(url, directory, "revert", "2_colour", "--plan");
    expect(exit).toBe(0);
    expect(output).toContain("2_colour can be taken back as a whole, by 3 new migrations.");
    expect(output).toMatch(/DROP TABLE tags;[\s\S]*DROP INDEX CONCURRENTLY notes_title_idx;[\s\S]*DROP COLUMN colour;/);
    expect(output).toMatch(/Lost by it:\n {2}table tags: 1 row\n {2}column notes\.colour: 1 row with a value\n/);
    expect(output).toMatch(/The review of it:[\s\S]*error: drop-column notes\.colour \(destructive\)/);
    expect(output).toContain("2_colour stays in the history");
    expect(output).toMatch(/\nNext: npm run migrator -- revert 2_colour --write --migrations .*\n$/);
    expect([await dumpDatabase(url), readdirSync(directory)]).toEqual([before, folder]);
  });

  test("works without a connection, and doesn't know then what would be lost", async () => {
    const directory = historyOf({ "1_notes": NOTES, "2_colour": COLOUR });
    const { exit, output } = await offline(directory, "2_colour", "--plan");
    expect(exit).toBe(0);
    expect(output).toContain("column notes.colour: unknown how many rows (no connection)");
    const lost = await startMigrator(
      ["revert", "2_colour", "--plan", "--migrations", directory, "--connect-wait", "1ms"],
      { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
    ).ended;
    expect(lost.exit).toBe(0);
    expect(lost.output).toMatch(/^Warning: no connection, so what would be lost is unknown:/m);
  });

  test("ends with 10 if a part can't be taken back, and names it with the reason", async () => {
    const directory = historyOf({
      "1_notes": NOTES,
      "2_split":
        "ALTER TABLE notes ADD COLUMN heading text;\nALTER TABLE notes DROP COLUMN title;\nCREATE TYPE mood AS ENUM ('ok');\nALTER TYPE mood ADD VALUE 'sad';",
    });
    const { exit, output } = await offline(directory, "2_split", "--plan");
    expect(exit).toBe(10);
    expect(output).toMatch(
      /Not taken back; what is gone is only in a backup:\n {2}line 2, ALTER TABLE: the values of the column are gone with it\n/,
    );
    expect(output).not.toContain("sad");
  });

  test("says which lines of schema.prisma have to be changed back", async () => {
    const directory = historyOf({ "1_notes": NOTES, "2_colour": COLOUR });
    writeFileSync(
      join(directory, "..", "schema.prisma"),
      'model Note {\n  id Int @id\n  colour String?\n  @@map("notes")\n}\n',
    );
    const { output } = await offline(directory, "2_colour", "--plan");
    expect(output).toMatch(/schema\.prisma:3 {2}remove Note\.colour: colour String\?\n/);
    expect(output).toContain("what stands for table tags");
  });

  test("hides what a function's body says, which --write does write", async () => {
    const directory = historyOf({
      "1_a": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''secret''';",
      "2_b": "DROP FUNCTION f();",
    });
    expect((await offline(directory, "2_b", "--plan")).output).not.toContain("secret");
    await offline(directory, "2_b", "--write");
    expect(readFileSync(join(directory, "3_revert_b", "migration.sql"), "utf8")).toContain("secret");
  });
});

test("revert --write writes the migration, which deploy then applies: the schema is as it was, without drift", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_notes": NOTES });
  await migrate(url, directory);
  const before = (await dumpDatabase(url)).split("\n").filter((line) => !/_prisma_migrations|_release/.test(line));
  writeMigration(directory, "2_colour", COLOUR);
  await migrate(url, directory);
  const written = await migrate(url, directory, "revert", "2_colour", "--write");
  expect(written.exit).toBe(0);
  expect(written.output).toMatch(/Written: .*3_revert_colour\/migration\.sql,[\s\S]*Nothing was run\./);
  expect((await migrate(url, directory, "status")).exit).toBe(10);
  expect((await migrate(url, directory)).exit).toBe(0);
  expect((await migrate(url, directory, "drift")).exit).toBe(0);
  const after = (await dumpDatabase(url)).split("\n").filter((line) => !/_prisma_migrations|_release/.test(line));
  const schemaOf = (lines: string[]) => lines.filter((line) => /^[a-z]+ (?!owner)/.test(line) && !/^rows/.test(line));
  expect(schemaOf(after)).toEqual(schemaOf(before));
});

describe("revert is refused, and changes nothing,", () => {
  test("if the folder has migrations already that take it back, or a part of them after a kill", async () => {
    const directory = historyOf({ "1_notes": NOTES, "2_colour": COLOUR });
    expect((await offline(directory, "2_colour", "--write")).exit).toBe(0);
    const written = readdirSync(directory).filter((name) => name.includes("revert"));
    expect(written).toHaveLength(3);
    const again = await offline(directory, "2_colour", "--write");
    expect(again).toMatchObject({ exit: 4, output: expect.stringContaining("FAILED (already-reverted)") });
    expect(again.output).toMatch(/Next: release it; /);
    rmSync(join(directory, written[1]!), { recursive: true });
    expect((await offline(directory, "2_colour", "--write")).output).toContain(
      `Next: some parts of it are missing: delete ${written[0]}, ${written[2]}, then: npm run migrator -- revert`,
    );
  });

  test("if a later migration builds upon what would be dropped; it is named with what it made", async () => {
    const directory = historyOf({ "1_notes": NOTES, "2_colour": COLOUR, "3_b": "CREATE INDEX i ON notes (colour);" });
    const { exit, output } = await offline(directory, "2_colour", "--write");
    expect(exit).toBe(4);
    expect(output).toMatch(/FAILED \(built-upon\)[\s\S]*3_b makes index i, of column notes\.colour/);
    expect(output).toMatch(/Next: take the later one back first: npm run migrator -- revert 3_b --plan --migrations /);
    expect(existsSync(join(directory, "4_revert_colour"))).toBe(false);
  });

  test("if the database has not applied the migration", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_notes": NOTES });
    await migrate(url, directory);
    writeMigration(directory, "2_colour", COLOUR);
    const { exit, output } = await migrate(url, directory, "revert", "2_colour", "--plan");
    expect(exit).toBe(4);
    expect(output).toMatch(/FAILED \(not-applied\): 2_colour is not applied on this database/);
  });

  test.each([
    ["there is no such migration", ["2_b", "--plan"], 2, "unknown-migration"],
    ["the migration is missing", ["--plan"], 2, "revert needs the migration"],
    ["neither --plan nor --write is given", ["1_notes"], 2, "revert needs --plan"],
  ])("if %s", async (_, args, exit, said) => {
    const result = await offline(historyOf({ "1_notes": NOTES }), ...args);
    expect(result.exit).toBe(exit);
    expect(result.output).toContain(said);
  });

  test("if a migration can't be read as SQL", async () => {
    const broken = await offline(
      historyOf({ "1_notes": "CREATE TABEL notes ();", "2_b": "SELECT 1" }),
      "2_b",
      "--plan",
    );
    expect(broken).toMatchObject({ exit: 4, output: expect.stringContaining("FAILED (unreadable-history)") });
  });
});
