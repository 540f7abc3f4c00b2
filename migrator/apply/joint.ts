import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan } from "../../migrations/history/plan";
import { formatDuration } from "../../text/short-duration";
import { connectionLost, isConnectionLoss } from "../db/connection";
import { failedIndex, runScript } from "../db/query";
import { migrationPath, OWN_PATH } from "../db/search-path";
import { changesSession } from "../db/session-settings";
import { millisecondsSince } from "../records/records";
import type { Run } from "../run";
import { batchDirective } from "./batch-statement";
import { mayChangeBookkeeping } from "./bookkeeping";
import { describeGroup, groupStatements } from "./groups";
import { isCatalogOnly, Patience } from "./patience";
import { lockAttempts } from "./retry";
import { statementHashes } from "./statement-hashes";
import { DEFINES, takesRole } from "./transaction";

/** A pending migration with its plan. */
export interface PlannedMigration {
  readonly migration: Migration;
  readonly plan: MigrationPlan;
}

/** At most so many migrations in one message: what the log says is at most so many behind. */
export const JOINT = 25;

/** Longest text of a migration in such a message, characters. */
const SHORT = 8 * 1024;

/** A migration that is one definition, quick by its nature, and leaves the session as it is. */
export function isQuick({ plan, migration }: PlannedMigration): boolean {
  const [statement] = plan.statements;
  if (plan.mode !== "transaction" || plan.error || plan.statements.length !== 1 || !statement) return false;
  if (!DEFINES.test(statement.kind) || batchDirective(statement) !== undefined || changesSession(plan)) return false;
  if (migration.sql.length > SHORT || takesRole(migration.sql) || mayChangeBookkeeping(migration.sql)) return false;
  return isCatalogOnly(statement);
}

/** What became of a message: how many of its migrations are applied, and their lines of the log, which may be written later. */
export interface Joint {
  readonly applied: number;
  readonly tell: () => void;
}

/**
 * Applies several quick migrations, each in a transaction of its own with its row in the history, in one message: most of the time that a
 * thousand small migrations take is that of messages and of commits. What comes after a failure in the message is not run by the server;
 * whoever called goes on with the next migration by itself, which tries again or says what is wrong.
 * Only the last commit waits for the disk, and with it those before: what the log tells of is there to stay.
 * @param first statements to run in the first transaction before, such as the creation of the history table
 * @param meanwhile is done while the server works
 */
export async function applyJointly(
  run: Run,
  joint: readonly PlannedMigration[],
  first: readonly string[],
  meanwhile: () => void,
): Promise<Joint> {
  const { session, settings, watcher } = run;
  run.signal.throwIfAborted();
  const { lockTimeout } = lockAttempts(settings.lockTimeout).next().value;
  const path = migrationPath(run.table.schema);
  const transactions = joint.map((each, index) => [
    "BEGIN",
    ...(index === 0 ? [`SET lock_timeout = ${lockTimeout}`, "SET synchronous_commit = off", ...first, path] : []),
    ...(index === joint.length - 1 ? ["SET LOCAL synchronous_commit TO DEFAULT"] : []),
    ...splitOf(each, lockTimeout),
    ...bodyOf(run, each, index),
    "COMMIT",
  ]);
  const after = [OWN_PATH, "SET synchronous_commit TO DEFAULT", `SET lock_timeout = ${settings.lockTimeout}`];
  const names = `${joint.length} migrations from ${joint[0]!.migration.name}`;
  const sent = runScript(session, [...transactions.flat(), ...after].join(";\n"));
  const answered = watcher.during(sent, names, Math.max(20, lockTimeout * 0.6));
  // Its failure is looked at below, also when it comes while something else is computed.
  answered.catch(() => undefined);
  meanwhile();
  try {
    const results = await answered;
    let end = 0;
    const elapsed = transactions.map(({ length }) => {
      end += length;
      return results[end - AFTER_ROW]?.rows[0]?.elapsed as number;
    });
    return {
      applied: joint.length,
      tell: () => tellAll(run, joint, (index) => elapsed[index]! - (elapsed[index - 1] ?? 0)),
    };
  } catch (error) {
    if (session.lost !== undefined || isConnectionLoss(error)) throw lost(error, names);
    // An empty transaction with a number of its own: its commit brings those before to the disk.
    const flush = [
      "ROLLBACK",
      "BEGIN",
      "SELECT pg_catalog.pg_current_xact_id()",
      "SET LOCAL synchronous_commit TO DEFAULT",
      "COMMIT",
    ];
    await runScript(session, [...flush, ...after].join("; ")).catch((again) => {
      throw session.lost === undefined ? again : lost(again, names);
    });
    const applied = countComplete(transactions, failedIndex(error));
    return { applied, tell: () => tellAll(run, joint.slice(0, applied), () => undefined) };
  }
}

/** A statement that takes several locks shares the patience among them. */
function splitOf({ plan }: PlannedMigration, lockTimeout: number): string[] {
  const share = new Patience(lockTimeout).next(plan.statements);
  return share === lockTimeout ? [] : [`SET LOCAL lock_timeout = ${share}`];
}

function lost(error: unknown, names: string): Error {
  return connectionLost(error, `the server keeps what it had committed of ${names}; the next run sees how many.`);
}

/** Where the history's row stands in a transaction, counted from the end. */
const AFTER_ROW = 3;

function bodyOf({ table, records }: Run, { migration, plan }: PlannedMigration, index: number): string[] {
  const data = { checksum: migration.checksum, rows: 0, attempts: 1, lockWait: 0, statements: statementHashes(plan) };
  const [audit] = records.auditStatements({ event: "migration.applied", migration: migration.name, data });
  // now() is when the message came. No two rows begin at the same time, as Prisma reads them in that order.
  const row = table.appliedRow(
    migration,
    `pg_catalog.now() OPERATOR(pg_catalog.+) '${index} microseconds'::pg_catalog.interval`,
  );
  return [
    plan.statements[0]!.text,
    `${row} RETURNING ${millisecondsSince("pg_catalog.now()", "float8")} AS elapsed`,
    // The number of statements doesn't change, so that their results are found.
    audit ?? "SELECT",
  ];
}

/** How many transactions are behind a statement of the message. */
function countComplete(transactions: readonly string[][], failed: number): number {
  let count = 0;
  for (let end = 0; count < transactions.length; count++) {
    end += transactions[count]!.length;
    if (end > failed) break;
  }
  return count;
}

/** The lines that each would have by itself. */
function tellAll(
  { log }: Run,
  joint: readonly PlannedMigration[],
  durationOf: (index: number) => number | undefined,
): void {
  log.together(() => {
    for (const [index, { migration, plan }] of joint.entries()) {
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
