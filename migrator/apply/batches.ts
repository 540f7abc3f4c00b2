import { setTimeout as pause } from "node:timers/promises";
import { escapeIdentifier, escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { formatDuration } from "../../text/short-duration";
import type { Session } from "../db/connection";
import { findRelation, ownRows } from "../db/own-queries";
import { runScript } from "../db/query";
import { replication } from "../db/replication";
import { UnfollowedDirective } from "../failures/statement";
import { writeNote } from "../records/progress";
import type { Run } from "../run";
import { BatchProblem, type BatchStatement, readBatch } from "./batch-statement";
import { locate, locationIn } from "./error-location";
import { type Attempts, retryForLocks } from "./lock-retries";
import { fileOf, titleOf } from "./names";

/**
 * The progress of a batched statement. The transaction that changes the rows also stores it in `_release.step.note`.
 */
interface BatchNote {
  /** The key of the last row that is done, as text; null: no row is done. */
  last: string | null;
  /** The largest key when the statement began. Rows that the app adds above it later are not changed. */
  end: string;
  looked: number;
  changed: number;
}

interface Key {
  /** The table that the statement names, with its schema. */
  table: string;
  column: string;
  /**
   * The type that the index compares by. The type and its two operators are written with their schemas, because the
   * search path need not include those of the column's type.
   */
  type: string;
  above: string;
  upTo: string;
  estimate: number;
}

/** The shortest time between two progress lines in the log, in milliseconds. */
const REPORT_EVERY = 5000;

/**
 * Runs a statement in key ranges with a commit for each, so that no row stays locked for long and vacuum and replicas
 * keep up. Another run continues after the last complete range.
 * @param progress the id of the migration's row in the history, the note of an earlier run, the statement that records
 *   the completion (`done`), and the state of the database for a failure message
 */
export async function runBatches(
  run: Run,
  migration: Migration,
  statement: PlannedStatement,
  progress: { id: string; note: Record<string, unknown>; done: string; state: () => string },
): Promise<{ rows: number; attempts: Attempts }> {
  const { session, log, signal } = run;
  const { batch, key } = await prepareBatch(run, migration, statement, progress.state());
  const attempts: Attempts = { count: 1, lockWait: 0 };
  let note =
    (progress.note as Partial<BatchNote>).end === undefined
      ? await begin(run, key)
      : (progress.note as unknown as BatchNote);
  const began = Date.now();
  const lookedBefore = note?.looked ?? 0;
  let lastReport = began;
  while (note) {
    const current: BatchNote = note;
    signal.throwIfAborted();
    const { result, attempts: tried } = await retryForLocks(run, migration, progress.state, (lockTimeout) =>
      oneRange(run, statement, { batch, key }, current, progress.id, lockTimeout),
    );
    attempts.count += tried.count - 1;
    attempts.lockWait += tried.lockWait;
    note = result;
    if (note && Date.now() - lastReport >= REPORT_EVERY) {
      lastReport = Date.now();
      reportProgress(
        run,
        migration,
        statement,
        note,
        key,
        (lastReport - began) / Math.max(1, note.looked - lookedBefore),
      );
    }
    if (note) await yieldTo(run, batch.pause);
    else {
      log.event(
        "batch.finished",
        `  line ${statement.line}: ${current.changed} rows in ranges of ${batch.size} (${formatDuration(Date.now() - began)})`,
        {
          migration: migration.name,
          rows: current.changed,
        },
      );
      await runScript(session, progress.done);
      return { rows: current.changed, attempts };
    }
  }
  await runScript(session, progress.done);
  return { rows: 0, attempts };
}

/**
 * Reads a batched statement and finds the key that it walks.
 * @param state the state of the database, for the failure message
 * @throws UnfollowedDirective if the statement can't be run in ranges of rows
 */
async function prepareBatch(
  run: Run,
  migration: Migration,
  statement: PlannedStatement,
  state: string,
): Promise<{ batch: BatchStatement; key: Key }> {
  try {
    const batch = readBatch(statement);
    return { batch, key: await walkedKey(run.session, batch) };
  } catch (error) {
    if (!(error instanceof BatchProblem)) throw error;
    const problem = `has "-- release: batch" above a statement that ${error.message}`;
    throw new UnfollowedDirective(
      { title: titleOf(migration), file: fileOf(migration) },
      problem,
      locationIn(migration, statement.offset),
      state,
    );
  }
}

/**
 * Finds the key to walk: a NOT NULL column that has a valid, unique, non-partial index of its own.
 * @throws BatchProblem if the table has no such column
 */
export async function walkedKey(session: Session, { table, column }: BatchStatement): Promise<Key> {
  const operator = (strategy: number) =>
    `(SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname)
      FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
      WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = ${strategy})`;
  const keys = await ownRows<Key & { columns: number }>(
    session,
    `SELECT c.oid::regclass::text AS "table", a.attname AS column, i.indnkeyatts AS columns, c.reltuples::float8 AS estimate,
       (SELECT format('%I.%I', n.nspname, y.typname) FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace
         WHERE y.oid = CASE WHEN compared.typtype <> 'p' THEN o.opcintype ELSE coalesce(nullif(t.typbasetype, 0), t.oid) END) AS type,
       ${operator(5)} AS above, ${operator(2)} AS "upTo"
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       JOIN pg_type t ON t.oid = a.atttypid
       JOIN pg_opclass o ON o.oid = i.indclass[0] JOIN pg_type compared ON compared.oid = o.opcintype
     WHERE i.indrelid = $1 AND i.indisvalid AND i.indisunique AND i.indpred IS NULL AND a.attnotnull
       AND ($2::text IS NULL AND i.indisprimary OR a.attname = $2) ORDER BY i.indnkeyatts LIMIT 1`,
    [await findRelation(session, table), column ?? null],
  );
  const [key] = keys;
  if (key?.columns === 1) return key;
  throw new BatchProblem(
    column === undefined
      ? `needs a primary key of one column in ${table}, or "by COLUMN", to be walked by`
      : `needs ${column} to be NOT NULL and uniquely indexed by itself in ${table}, to be walked by it`,
  );
}

async function begin({ session }: Run, { table, column }: Key): Promise<BatchNote | undefined> {
  const name = escapeIdentifier(column);
  // format() uses the type's own output function, whatever casts to text are defined.
  const [row] = await ownRows<{ end: string }>(
    session,
    `SELECT format('%s', ${name}) AS "end" FROM ${table} ORDER BY ${name} DESC LIMIT 1`,
    [],
  );
  return row && { last: null, end: row.end, looked: 0, changed: 0 };
}

/**
 * Changes one range of rows and stores the progress, in one transaction.
 * @returns the new progress, or undefined if no row is left
 */
async function oneRange(
  { session }: Run,
  statement: PlannedStatement,
  { batch, key }: { batch: BatchStatement; key: Key },
  note: BatchNote,
  id: string,
  lockTimeout: number,
): Promise<BatchNote | undefined> {
  const name = escapeIdentifier(key.column);
  const literal = (value: string) => `CAST(${escapeLiteral(value)} AS ${key.type})`;
  const within = (column: string, upper: string) =>
    `${note.last === null ? "" : `${column} ${key.above} ${literal(note.last)} AND `}${column} ${key.upTo} ${literal(upper)}`;
  const [range] = await ownRows<{ upper: string | null; looked: number }>(
    session,
    `WITH ranged AS (SELECT ${name} FROM ${key.table} WHERE ${within(name, note.end)} ORDER BY ${name} LIMIT ${batch.size})
     SELECT (SELECT format('%s', ${name}) FROM ranged ORDER BY ${name} DESC LIMIT 1) AS upper, (SELECT count(*)::int FROM ranged) AS looked`,
    [],
  );
  if (!range || range.upper === null) return undefined;
  const upper = range.upper;
  const text = batch.restrictedTo((column) => within(column, upper), key.column);
  try {
    await runScript(session, `BEGIN; SET LOCAL lock_timeout = ${lockTimeout}`);
    const [result] = await runScript(session, text);
    const next = {
      ...note,
      last: upper,
      looked: note.looked + range.looked,
      changed: note.changed + (result?.rowCount ?? 0),
    };
    await runScript(session, `${writeNote(id, next)}; COMMIT`);
    return next;
  } catch (error) {
    // The text that was sent differs from the file's, so the error's position would point to the wrong place.
    delete (error as { position?: string }).position;
    locate(error, { statements: [statement], text, offset: statement.offset });
    if (session.lost === undefined) await runScript(session, "ROLLBACK").catch(() => undefined);
    throw error;
  }
}

function reportProgress(
  run: Run,
  migration: Migration,
  { line }: PlannedStatement,
  note: BatchNote,
  key: Key,
  each: number,
): void {
  const total = Math.max(key.estimate, note.looked);
  const left = key.estimate > 0 ? `, about ${formatDuration((total - note.looked) * each)} left` : "";
  const share = key.estimate > 0 ? ` (${Math.floor((100 * note.looked) / total)} %)` : "";
  run.log.event(
    "batch.progress",
    `  … line ${line}: ${note.looked} rows looked at${share}, ${note.changed} changed${left}`,
    {
      migration: migration.name,
      looked: note.looked,
      changed: note.changed,
    },
  );
}

/**
 * Pauses between two ranges: first for `time` milliseconds, then for as long as a replica's lag exceeds
 * maxReplicationLag, up to lockRetryTimeout.
 */
async function yieldTo(run: Run, time: number): Promise<void> {
  const { settings, log, signal, session } = run;
  await pause(time, undefined, { signal }).catch(() => undefined);
  const until = Date.now() + settings.lockRetryTimeout;
  for (let reported = false; !signal.aborted && Date.now() < until; reported = true) {
    const { lagMs: lag } = await replication(session);
    if (lag === undefined || lag <= settings.maxReplicationLag) return;
    if (!reported) log.event("batch.yields", `  … a replica is ${formatDuration(lag)} behind; waiting for it`, { lag });
    await pause(1000, undefined, { signal }).catch(() => undefined);
  }
}
