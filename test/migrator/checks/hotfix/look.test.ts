import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumOf, type Migration } from "../../../../migrations/history/history";
import { loadParser } from "../../../../migrations/history/plan";
import { type HotfixLook, lookAtHotfixes } from "../../../../migrator/checks/hotfix/look";
import { readSettings } from "../../../../migrator/cli/read-settings";
import { readTarget } from "../../../../migrator/cli/read-target";
import { Session } from "../../../../migrator/db/connection";
import { Watcher } from "../../../../migrator/db/watcher";
import { Log } from "../../../../migrator/log";
import { Plans } from "../../../../migrator/plans";
import { compareHistory } from "../../../../migrator/records/history-state";
import { HistoryTable } from "../../../../migrator/records/history-table";
import { Records } from "../../../../migrator/records/records";
import { asRole, startPostgres, type TestPostgres } from "../../../support/postgres";
import { query } from "../../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await loadParser();
  await query(postgres.url, "CREATE ROLE plain LOGIN PASSWORD 'plain'; CREATE ROLE reader");
});
afterAll(() => postgres.stop());

const BASE = `CREATE TABLE note (id serial PRIMARY KEY, title text, size int);
  CREATE INDEX note_size ON note (size);`;

const migrationOf = (name: string, sql: string): Migration => ({ name, sql, checksum: checksumOf(sql) });

/** Looks at pending migrations on a database that has the base and what was done by hand. */
async function look(
  byHand: string,
  files: readonly string[],
  { role, base = BASE }: { role?: string; base?: string } = {},
): Promise<HotfixLook[]> {
  const owner = await postgres.createDatabase();
  await query(owner, `${base}${byHand}`);
  const url = role === undefined ? owner : asRole(owner, role, role);
  const log = new Log("text", () => undefined);
  const settings = readSettings(["deploy", "--migrations", "migrations"], { DATABASE_URL: url });
  const target = readTarget(settings, log);
  const session = await Session.open(target, { applicationName: "test", connectWait: 0 });
  try {
    const run = {
      ...{ session, settings, log },
      table: new HistoryTable("public"),
      records: new Records(session, "public", undefined),
      watcher: new Watcher(target, session.pid, log),
      plans: new Plans(),
      signal: new AbortController().signal,
    };
    const history = [
      migrationOf("0_base", base),
      ...files.map((sql, index) => migrationOf(`${1000 + index}_next`, sql)),
    ];
    const row = { id: "1", migrationName: "0_base", checksum: checksumOf(base), logs: null, appliedSteps: 1 };
    const at = new Date();
    const rows = [{ ...row, startedAt: at, finishedAt: at, rolledBackAt: null }];
    return await lookAtHotfixes(run, compareHistory(history, rows));
  } finally {
    await session.close();
  }
}

/** The state of each statement, and of the whole. */
const statesOf = ({ verdict, statements }: HotfixLook) => [verdict, ...statements.map(({ state }) => state)];
const hotfix = (sql: string) => `-- release: hotfix\n${sql}`;

const INDEX = "CREATE INDEX note_title ON note (title);";
const UPDATE = "UPDATE note SET title = 'x' WHERE title IS NULL;";
const CHECK = "ALTER TABLE note ADD CONSTRAINT size_positive CHECK (size > 0)";
/** An index whose build has failed stays there, and is not valid. */
const INVALID = `${INDEX} UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'note_title'::regclass;`;

/** What was done by hand, the hotfix, what is told of it, and a part of the evidence. Each case has a table of its own. */
const CASES: readonly (readonly [what: string, byHand: string, sql: string, states: string[], evidence: string])[] = [
  ["an index", INDEX, INDEX, ["record", "there"], "there is index public.note_title"],
  ["nothing", "", INDEX, ["run", "not there"], "there is no index public.note_title"],
  [
    "one of two statements",
    INDEX,
    `${INDEX} ALTER TABLE note ADD COLUMN colour text;`,
    ["part", "there", "not there"],
    "there is no column public.note.colour",
  ],
  [
    "an index of the same name with another definition",
    "CREATE INDEX note_title ON note (title DESC);",
    INDEX,
    ["part", "other"],
    "USING btree (title DESC); the hotfix makes it CREATE INDEX note_title ON public.note USING btree (title)",
  ],
  ["an invalid index", INVALID, INDEX, ["part", "other"], "has invalid: yes; the hotfix makes it no"],
  ["a constraint NOT VALID", `${CHECK} NOT VALID`, `${CHECK};`, ["part", "other"], "has not valid: yes"],
  [
    "a column of another type",
    "ALTER TABLE note ADD COLUMN colour text",
    "ALTER TABLE note ADD COLUMN colour int;",
    ["part", "other"],
    "has type: text; the hotfix makes it integer",
  ],
  [
    "a rename",
    "ALTER TABLE note RENAME COLUMN title TO subject",
    "ALTER TABLE note RENAME COLUMN title TO subject;",
    ["record", "there"],
    "column public.note.title",
  ],
  [
    "the new name of a rename beside the old",
    "ALTER TABLE note ADD COLUMN subject text",
    "ALTER TABLE note RENAME COLUMN title TO subject;",
    ["part", "other"],
    "column public.note.title",
  ],
  [
    "a changed default and NOT NULL",
    "ALTER TABLE note ALTER size SET DEFAULT 1; ALTER TABLE note ALTER size SET NOT NULL;",
    "ALTER TABLE note ALTER size SET DEFAULT 1; ALTER TABLE note ALTER size SET NOT NULL;",
    ["record", "there", "there"],
    "column public.note.size has not null: yes",
  ],
  [
    "a drop",
    "DROP INDEX note_size",
    "DROP INDEX note_size;",
    ["record", "there"],
    "there is no index public.note_size",
  ],
  ["no drop", "", "DROP INDEX note_size;", ["run", "not there"], "there is index public.note_size"],
  [
    "a grant and a comment",
    "GRANT SELECT ON note TO reader; COMMENT ON TABLE note IS 'Notes.'",
    "GRANT SELECT ON note TO reader; COMMENT ON TABLE note IS 'Notes.';",
    ["record", "there", "there"],
    "there is grant TABLE public.note.reader",
  ],
  [
    "an index that is built beside the old one, which it replaces",
    "DROP INDEX note_size; CREATE INDEX note_size ON note (size, id);",
    `SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY note_next ON note (size, id); DROP INDEX CONCURRENTLY note_size;
     ALTER INDEX note_next RENAME TO note_size;`,
    ["record", "passing", "passing", "there", "there"],
    "note_size",
  ],
  [
    "half of that",
    "CREATE INDEX note_next ON note (size, id);",
    "CREATE INDEX note_next ON note (size, id); DROP INDEX note_size; ALTER INDEX note_next RENAME TO note_size;",
    ["part", "there", "not there", "not there"],
    "note_size",
  ],
  [
    "an index made with IF NOT EXISTS after a drop with IF EXISTS",
    INDEX,
    "DROP INDEX IF EXISTS note_title; CREATE INDEX IF NOT EXISTS note_title ON note (title);",
    ["record", "passing", "there"],
    "there is index public.note_title",
  ],
  ["what is seen beside an UPDATE", INDEX, `${INDEX} ${UPDATE}`, ["unseen", "there", "unseen"], "doesn't show"],
  ["nothing that is seen beside an UPDATE", "", `${INDEX} ${UPDATE}`, ["run", "not there", "unseen"], "no index"],
];

