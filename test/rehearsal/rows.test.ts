import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { removeFolders } from "../by-hand/project";
import { migrate, writeMigration } from "../migrator/support";
import { query, World } from "../restore/world";
import { dumpDatabase } from "../support/dump";
import { untilNothingIsLeft } from "./left";

const world = new World({ prod: { database: { identifier: "notes-db", secret: { name: "notes-db-url" } } } });
const migrations = join(world.project, "migrations");
let source: string;

beforeAll(async () => {
  source = (await world.database("instance", "notes-db", true)).adminUrl;
  const tables = `CREATE TABLE author (id int PRIMARY KEY, email text, name text);
    CREATE TABLE post (id int PRIMARY KEY, author_id int);`;
  writeMigration(migrations, "2_tables", tables);
  expect((await migrate(source, migrations)).exit).toBe(0);
}, 240_000);
afterAll(async () => {
  await world.remove();
  removeFolders();
});

describe.sequential("what is fine on an empty database and fails on production's rows", { timeout: 300_000 }, () => {
  test("passes while production has no rows", async () => {
    writeMigration(migrations, "3_unique", "CREATE UNIQUE INDEX email ON author (email)");
    const { status, out, err, result } = await world.ops("rehearse", "--stack", "prod", "--json");
    expect(status, out + err).toBe(0);
    expect(result).toMatchObject({
      ...{ event: "rehearsed", result: "passed", copy: "notes-db-restored-rehearsal", seconds: expect.any(Number) },
      measurement: { migrations: [{ name: "3_unique", statements: [{ kind: "CREATE UNIQUE INDEX", line: 1 }] }] },
    });
    expect(await untilNothingIsLeft(world)).toEqual([]);
  });

  test.each([
    [
      "duplicate keys",
      "CREATE UNIQUE INDEX email ON author (email)",
      "Duplicate keys (email) of author: 1 key in 2 rows.",
    ],
    ["a NULL", "ALTER TABLE author ALTER COLUMN name SET NOT NULL", "1 row of author has no name."],
    [
      "a value that is too long",
      "ALTER TABLE author ALTER COLUMN name TYPE varchar(8)",
      "1 row of author has more than 8 characters in name.",
    ],
    [
      "an orphan",
      "ALTER TABLE post ADD CONSTRAINT of FOREIGN KEY (author_id) REFERENCES author (id)",
      "1 row of post refers by (author_id) to no row of author.",
    ],
  ])(
    "%s is stopped by the rehearsal: production is untouched, the rows are counted and not shown",
    async (_, sql, told) => {
      await query(
        source,
        `INSERT INTO author VALUES (1, 'canary', 'canary name'), (2, 'canary', NULL) ON CONFLICT DO NOTHING;
       INSERT INTO post VALUES (1, 4711) ON CONFLICT DO NOTHING`,
      );
      rmSync(join(migrations, "3_unique"), { recursive: true });
      writeMigration(migrations, "3_unique", sql);
      const before = await dumpDatabase(source);
      const { status, out, err } = await world.ops("rehearse", "--stack", "prod");
      expect(status, out + err).toBe(1);
      expect(err).toContain(
        `FAILED: Production is untouched. On the copy: Migration 3_unique failed.\n  ${told}\n  ERROR`,
      );
      expect(out + err).not.toMatch(/canary|4711/);
      expect(await untilNothingIsLeft(world)).toEqual([]);
      expect(await dumpDatabase(source)).toBe(before);
      expect(world.touching("notes-db")).toEqual([]);
    },
  );
});
