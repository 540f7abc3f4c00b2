import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTrial } from "../../trial/run-trial";
import { SeedFailed } from "../../trial/unavailable";
import { historyOf, lastOf, NOTES } from "./histories";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trial-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function seedOf(sql: string): string {
  const file = join(mkdtempSync(join(folder, "seed-")), "seed.sql");
  writeFileSync(file, sql);
  return file;
}

test("a migration that is right on rows has no findings", async () => {
  const input = lastOf(historyOf(NOTES, "ALTER TABLE notes ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT false;"));
  const trial = await runTrial({ ...input, seed: seedOf("INSERT INTO notes VALUES (1, NULL, 'a');") });
  expect(trial).toMatchObject({
    postgres: expect.stringMatching(/^18\./),
    findings: [],
    measurement: {
      migrations: [{ name: "20260101000002_step", blocked: [{ table: "notes", lock: "ACCESS EXCLUSIVE" }] }],
      growth: { notes: { before: { rows: expect.any(Number) } } },
    },
  });
});

const failing: [what: string, sql: string, rows: string, says: RegExp][] = [
  [
    "duplicate keys",
    "CREATE UNIQUE INDEX users_email ON users (email);",
    "INSERT INTO users VALUES (1, 'secret@example.com'), (2, 'secret@example.com');",
    /: Duplicate keys \(email\) of users: 1 key in 2 rows\. ERROR: could not create unique index "users_email" \(SQLSTATE 23505\)/,
  ],
  [
    "a NULL",
    "\nALTER TABLE notes ALTER COLUMN title SET NOT NULL;",
    "INSERT INTO notes VALUES (1);",
    /: 1 row of notes has no title\. ERROR: column "title" of relation "notes" contains null values/,
  ],
  [
    "a value that is too long",
    "ALTER TABLE notes ALTER COLUMN title TYPE VARCHAR(3);",
    "INSERT INTO notes VALUES (1, 1, 'secret');",
    /: 1 row of notes has more than 3 characters in title\. ERROR: value too long for type character varying\(3\)/,
  ],
  [
    "an orphan",
    "ALTER TABLE notes ADD FOREIGN KEY (user_id) REFERENCES users (id);",
    "INSERT INTO notes VALUES (1, 417, 'secret');",
    /: 1 row of notes refers by \(user_id\) to no row of users\. ERROR: .* violates foreign key constraint/,
  ],
];

test.concurrent.each(failing)("%s fails a migration, which is found without the values", async (_, sql, rows, says) => {
  const input = lastOf(historyOf(NOTES, sql));
  const { findings } = await runTrial({ ...input, seed: seedOf(rows) });
  expect(findings).toMatchObject([
    {
      id: "fails-when-run",
      classes: ["failing"],
      severity: "error",
      migration: "20260101000002_step",
      line: sql.startsWith("\n") ? 2 : 1,
      what: expect.stringMatching(says),
    },
  ]);
  expect(JSON.stringify(findings)).not.toMatch(/secret|417/);
});

test("a role that production has is made, and an extension that is not here is no mistake of the migration", async () => {
  const roles = lastOf(historyOf(`${NOTES} GRANT SELECT ON notes TO reader;`, "GRANT SELECT ON users TO writer;"));
  expect(await runTrial(roles)).toMatchObject({ findings: [] });
  expect(await runTrial(lastOf(historyOf("CREATE EXTENSION postgis;", NOTES)))).toEqual({
    unavailable: expect.stringContaining('extension "postgis" is not available'),
    findings: [],
  });
});

test("a seed finds the database in the environment, and its failure is told as its own", async () => {
  const input = lastOf(historyOf(NOTES, "CREATE UNIQUE INDEX users_email ON users (email);"));
  const script = `const { Client } = require("pg");
    const client = new Client(process.env.DATABASE_URL);
    client.connect().then(() => client.query("INSERT INTO users VALUES (1, 'a'), (2, 'a')")).then(() => client.end());`;
  const { findings } = await runTrial({ ...input, seed: [process.execPath, "-e", script] });
  expect(findings).toMatchObject([{ id: "fails-when-run" }]);
  await expect(runTrial({ ...input, seed: ["sh", "-c", "echo no rows >&2; exit 4"] })).rejects.toThrow(
    /The seed sh -c .* failed: it ended with status 4:\n {2}no rows/,
  );
  await expect(runTrial({ ...input, seed: seedOf("INSERT INTO nowhere VALUES (1);") })).rejects.toThrow(SeedFailed);
});

test("without binaries the migrations are not run, with the reason", async () => {
  const input = lastOf(historyOf(NOTES, "SELECT 1;"));
  expect(await runTrial({ ...input, postgres: 9 })).toEqual({
    unavailable: expect.stringMatching(/^Postgres 9 can't be run here: .*[^.]$/),
    findings: [],
  });
});
