import { randomUUID } from "node:crypto";
import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import { counted } from "../../text/counted";
import { findHotfixes } from "../checks/missing-hotfixes";
import { squashOf } from "../checks/squash";
import { releaseLock, takeLock } from "../db/lock";
import { ContradictsCatalog, FolderGone, NothingToResolve, UnknownMigration } from "../failures/resolve";
import { nextCommand } from "../next-command";
import { compareHistory } from "../records/history-state";
import { standsForMark } from "../records/history-table";
import { endProgress, readProgress } from "../records/progress";
import type { Run } from "../run";
import type { Resolution, Settings } from "../settings";
import { type Diagnosis, describeDiagnosis, diagnose, type StatementDiagnosis } from "./diagnosis";

/**
 * Corrects the record of one migration, like `prisma migrate resolve`, but first shows from the catalog what is really
 * applied. A resolution that the catalog contradicts needs `--force`.
 * @throws UnknownMigration, FolderGone, NothingToResolve, ContradictsCatalog, AnotherRunner
 */
export async function resolveMigration(
  run: Run,
  migrations: readonly Migration[],
  { name, resolution, force }: { name: string; resolution: Resolution; force: boolean },
): Promise<void> {
  const { session, table, log, settings, signal, records } = run;
  const migration = migrations.find((each) => each.name === name);
  if (!migration) {
    await resolveGone(run, name, resolution);
    return;
  }
  const diagnosis = await diagnose(run, migrations, migration);
  for (const line of describeDiagnosis(name, diagnosis)) log.event("diagnosis", line, { migration: name });
  if (resolution === "diagnose") {
    log.event("diagnosis.advice", advice(name, diagnosis, settings), { migration: name, applied: diagnosis.applied });
    return;
  }
  if (!force) refuseContradiction(name, resolution, diagnosis);
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const rows = await table.read(session);
    const historyState = compareHistory(migrations, rows);
    const row = historyState.unfinished.find((each) => each.migrationName === name);
    const recorded = historyState.applied.some((each) => each.name === name);
    const squash = resolution === "applied" ? await squashOf(run, historyState, rows) : undefined;
    const replaced = squash?.name === name ? historyState.missing.map(({ migrationName }) => migrationName) : [];
    if (recorded && replaced.length === 0) throw new NothingToResolve(name, "it is recorded as applied");
    if (!row && resolution === "rolled-back") throw new NothingToResolve(name, "no unfinished row of it is recorded");
    await records.ensure();
    const progress = (await readProgress(records)).filter((each) => each.migration === name);
    const statements = [
      ...(await creation(run)),
      ...(row ? [rolledBack(run, name)] : []),
      ...(resolution === "applied" && !recorded ? [appliedByHand(run, migration)] : []),
      ...(replaced.length > 0 ? [squashed(run, name, replaced)] : []),
      ...progress.map(({ historyId }) => endProgress(historyId)),
      ...records.auditStatements({
        event: `resolve.${resolution}`,
        migration: name,
        data: { applied: diagnosis.applied, force, ...(replaced.length > 0 ? { replaced } : {}) },
      }),
    ];
    await session.run(["BEGIN", ...statements, "COMMIT"].join(";\n"));
    const what =
      resolution === "applied"
        ? "recorded as applied; deploy goes on behind it"
        : "recorded as rolled back; the next deploy applies it from its beginning";
    const stands =
      replaced.length > 0
        ? ` It stands for ${counted(replaced.length, "migration")} that the folder no longer has.`
        : "";
    log.event("resolved", `${name} is ${what}.${stands}`, { migration: name, resolution, replaced });
  } finally {
    await releaseLock(session);
  }
}

/**
 * Corrects the row of a migration whose folder is gone. Its statements aren't known, so it can't be diagnosed or
 * recorded as applied.
 */
