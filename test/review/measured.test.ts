import { beforeAll, expect, test } from "vitest";
import { checksumOf } from "../../migrations/history/history";
import { planMigration } from "../../migrations/history/plan";
import type { MeasuredStatement, MeasuredTable, Measurement } from "../../report/measurement";
import { loadParser, reviewRelease } from "../../review/review";

beforeAll(() => loadParser());

const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
const base = migration(
  "1_base",
  `CREATE TABLE notes (id INT PRIMARY KEY, title TEXT, size INT);
   CREATE TABLE tags (id INT PRIMARY KEY, note INT REFERENCES notes (id));
   CREATE TABLE events (id INT NOT NULL, at DATE NOT NULL) PARTITION BY RANGE (at);`,
);

/** The tables that each statement of a run was seen to touch; the run met 50 rows in each table, unless another number is given. */
type Seen = readonly (readonly Partial<MeasuredTable>[])[];

/** What the review finds in a migration that did this when it was run; the notes and findings about the run only. */
function compared(sql: string, seen: Seen, rows = 50) {
  const planned = planMigration(migration("2_new", sql));
  const statements = seen.map(
    (tables, index): MeasuredStatement => ({
      index,
      line: planned.statements[index]!.line,
      kind: planned.statements[index]!.kind,
      milliseconds: 20,
      rows: 0,
      walBytes: 0,
      tables: tables.map((table) => ({ name: "notes", rewritten: false, scanned: false, ...table })),
    }),
  );
  const size = { before: { rows, bytes: 8192 } };
  const measurement: Measurement = {
    milliseconds: 20,
    migrations: [
      {
        name: "2_new",
        milliseconds: 20,
        blocked: [{ table: "notes", lock: "ACCESS EXCLUSIVE", milliseconds: 1500 }],
        statements,
      },
    ],
    growth: { notes: size, tags: size, events: size },
    diskBytes: 0,
    walBytes: 0,
    plans: undefined,
  };
  const review = reviewRelease({
    history: [base, migration("2_new", sql)],
    applied: [base],
    trial: { postgres: "18.0", measurement, findings: [] },
  });
  return review.findings.filter(({ rule }) => /-foreseen$/.test(rule));
}

const ids = (sql: string, seen: Seen, rows?: number) =>
  compared(sql, seen, rows).map(({ id, severity, line }) => `${line} ${id} ${severity}`);

test("a run that did what the review says is no finding", () => {
  expect(
    ids("ALTER TABLE notes ADD COLUMN x INT;\nALTER TABLE notes ALTER COLUMN size TYPE BIGINT", [
      [{ lock: "ACCESS EXCLUSIVE" }],
      [{ rewritten: true, scanned: true }],
    ]),
  ).toEqual([]);
});

test("a lock that no text shows is a finding, with the time for which it was held", () => {
  const [finding, ...others] = compared("DO $$ BEGIN EXECUTE 'ALTER TABLE notes ADD COLUMN x INT'; END $$", [
    [{ lock: "ACCESS EXCLUSIVE" }],
  ]);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    id: "lock-not-foreseen notes",
    classes: ["blocking"],
    severity: "warning",
    migration: "2_new",
    statement: 0,
    what: "When it was run, it took the lock ACCESS EXCLUSIVE on `notes`. Its text doesn't tell.",
    who: "All queries on `notes` block.",
    howLong: "1.5 s in that run; longer with more rows",
  });
});

test("a lock that blocks more than the review says is a finding, one that blocks as much is none", () => {
  const index = "CREATE INDEX notes_title ON notes (title)";
  expect(ids(index, [[{ lock: "SHARE ROW EXCLUSIVE", scanned: true }]])).toEqual([]);
  expect(ids(index, [[{ lock: "ACCESS EXCLUSIVE", scanned: true }]])).toEqual(["1 lock-not-foreseen notes warning"]);
});

test("a table that is rewritten or read without the review's saying so is a finding", () => {
  expect(ids("ALTER TABLE notes ADD COLUMN x INT", [[{ lock: "ACCESS EXCLUSIVE", rewritten: true }]])).toEqual([
    "1 rewrite-not-foreseen notes warning",
  ]);
  expect(ids("ALTER TABLE notes ADD COLUMN x INT", [[{ lock: "ACCESS EXCLUSIVE", scanned: true }]])).toEqual([
    "1 scan-not-foreseen notes warning",
  ]);
});

test("what the planner reads for rows, for a foreign key or in place of emptied rows is no finding", () => {
  expect(ids("UPDATE notes SET size = 1", [[{ scanned: true }]])).toEqual([]);
  expect(ids("SELECT count(*) FROM notes", [[{ scanned: true }]])).toEqual([]);
  expect(
    ids("ALTER TABLE tags ADD FOREIGN KEY (id) REFERENCES notes (id)", [
      [
        { lock: "SHARE ROW EXCLUSIVE", scanned: true },
        { name: "tags", lock: "SHARE ROW EXCLUSIVE", scanned: true },
      ],
    ]),
  ).toEqual([]);
  expect(ids("TRUNCATE notes CASCADE", [[{ lock: "ACCESS EXCLUSIVE", rewritten: true }]])).toEqual([]);
});

test("work that the review says and that a table with rows did not need is a note", () => {
  const sql = "ALTER TABLE notes ALTER COLUMN size TYPE BIGINT";
  expect(ids(sql, [[{ lock: "ACCESS EXCLUSIVE" }]])).toEqual(["1 less-than-foreseen notes info"]);
  expect(ids(sql, [[{ lock: "ACCESS EXCLUSIVE" }]], 0)).toEqual([]);
});

test("tables of the release itself, partitioned ones and statements outside transactions give no note", () => {
  expect(
    ids("DROP TABLE tags;\nCREATE TABLE tags (id INT);\nALTER TABLE tags ALTER COLUMN id TYPE BIGINT", [
      [{ name: "tags", lock: "ACCESS EXCLUSIVE" }],
      [],
      [],
    ]),
  ).toEqual([]);
  expect(
    ids("ALTER TABLE events ALTER COLUMN id TYPE BIGINT", [[{ name: "events", lock: "ACCESS EXCLUSIVE" }]]),
  ).toEqual([]);
  expect(ids("CREATE INDEX CONCURRENTLY notes_title ON notes (title)", [[]])).toEqual([]);
});

test("one table is told once in a migration", () => {
  const hidden = "DO $$ BEGIN EXECUTE 'ALTER TABLE notes ADD COLUMN x INT'; END $$";
  expect(ids(`${hidden};\n${hidden}`, [[{ lock: "SHARE" }], [{ lock: "ACCESS EXCLUSIVE" }]])).toEqual([
    "1 lock-not-foreseen notes warning",
  ]);
});
