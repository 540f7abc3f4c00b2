import { randomUUID } from "node:crypto";
import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import { hotfixTitle } from "../../migrations/history/hotfix";
import { counted } from "../../text/counted";
import { type BegunHotfix, findHotfixes } from "../checks/missing-hotfixes";
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
 * Corrects the row of a migration whose folder is gone: an unfinished one, or a hotfix whose file nobody has any more. Its
 * statements aren't known, so it can't be diagnosed or recorded as applied.
 */
async function resolveGone(run: Run, name: string, resolution: Resolution): Promise<void> {
  const { session, table, log, settings, signal, records } = run;
  const [hotfix] = await findHotfixes(run, [name]);
  const isStuck = async () => {
    const { unfinished, missing } = compareHistory([], await table.read(session));
    return [...unfinished, ...(hotfix ? missing : [])].some(({ migrationName }) => migrationName === name);
  };
  if (!(await isStuck())) throw new UnknownMigration(name);
  if (resolution === "applied") throw new FolderGone(name);
  if (resolution === "diagnose") {
    log.event("diagnosis.advice", goneAdvice(name, hotfix, settings), { migration: name, applied: "unknown" });
    return;
  }
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    if (!(await isStuck())) throw new NothingToResolve(name, "no unfinished row of it is recorded");
    await records.ensure();
    const progress = (await readProgress(records)).filter(({ migration }) => migration === name);
    const audit = records.auditStatements({ event: "resolve.rolled-back", migration: name, data: { folder: "gone" } });
    const row = rolledBack(run, name, hotfix === undefined);
    const statements = [row, ...progress.map(({ historyId }) => endProgress(historyId)), ...audit];
    await session.run(["BEGIN", ...statements, "COMMIT"].join(";\n"));
    log.event("resolved", `${name} is recorded as rolled back. What it may have done in the database stays as it is.`, {
      migration: name,
      resolution,
    });
  } finally {
    await releaseLock(session);
  }
}

function goneAdvice(name: string, hotfix: BegunHotfix | undefined, settings: Settings): string[] {
  const rolledBack = nextCommand(`resolve --rolled-back ${name}`, settings);
  if (!hotfix)
    return [
      `${name} is not in the folder, and its row in _prisma_migrations is unfinished: how much of it is applied can't be told.`,
      `Next: restore its folder from version control to have it diagnosed; or, if nothing of it is in the database: ${rolledBack}`,
    ];
  return [
    `${name} is a hotfix that was run by hand at ${hotfix.at.toISOString()}, and is not in the folder.`,
    `Next: ${hotfix.command} (finishes it if it was interrupted, and writes its folder); or, if nobody has its file: ${rolledBack} (what it did stays, as drift, which adopt --name ${hotfixTitle(name)} writes as a migration)`,
  ];
}

/**
 * Makes the statement that marks all rows of a migration as rolled back, because each of them would block the history.
 * @param onlyUnfinished whether rows that are finished stay
 */
function rolledBack({ table }: Run, name: string, onlyUnfinished = true): string {
  const unfinished = onlyUnfinished ? "finished_at IS NULL AND " : "";
  return `UPDATE ${table.name} SET rolled_back_at = clock_timestamp() WHERE migration_name = ${escapeLiteral(name)} AND ${unfinished}rolled_back_at IS NULL`;
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
