import { randomUUID } from "node:crypto";
import type { Migration } from "../../migrations/history/history";
import { loadParser, type MigrationPlan } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { batchDirective } from "../apply/batch-statement";
import { guardOf } from "../apply/bookkeeping";
import { checkDirectives } from "../apply/directives";
import { describeGroup, groupStatements } from "../apply/groups";
import type { Attempts } from "../apply/lock-retries";
import { DEFINES, isOneTransaction, runInOneTransaction } from "../apply/one-transaction";
import { EffectPlanner, type PlannedMigration } from "../apply/planned-effects";
import { runUnit } from "../apply/run-unit";
import { migrationFailure } from "../apply/statement-failure";
import { statementHashes } from "../apply/statement-hashes";
import { reviewFile } from "../checks/file-review";
import { releaseLock, takeLock } from "../db/lock";
import { runScript } from "../db/query";
import { migrationPath } from "../db/search-path";
import type { Failure } from "../failures/failure";
import { SeveralSteps, UnreadableSqlFile } from "../failures/sql-file";
import { NoRecords } from "../failures/statement";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";

/** The most statements that are listed before the file runs. */
const LISTED = 20;

/**
 * Runs one reviewed file of SQL, as `prisma db execute` does, but with what protects a migration: the migrator's lock,
 * lock_timeout and its retries, the review's gate, the audit trail. The file runs in one transaction; a single statement
 * that Postgres refuses in one runs by itself. The history of migrations is not touched.
 * @throws UnreadableSqlFile, SeveralSteps, FileRefused, AnotherRunner, NoRecords, and the failures of a statement
 */
export async function runSql(run: Run, migrations: readonly Migration[], file: Migration): Promise<void> {
  const { session, settings, log, signal, records, table } = run;
  await loadParser();
  const outside = refuseSteps(file, run.plans.of(file));
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const { applied } = compareHistory(migrations, await table.read(session));
    await checkDirectives(run, applied, [file]);
    const acknowledged = await reviewFile(run, applied, file);
    const planner = new EffectPlanner(run.plans, table.schema, applied);
    const planned = planner.add(file);
    await records.ensure();
    if (records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: no audit trail is kept: ${records.unavailable}.`);
    announce(run, file, planned.plan, outside ? "outside of a transaction" : "in one transaction");
    const began = Date.now();
    try {
      const { rows, attempts } = await (outside ? runOutside : runInside)(run, planned, acknowledged);
      log.event(
        "sql.finished",
        `${file.name} ran in ${formatDuration(Date.now() - began)}, ${counted(rows, "row")} changed.`,
        {
          file: file.name,
          checksum: file.checksum,
          rows,
          attempts: attempts.count,
        },
      );
    } catch (error) {
      const { code, message } = error as Partial<Failure> & Error;
      await records.audit({
        event: "sql.failed",
        migration: file.name,
        data: { checksum: file.checksum, code, reason: message },
      });
      throw error;
    }
    if (planned.plan.statements.some(({ kind }) => DEFINES.test(kind)))
      log.event(
        "sql.schema",
        "It may have changed the schema: the next preflight calls that drift, until a migration makes the same and is recorded with resolve --applied. sql --hotfix NAME does both at once.",
      );
  } finally {
    await releaseLock(session);
  }
}

/**
 * Decides how the file runs.
 * @returns true if it is a single statement that runs outside of a transaction
 * @throws SeveralSteps, UnreadableSqlFile
 */
function refuseSteps(file: Migration, plan: MigrationPlan): boolean {
  const { statements, error, mode } = plan;
  if (statements.length === 0 && !error) throw new UnreadableSqlFile(`${file.name} has no statement.`);
  const [first] = statements as [MigrationPlan["statements"][number]];
  if (statements.length === 1 && !error && !first.canRunInTransaction && first.control === undefined) return true;
  const reasons = statements.flatMap((each) => {
    const where = `  line ${each.line}: ${each.kind}`;
    if (batchDirective(each) !== undefined) return `${where} runs in ranges of rows (-- release: batch)`;
    if (!each.canRunInTransaction) return `${where} can't run in a transaction`;
    const paired = isOneTransaction(plan) || each.control === undefined || each.control === "savepoint";
    return paired ? [] : `${where} begins or ends a transaction of its own`;
  });
  // The server, which may be newer than the parser, decides whether a file is valid that the parser doesn't know.
  if (reasons.length > 0 && (mode !== "transaction" || !error)) throw new SeveralSteps(file.name, reasons.slice(0, 10));
  return false;
}

/**
 * Logs the statements of a file before it runs.
 * @param how how it runs, as in `in one transaction`
 */
export function announce({ log, settings }: Run, file: Migration, plan: MigrationPlan, how: string): void {
  const groups = [...groupStatements(file.sql, plan.statements)];
  const lines = groups.slice(0, LISTED).map((group) => `  ${describeGroup(group)}`);
  if (groups.length > LISTED) lines.push(`  and ${groups.length - LISTED} more`);
  log.event(
    "sql.started",
    [
      `${file.name} (sha-256 ${file.checksum.slice(0, 12)}…, ${counted(plan.statements.length, "statement")}) runs ${how}, with lock_timeout ${formatDuration(settings.lockTimeout)}:`,
      ...lines,
    ],
    { file: file.name, checksum: file.checksum, statements: plan.statements.length },
  );
}

/** The rows that the file changed, and the attempts that it took. */
interface Ran {
  readonly rows: number;
  readonly attempts: Attempts;
}

async function runInside(run: Run, planned: PlannedMigration, acknowledged: readonly string[]): Promise<Ran> {
  const { migration, plan } = planned;
  const state = () => "rolled back; it is as it was before the file.";
  const guard = (await run.table.exists(run.session))
    ? guardOf(run.table, migration.sql)
    : { remember: [], compare: [] };
  const record = (rows: number, { count, lockWait }: Attempts) =>
    run.records.auditStatements(
      {
        event: "sql.applied",
        migration: migration.name,
        data: { ...auditOf(planned, acknowledged), rows, attempts: count, lockWait },
      },
      "pg_catalog.now()",
    );
  try {
    return await runInOneTransaction(run, planned, { first: [], guard, record, state });
  } catch (error) {
    throw migrationFailure(run, error, {
      migration,
      tried: plan.statements,
      state: state(),
      afterLoss: `the server rolls it back, unless it had just committed it; the audit trail (_release.audit) then has an entry sql.applied.`,
      next: `correct ${migration.name}, then: {rerun}`,
    });
  }
}

async function runOutside(run: Run, planned: PlannedMigration, acknowledged: readonly string[]): Promise<Ran> {
  const { migration, plan } = planned;
  const { records, session, table } = run;
  if (records.unavailable !== undefined) throw new NoRecords(migration.name, records.unavailable, session.target.user);
  await runScript(session, migrationPath(table.schema));
  const unit = { kind: "outside" as const, statements: plan.statements, from: 0 };
  // The id belongs to no row, because the file has none in the history. A single statement has no progress to record.
  const { rows, attempts } = await runUnit(run, planned, unit, randomUUID(), { retried: false, note: {} });
  const data = { ...auditOf(planned, acknowledged), rows, attempts: attempts.count, lockWait: attempts.lockWait };
  await records.audit({ event: "sql.applied", migration: migration.name, data });
  return { rows, attempts };
}

function auditOf({ migration, plan }: PlannedMigration, acknowledged: readonly string[]): Record<string, unknown> {
  return { checksum: migration.checksum, statements: statementHashes(plan), acknowledged };
}
