import { Client } from "pg";
import { chosenMajor } from "../../support/majors";
import { dumpDatabase, type TestPostgres } from "../../support/postgres";
import { query, startMigrator } from "../support";

/** Ways in which a run is ended at a random instant. */
export const KILLS = ["SIGKILL", "SIGTERM", "terminate", "restart"] as const;
export type Kill = (typeof KILLS)[number];

/** Migrations of every kind that is run in its own way. The pauses give each instant its chance to be hit. */
export const KILL_HISTORY: Record<string, string> = {
  "20240101000000_init": `CREATE TABLE "nötes" (id int PRIMARY KEY, kind text, body text NOT NULL DEFAULT '');
INSERT INTO "nötes" SELECT i, 'k' || i % 7, repeat('x', 50) FROM generate_series(1, 3000) i;
SELECT pg_sleep(0.05);
CREATE TABLE parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TYPE mood AS ENUM ('sad');`,
  "20240102000000_function": `CREATE FUNCTION slow(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM 1; RETURN x; END; $$;
ALTER TABLE "nötes" ADD COLUMN n int;
SELECT pg_sleep(0.05);
UPDATE "nötes" SET n = id;`,
  "20240103000000_concurrently": `CREATE INDEX CONCURRENTLY IF NOT EXISTS notes_kind ON "nötes" (kind, slow(id));
CREATE UNIQUE INDEX CONCURRENTLY notes_n ON "nötes" (n);
INSERT INTO "nötes" VALUES (9001, 'once', 'between', 9001);
DROP INDEX CONCURRENTLY notes_kind;
CREATE INDEX CONCURRENTLY notes_kind ON "nötes" (kind);
REINDEX INDEX CONCURRENTLY notes_n;`,
  "20240104000000_own_transaction": `BEGIN;
INSERT INTO "nötes" VALUES (9002, 'once', 'own', 9002);
SELECT pg_sleep(0.05);
ALTER TABLE "nötes" ADD COLUMN own int DEFAULT 1;
COMMIT;`,
  "20240105000000_blocks": `INSERT INTO "nötes" VALUES (9003, 'once', 'before', 9003);
BEGIN;
UPDATE "nötes" SET own = own + 1;
SELECT pg_sleep(0.05);
COMMIT;
UPDATE "nötes" SET own = own + 1;
VACUUM "nötes";`,
  "20240106000000_enum": `ALTER TYPE mood ADD VALUE 'happy';
ALTER TABLE "nötes" ADD COLUMN mood mood DEFAULT 'happy';
SELECT pg_sleep(0.05);`,
  "20240107000000_batches": `-- release: batch size 100 pause 1ms
UPDATE "nötes" SET n = n + 100000, own = own + 1 WHERE kind <> 'never';
CREATE TABLE copy (id int, n int);
-- release: batch size 500 pause 1ms
INSERT INTO copy SELECT id, n FROM "nötes";
-- release: batch by id size 400 pause 1ms
DELETE FROM "nötes" WHERE id % 10 = 0;`,
  "20240108000000_detach": `ALTER TABLE parts DETACH PARTITION parts_old${chosenMajor < 14 ? "" : " CONCURRENTLY"};
SELECT pg_sleep(0.03);
ALTER TABLE parts ADD COLUMN note text;`,
  // Small ones in a row, which go to the server in one message.
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [
      `202401080${10000 + index}_small`,
      `ALTER TABLE "nötes" ADD COLUMN small${index} int DEFAULT ${index};`,
    ]),
  ),
  "20240109000000_last": `ALTER TABLE "nötes" ADD CONSTRAINT n_positive CHECK (n > 0) NOT VALID;
ALTER TABLE "nötes" VALIDATE CONSTRAINT n_positive;`,
};

/** Everything that must be equal in the end: all definitions, all rows, and the history without its times and ids. */
export async function stateOf(url: string): Promise<string> {
  const dump = await dumpDatabase(url);
  const parts = dump
    .split(/^(?=rows of )/m)
    .filter((part) => !/^rows of (public\._prisma_migrations|_release\.)/.test(part));
  const history = await query(
    url,
    "SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at, applied_steps_count, logs FROM _prisma_migrations ORDER BY 1, 2, 3",
  );
  const steps = await query(url, "SELECT migration, done FROM _release.step");
  return [...parts, JSON.stringify(history), JSON.stringify(steps)].join("\n");
}

export interface Round {
  kill: Kill;
  /** Milliseconds after the start. */
  after: number;
  /** The killed run had already ended. */
  early: boolean;
  problem?: string;
}

/** One disturbed run, then another to the end; the result must be that of an undisturbed run. */
export async function playRound(
  postgres: TestPostgres,
  directory: string,
  { kill, after, expected }: { kill: Kill; after: number; expected: string },
): Promise<Round> {
  const url = await postgres.createDatabase();
  const args = ["deploy", "--migrations", directory, "--lock-timeout", "2s"];
  const running = startMigrator(args, { DATABASE_URL: url });
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  await new Promise((resolve) => setTimeout(resolve, after));
  const round: Round = { kill, after, early: over };
  if (kill === "terminate") await terminate(postgres, url);
  else if (kill === "restart") await postgres.restart();
  else running.child.kill(kill);
  const first = await running.ended;
  if (first.exit === 70) return { ...round, problem: `the disturbed run had a defect:\n${first.output}` };
  const second = await startMigrator(args, { DATABASE_URL: url }).ended;
  if (second.exit !== 0)
    return { ...round, problem: `exit ${second.exit} after\n${first.output}\nthen\n${second.output}` };
  const state = await stateOf(url);
  if (state !== expected)
    return {
      ...round,
      problem: `another state after\n${first.output}\nthen\n${second.output}\n${difference(expected, state)}`,
    };
  await query(postgres.url, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
  return round;
}

async function terminate(postgres: TestPostgres, url: string): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'release-%' AND datname = $1",
    [new URL(url).pathname.slice(1)],
  );
  await client.end();
}

function difference(expected: string, actual: string): string {
  const [before, after] = [new Set(expected.split("\n")), new Set(actual.split("\n"))];
  const missing = [...before].filter((line) => !after.has(line)).map((line) => `- ${line}`);
  const added = [...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`);
  return [...missing, ...added].slice(0, 40).join("\n");
}