describe("what is there of a hotfix is told", () => {
  const own = (sql: string, index: number) => sql.replace(/\bnote(?=_|\b)/g, `note${index}`);
  let looks: HotfixLook[];
  beforeAll(async () => {
    const base = CASES.map((_, index) => own(BASE, index)).join("\n");
    const byHand = CASES.map(([, sql], index) => own(sql, index)).join(";\n");
    looks = await look(
      byHand,
      CASES.map(([, , sql], index) => hotfix(own(sql, index))),
      { base },
    );
  });

  test.each(CASES.map((each, index) => ({ what: each[0], each, index })))("$what", ({ each, index }) => {
    const [, , , states, evidence] = each;
    expect(statesOf(looks[index]!)).toEqual(states);
    expect(looks[index]!.statements.map((statement) => statement.evidence).join("\n")).toContain(own(evidence, index));
  });
});

test("two hotfixes that change the same column are both there, also behind a migration that isn't applied", async () => {
  const first = "ALTER TABLE note ADD COLUMN colour int;";
  const second = "ALTER TABLE note ALTER colour TYPE bigint;";
  const between = "ALTER TABLE note ADD COLUMN other int; CREATE TABLE later (id int);";
  const both = await look(first + second, [
    between,
    hotfix(first),
    between.replace(/other|later/g, "$&_2"),
    hotfix(second),
  ]);
  expect(both.map(statesOf)).toEqual([
    ["record", "there"],
    ["record", "there"],
  ]);
  const one = await look(first, [hotfix(first), hotfix(second)]);
  expect(one.map(statesOf)).toEqual([
    ["record", "there"],
    ["run", "not there"],
  ]);
});

test("without a scratch database, names stop a hotfix, and where there is none of them it runs", async () => {
  const rights = "GRANT USAGE ON SCHEMA public TO plain;";
  const [there] = await look(INDEX + rights, [hotfix(INDEX)], { role: "plain" });
  expect(there).toMatchObject({ verdict: "names", namesOnly: expect.stringContaining("CREATEDB") });
  const [absent] = await look(rights, [hotfix(INDEX)], { role: "plain" });
  expect(absent).toMatchObject({ verdict: "run", namesOnly: expect.stringContaining("CREATEDB") });
  const [fails] = await look(INDEX, [hotfix(`${INDEX}\nDROP INDEX unknown;`)]);
  expect(fails).toMatchObject({ verdict: "names", namesOnly: expect.stringContaining("line 3 of 1000_next") });
});

test("what may not run on a scratch database is left out there, of the history and of the hotfix", async () => {
  const base = `${BASE} CREATE ROLE made_by_history; DO $$ BEGIN CREATE TABLE by_do (id int); END $$;`;
  const [first, second] = await look(INDEX, [`${hotfix(INDEX)}`, hotfix("CREATE INDEX by_do_id ON by_do (id);")], {
    base,
  });
  expect(statesOf(first!)).toEqual(["record", "there"]);
  expect(second).toMatchObject({ verdict: "run", namesOnly: expect.stringContaining('"by_do" does not exist') });
  const block = "DO $$ BEGIN END $$;";
  const both = await look(INDEX, [hotfix(`${INDEX}\n${block}`), hotfix(`CREATE INDEX late ON note (id);\n${block}`)]);
  expect(both.map(statesOf)).toEqual([
    ["unseen", "there", "unseen"],
    ["run", "not there", "unseen"],
  ]);
});

test("a migration without the mark is not looked at", async () => {
  expect(await look(INDEX, [`-- a hotfix\n${INDEX}`])).toEqual([]);
});
