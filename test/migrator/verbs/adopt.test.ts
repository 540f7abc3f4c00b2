import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, startMigrator, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const HISTORY = {
  "20260101000000_notes": `CREATE TYPE state AS ENUM ('open');
    CREATE TABLE note (id serial PRIMARY KEY, title text NOT NULL, old text, state state NOT NULL DEFAULT 'open');`,
  // The folder may have a migration whose time is in the future.
  "29990101000000_view": "CREATE VIEW titles AS SELECT title FROM note;",
};

const SCHEMA = `model note {
  id    Int    @id @default(autoincrement())
  title String @default("")
  rank  Int    @default(1)
  @@index([title], map: "note_title")
}
`;

const names = (directory: string) =>
  readdirSync(directory)
    .filter((each) => /^\d/.test(each))
    .sort();
const sqlOf = (directory: string, name: string) => readFileSync(join(directory, name, "migration.sql"), "utf8");
const adopt = (url: string, directory: string, name: string) => migrate(url, directory, "adopt", "--name", name);

test("what was changed by hand becomes migrations that any other database can apply", async () => {
  const [url, elsewhere] = [await postgres.createDatabase(), await postgres.createDatabase()];
  const directory = historyOf(HISTORY);
  await migrate(url, directory);
  await query(
    url,
    `ALTER TYPE state ADD VALUE 'done'; ALTER TABLE note ADD rank int NOT NULL DEFAULT 1, DROP old;
     CREATE INDEX note_title ON note (title); COMMENT ON TABLE note IS 'Notes.'`,
  );
  await query(url, "ALTER TABLE note ALTER state SET DEFAULT 'done'");
  const { exit, output } = await adopt(url, directory, "by_hand");
  expect(exit, output).toBe(0);
  const written = names(directory).slice(2);
  expect(written).toEqual(["29990101000001_by_hand_values", "29990101000002_by_hand"]);
  expect(sqlOf(directory, written[0]!)).toMatch(
    /^-- release: hotfix\n[\s\S]*\nALTER TYPE public.state ADD VALUE 'done'/,
  );
  expect(sqlOf(directory, written[1]!)).toMatch(
    /-- Lock: .*\n-- Destructive: deletes all values of the column\nALTER TABLE/,
  );
  expect(output).toContain("Destructive: deletes all values of the column: column public.note.old");
  // Until it is recorded, the same command again finds the folders that cover the drift.
  const again = await adopt(url, directory, "again");
  expect(again, again.output).toMatchObject({
    exit: 0,
    output: expect.stringContaining("The drift is in the folder already"),
  });
  expect(names(directory)).toHaveLength(4);
  const recorded = await migrate(url, directory);
  expect(recorded.exit, recorded.output).toBe(0);
  const none = await adopt(url, directory, "nothing");
  expect(none, none.output).toMatchObject({ exit: 0, output: expect.stringContaining("No drift: there is nothing") });
  expect(await migrate(elsewhere, directory)).toMatchObject({ exit: 0 });
  expect(await migrate(elsewhere, directory, "drift")).toMatchObject({ exit: 0 });

  // An index alone is made without blocking writes, in a migration of one statement.
  await query(url, "CREATE INDEX note_rank ON note (rank)");
  writeFileSync(join(directory, "../schema.prisma"), SCHEMA);
  const args = ["migrator", "adopt", "--migrations", directory, "--name", "rank"];
  const typed = await startMigrator(args, { DATABASE_URL: url }, "bin/start.cjs").ended;
  expect(typed.exit, typed.output).toBe(0);
  expect(typed.output).toMatch(
    /To be changed in .*schema\.prisma:\n {2}.*schema\.prisma:5 {2}add below: @@index\(\[rank\], map: "note_rank"\)\n/,
  );
  const alone = sqlOf(directory, names(directory).at(-1)!);
  expect(alone.split("\n").filter((line) => !line.startsWith("--") && line !== "")).toEqual([
    "CREATE INDEX CONCURRENTLY note_rank ON public.note USING btree (rank);",
  ]);
  expect(alone).toContain("-- Lock: SHARE UPDATE EXCLUSIVE on public.note");
  const deployed = await migrate(elsewhere, directory);
  expect(deployed.exit, deployed.output).toBe(0);

  // What a pending migration makes is no drift to be adopted a second time.
  writeMigration(directory, "29990101000009_later", "CREATE INDEX later ON note (title, rank);");
  await query(elsewhere, "CREATE INDEX later ON note (title, rank)");
  const ran = await adopt(elsewhere, directory, "later");
  expect(ran, ran.output).toMatchObject({
    exit: 4,
    output: expect.stringMatching(
      /29990101000009_later makes, .* is pending here[\s\S]*Next: .*resolve --diagnose 29990101000009_later/,
    ),
  });
});

test("what can't be written as SQL is named with its reason, and the rest is written, also without a scratch database", async () => {
  const owner = await postgres.createDatabase();
  const database = new URL(owner).pathname.slice(1);
  await query(owner, `CREATE ROLE adopter LOGIN PASSWORD 'p'; ALTER DATABASE ${database} OWNER TO adopter`);
  const url = asRole(owner, "adopter", "p");
  const directory = historyOf(HISTORY);
  await migrate(url, directory);
  await query(
    url,
    `ALTER TABLE note ADD rank int; CREATE FUNCTION remote() RETURNS text LANGUAGE sql AS $$ SELECT 'host=db dbname=app password=hunter2secret' $$`,
  );
  const { exit, output } = await adopt(url, directory, "part");
  expect(exit, output).toBe(10);
  const sql = sqlOf(directory, names(directory).at(-1)!);
  for (const text of [output, sql]) {
    expect(text).toMatch(
      /Not generated: function public\.remote\(\): its SQL holds a connection string with a password/,
    );
    expect(text).not.toContain("hunter2secret");
  }
  expect(output).toContain("Not tried on a scratch database: the role may not create a scratch database");
  const again = await adopt(url, directory, "part");
  expect(again, again.output).toMatchObject({ exit: 0, output: expect.stringContaining("in the folder already") });
});

test("a name with other characters, or none, is refused before anything is read", async () => {
  const directory = historyOf(HISTORY);
  for (const name of [["--name", "Add Index"], []]) {
    const { exit, output } = await migrate("postgres://nobody@127.0.0.1:1/none", directory, "adopt", ...name);
    expect(exit).toBe(2);
    expect(output).toMatch(/--name is "Add Index", and must be 1 to 100 of a-z, 0-9 and _|adopt needs --name NAME/);
  }
});