async function resolveGone(run: Run, name: string, resolution: Resolution): Promise<void> {
  const { session, table, log, settings, signal, records } = run;
  const isStuck = async () =>
    compareHistory([], await table.read(session)).unfinished.some(({ migrationName }) => migrationName === name);
  if (!(await isStuck())) throw new UnknownMigration(name);
  if (resolution === "applied") throw new FolderGone(name);
  if (resolution === "diagnose") {
    const [hotfix] = await findHotfixes(run, [name]);
    const text = `${name} is not in the folder, and its row in _prisma_migrations is unfinished: how much of it is applied can't be told.
Next: ${hotfix ? `${hotfix.command} (the hotfix goes on behind what is done)` : "restore its folder from version control to have it diagnosed"}; or, if nothing of it is in the database: ${nextCommand(`resolve --rolled-back ${name}`, settings)}`;
    log.event("diagnosis.advice", text, { migration: name, applied: "unknown" });
    return;
  }
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    if (!(await isStuck())) throw new NothingToResolve(name, "no unfinished row of it is recorded");
    await records.ensure();
    const progress = (await readProgress(records)).filter(({ migration }) => migration === name);
    const audit = records.auditStatements({ event: "resolve.rolled-back", migration: name, data: { folder: "gone" } });
    const statements = [rolledBack(run, name), ...progress.map(({ historyId }) => endProgress(historyId)), ...audit];
    await session.run(["BEGIN", ...statements, "COMMIT"].join(";\n"));
    log.event("resolved", `${name} is recorded as rolled back. What it may have done in the database stays as it is.`, {
      migration: name,
      resolution,
    });
  } finally {
    await releaseLock(session);
  }
}

/**
 * Makes the statement that marks all unfinished rows of a migration as rolled back, because each of them would block
 * the history.
 */
function rolledBack({ table }: Run, name: string): string {
  return `UPDATE ${table.name} SET rolled_back_at = clock_timestamp() WHERE migration_name = ${escapeLiteral(name)} AND finished_at IS NULL AND rolled_back_at IS NULL`;
}

function squashed({ table }: Run, name: string, replaced: readonly string[]): string {
  return `UPDATE ${table.name} SET logs = ${escapeLiteral(standsForMark(replaced))} WHERE migration_name = ${escapeLiteral(name)} AND finished_at IS NOT NULL AND rolled_back_at IS NULL`;
}

async function creation({ session, table }: Run): Promise<string[]> {
  return (await table.exists(session)) ? [] : table.creation(session);
}

/**
 * Makes the statement that records a migration as Prisma does: its row begins and ends at once, with no step applied.
 */
function appliedByHand({ table }: Run, { name, checksum }: Migration): string {
  return `INSERT INTO ${table.name} (id, checksum, started_at, finished_at, migration_name, applied_steps_count) VALUES (${escapeLiteral(
    randomUUID(),
  )}, ${escapeLiteral(checksum)}, clock_timestamp(), clock_timestamp(), ${escapeLiteral(name)}, 0)`;
}

/**
 * Refuses a resolution that the catalog contradicts. If a migration is recorded as applied and is not, it is never
 * applied, so everything that it defines must be known to exist. If it is recorded as rolled back and is applied, it
 * would run twice.
 * @throws ContradictsCatalog
 */
function refuseContradiction(name: string, resolution: Resolution, { statements }: Diagnosis): void {
  const contradicts = ({ state, untold }: StatementDiagnosis) =>
    resolution === "applied" ? state === "not applied" || (state === "unknown" && untold) : state === "applied";
  const lines = statements
    .filter(contradicts)
    .map(({ line, state, evidence }) => `  line ${line}, ${state}: ${evidence}`);
  if (lines.length > 0) throw new ContradictsCatalog(name, resolution, lines);
}

function advice(name: string, { applied, statements }: Diagnosis, settings: Settings): string {
  const resolve = (how: string) => nextCommand(`resolve --${how} ${name}`, settings);
  if (applied === "all") return `Next: ${resolve("applied")}`;
  if (applied === "none") return `Next: ${resolve("rolled-back")}`;
  if (applied === "part") return `Next: take back by hand what is applied, then: ${resolve("rolled-back")}`;
  const lines = statements.filter(({ state, passing }) => state === "unknown" && !passing).map(({ line }) => line);
  const where = lines.length > 0 ? ` line ${lines.slice(0, 5).join(", ")} of the file changes` : " it changes";
  return `Next: look in the database at what${where}; if nothing of that is done: ${resolve("rolled-back")}`;
}
