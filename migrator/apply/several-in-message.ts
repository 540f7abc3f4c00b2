import { formatDuration } from "../../text/short-duration";
import { isConnectionLoss } from "../db/connection";
import { failedIndex, runScript } from "../db/query";
import { migrationPath, OWN_PATH } from "../db/search-path";
import { changesSession } from "../db/session-settings";
import { translateError } from "../db/translate-error";
import { millisecondsSince } from "../records/records";
import type { Run } from "../run";
import { batchDirective } from "./batch-statement";
import { mayChangeBookkeeping, takesRole } from "./bookkeeping";
import { describeGroup, groupStatements } from "./groups";
import { firstLockTimeout } from "./lock-retries";
import { isCatalogOnly, LockWaitBudget } from "./lock-wait-budget";
import { DEFINES } from "./one-transaction";
import { firstLook } from "./send-statements";
import { statementHashes } from "./statement-hashes";
import type { QueuedMigration, Strategy } from "./strategy";

/** The largest number of migrations in one message. The log may be behind by as many. */
const MOST = 25;

/** The longest text of a migration in such a message, in characters. */
const SHORT = 8 * 1024;

/** Returns true if a migration is one definition that only changes the catalog and leaves the session as it is. */
function isQuick({ plan, migration, effects, resume }: QueuedMigration): boolean {
  const [statement] = plan.statements;
  if (resume || plan.mode !== "transaction" || plan.error || plan.statements.length !== 1 || !statement) return false;
  if (!DEFINES.test(statement.kind) || batchDirective(statement) !== undefined || changesSession(plan)) return false;
  if (migration.sql.length > SHORT || takesRole(migration.sql) || mayChangeBookkeeping(migration.sql)) return false;
  return isCatalogOnly(effects[0]);
}

/**
 * Applies several quick migrations in one message, each in a transaction of its own with its row in the history.
 * Messages and commits take most of the time of a thousand small migrations. After a failure the server runs nothing
 * more of the message; the migration that failed is given back to the queue, and tried again by itself or explained.
 * Only the last commit waits for the disk, and with it those before, so that everything in the log is durable.
 */
export const severalInMessage: Strategy = {
  take(at) {
    let count = 0;
    for (let next = at(0); next && count < MOST && isQuick(next); next = at(count)) count++;
    return count > 1 ? count : 0;
  },
  async apply(run, taken, first, meanwhile) {
    const { session, settings, watcher } = run;
    run.signal.throwIfAborted();
    const lockTimeout = firstLockTimeout(settings.lockTimeout);
    const transactions = taken.map((each, index) => [
      "BEGIN",
      ...(index === 0 ? [`SET lock_timeout = ${lockTimeout}`, "SET synchronous_commit = off", ...first] : []),
      ...(index === 0 ? [migrationPath(run.table.schema)] : []),
      ...(index === taken.length - 1 ? ["SET LOCAL synchronous_commit TO DEFAULT"] : []),
      ...shareOf(each, lockTimeout),
      ...bodyOf(run, each, index),
      "COMMIT",
    ]);
    const after = [OWN_PATH, "SET synchronous_commit TO DEFAULT", `SET lock_timeout = ${settings.lockTimeout}`];
    const names = `${taken.length} migrations from ${taken[0]!.migration.name}`;
    const failure = (error: unknown) =>
      translateError(error, run, {
        afterStop: `what was committed of ${names} stays.`,
        afterLoss: `the server keeps what it had committed of ${names}; the next run sees how many.`,
        refused: (refusal) => refusal,
      });
    const sent = runScript(session, [...transactions.flat(), ...after].join(";\n"));
    const answered = watcher.during(sent, names, firstLook(lockTimeout));
    // A failure is handled below. This keeps it from being unhandled if it comes during `meanwhile`.
    answered.catch(() => undefined);
    meanwhile();
    try {
      const results = await answered;
      let end = 0;
      const elapsed = transactions.map(({ length }): number => {
        end += length;
        return results[end - AFTER_ROW]?.rows[0]?.elapsed;
      });
      const durationOf = (index: number) => elapsed[index]! - (elapsed[index - 1] ?? 0);
      return { applied: taken.length, writeLog: () => writeLines(run, taken, durationOf) };
    } catch (error) {
      if (session.lost !== undefined || isConnectionLoss(error)) throw failure(error);
      await runScript(session, [...FLUSH, ...after].join("; ")).catch((again) => {
        throw failure(again);
      });
      const applied = countComplete(transactions, failedIndex(error));
      return { applied, writeLog: () => writeLines(run, taken.slice(0, applied), () => undefined) };
    }
  },
};

/** An empty transaction with an id of its own, whose commit flushes the commits before it to the disk. */
const FLUSH = [
  "ROLLBACK",
  "BEGIN",
  "SELECT pg_catalog.pg_current_xact_id()",
  "SET LOCAL synchronous_commit TO DEFAULT",
  "COMMIT",
];

/** Returns the lock_timeout of a statement that takes several locks, which share the time to wait. */
function shareOf({ plan, effects }: QueuedMigration, lockTimeout: number): string[] {
  const share = new LockWaitBudget(lockTimeout, effects).timeoutFor(plan.statements);
  return share === lockTimeout ? [] : [`SET LOCAL lock_timeout = ${share}`];
}

/** The position of the history's row in a transaction, counted from the end. */
const AFTER_ROW = 3;

function bodyOf({ table, records }: Run, { migration, plan }: QueuedMigration, index: number): string[] {
  const data = { checksum: migration.checksum, rows: 0, attempts: 1, lockWait: 0, statements: statementHashes(plan) };
  const [audit] = records.auditStatements({ event: "migration.applied", migration: migration.name, data });
  // now() is the time at which the message arrived. Prisma reads the rows in the order of their start, so no two rows
  // have the same one.
  const row = table.appliedRow(
    migration,
    `pg_catalog.now() OPERATOR(pg_catalog.+) '${index} microseconds'::pg_catalog.interval`,
  );
  return [
    plan.statements[0]!.text,
    `${row} RETURNING ${millisecondsSince("pg_catalog.now()", "float8")} AS elapsed`,
    // The number of statements must not change, because their results are found by position.
    audit ?? "SELECT",
  ];
}

/**
 * Counts the transactions that were complete when a statement of the message failed.
 * @param failed the index of that statement in the message
 */
function countComplete(transactions: readonly string[][], failed: number): number {
  let count = 0;
  for (let end = 0; count < transactions.length; count++) {
    end += transactions[count]!.length;
    if (end > failed) break;
  }
  return count;
}

/** Writes the log lines that each migration would have if it were applied by itself. */
function writeLines(
  { log }: Run,
  taken: readonly QueuedMigration[],
  durationOf: (index: number) => number | undefined,
): void {
  log.together(() => {
    for (const [index, { migration, plan }] of taken.entries()) {
      const { name, checksum } = migration;
      const duration = durationOf(index);
      const time = duration === undefined ? "" : formatDuration(duration);
      log.event("migration.started", name, { migration: name, checksum });
      const [statement] = plan.statements;
      const [group] = groupStatements(migration.sql, plan.statements);
      const fields = { migration: name, duration, rows: 0 };
      log.event("statement.finished", `  ${describeGroup(group!)}${time && ` (${time})`}`, {
        ...fields,
        line: statement!.line,
        kind: statement!.kind,
        count: 1,
      });
      log.event("migration.finished", `  applied${time && ` in ${time}`}`, { ...fields, attempts: 1, lockWait: 0 });
    }
  });
}
