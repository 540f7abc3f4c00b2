import { randomUUID } from "node:crypto";
import type { Migration } from "../migrations/history";
import { type Diagnosis, describeDiagnosis, diagnose } from "./diagnosis";
import { ContradictsCatalog, NothingToResolve, UnknownMigration } from "./failures/resolve";
import { quoteText } from "./history-table";
import { judge } from "./judgement";
import { releaseLock, takeLock } from "./lock";
import { endProgress, readProgress } from "./progress";
import type { Run } from "./run";

export type Resolution = "diagnose" | "applied" | "rolled-back";

/**
 * Corrects the book-keeping of one migration, as `prisma migrate resolve`, but only after showing from the catalog what is really applied;
 * a resolution that the catalog contradicts needs `--force`.
 */
export async function resolveMigration(
  run: Run,
  migrations: readonly Migration[],
  { name, resolution, force }: { name: string; resolution: Resolution; force: boolean },
): Promise<void> {
  const { session, table, log, settings, signal, records } = run;
  const migration = migrations.find((each) => each.name === name);
  if (!migration) throw new UnknownMigration(name);
  const diagnosis = await diagnose(run, migration);
  for (const line of describeDiagnosis(name, diagnosis)) log.event("diagnosis", line, { migration: name });
  if (resolution === "diagnose") {
    log.event("diagnosis.advice", advice(name, diagnosis), { migration: name, applied: diagnosis.applied });
    return;
  }
  if (!force) refuseContradiction(name, resolution, diagnosis);
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const judgement = judge(migrations, await table.read(session));
    const row = judgement.unfinished.find((each) => each.migrationName === name);
    if (judgement.applied.some((each) => each.name === name))
      throw new NothingToResolve(name, "it is recorded as applied");
    if (!row && resolution === "rolled-back") throw new NothingToResolve(name, "no unfinished row of it is recorded");
    await records.ensure();
    const progress = (await readProgress(records)).filter((each) => each.migration === name);
    const statements = [
      ...(await creation(run)),
      ...(row ? [`UPDATE ${table.name} SET rolled_back_at = clock_timestamp() WHERE id = ${quoteText(row.id)}`] : []),
      ...(resolution === "applied" ? [appliedByHand(run, migration)] : []),
      ...progress.map(({ historyId }) => endProgress(historyId)),
      ...records.auditStatements({
        event: `resolve.${resolution}`,
        migration: name,
        data: { applied: diagnosis.applied, force },
      }),
    ];
    await session.run(["BEGIN", ...statements, "COMMIT"].join(";\n"));
    const what =
      resolution === "applied"
        ? "recorded as applied; deploy goes on behind it"
        : "recorded as rolled back; the next deploy applies it from its beginning";
    log.event("resolved", `${name} is ${what}.`, { migration: name, resolution });
  } finally {
    await releaseLock(session);
  }
}

async function creation({ session, table }: Run): Promise<string[]> {
  return (await table.exists(session)) ? [] : table.creation(session);
}

/** As Prisma records it: a row that begins and ends at once, with no step applied by it. */
function appliedByHand({ table }: Run, { name, checksum }: Migration): string {
  return `INSERT INTO ${table.name} (id, checksum, started_at, finished_at, migration_name, applied_steps_count) VALUES (${quoteText(
    randomUUID(),
  )}, ${quoteText(checksum)}, clock_timestamp(), clock_timestamp(), ${quoteText(name)}, 0)`;
}

function refuseContradiction(name: string, resolution: Resolution, { applied, statements }: Diagnosis): void {
  const wrong = resolution === "applied" ? "not applied" : "applied";
  if (applied === "unknown" || (resolution === "applied" ? applied === "all" : applied === "none")) return;
  const lines = statements
    .filter(({ state }) => state === wrong)
    .map(({ line, evidence }) => `  line ${line}: ${evidence}`);
  throw new ContradictsCatalog(name, resolution, lines);
}

function advice(name: string, { applied }: Diagnosis): string {
  if (applied === "all") return `Next: resolve --applied ${name}`;
  if (applied === "none") return `Next: resolve --rolled-back ${name}`;
  if (applied === "part")
    return `Next: either run by hand the statements that are not applied, then resolve --applied ${name}; or take back those that are, then resolve --rolled-back ${name}`;
  return `Next: look at the rows it changes, then resolve --applied ${name} or resolve --rolled-back ${name}`;
}
