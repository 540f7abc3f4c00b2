import { randomUUID } from "node:crypto";
import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import { counted } from "../../text/counted";
import { squashOf } from "../checks/squash";
import { releaseLock, takeLock } from "../db/lock";
import { AlreadyHasHistory, ContradictsCatalog, UnknownMigration } from "../failures/resolve";
import { compareHistory } from "../records/history-state";
import { standsForMark } from "../records/history-table";
import type { Run } from "../run";
import { compareWithHistory } from "./baseline-comparison";

/**
 * Gives a database that was made without Prisma a history. Every migration up to and including `through` is recorded as
 * applied without being run, after the catalog is compared with what those migrations would have created.
 * @throws UnknownMigration, AlreadyHasHistory, ContradictsCatalog, AnotherRunner
 */
export async function baseline(
  run: Run,
  migrations: readonly Migration[],
  { through, force }: { through: string; force: boolean },
): Promise<void> {
  const { session, table, log, settings, signal } = run;
  const last = migrations.findIndex(({ name }) => name === through);
  if (last < 0) throw new UnknownMigration(through);
  const included = migrations.slice(0, last + 1);
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const rows = await table.read(session);
    if (rows.length > 0)
      throw new AlreadyHasHistory(rows.length, (await squashOf(run, compareHistory(migrations, rows), rows))?.name);
    const { contradictions, remarks } = await compareWithHistory(run, included);
    for (const remark of remarks) log.event("baseline.compared", remark);
    if (contradictions.length > 0 && !force)
      throw new ContradictsCatalog(
        through,
        "baseline",
        contradictions.map((line) => `  ${line}`),
      );
    await recordBaseline(run, included, { through, force, replaced: [] });
  } finally {
    await releaseLock(session);
  }
}

/**
 * Records migrations as applied without running them. The caller holds the lock of migrations.
 * @param replaced the applied migrations that the folder no longer has, for which the last one stands
 */
export async function recordBaseline(
  { session, table, log, records }: Run,
  included: readonly Migration[],
  { through, force, replaced }: { through: string; force: boolean; replaced: readonly string[] },
): Promise<void> {
  await records.ensure();
  const creation = (await table.exists(session)) ? [] : await table.creation(session);
  const inserts = included.map(({ name, checksum }) => {
    const logs = replaced.length > 0 && name === through ? escapeLiteral(standsForMark(replaced)) : "NULL";
    return `INSERT INTO ${table.name} (id, checksum, started_at, finished_at, migration_name, logs, applied_steps_count) VALUES (${escapeLiteral(
      randomUUID(),
    )}, ${escapeLiteral(checksum)}, clock_timestamp(), clock_timestamp(), ${escapeLiteral(name)}, ${logs}, 0)`;
  });
  const audit = records.auditStatements({
    event: "baseline",
    migration: through,
    data: { migrations: included.length, force, ...(replaced.length > 0 && { replaced }) },
  });
  await session.run(["BEGIN", ...creation, ...inserts, ...audit, "COMMIT"].join(";\n"));
  const stands =
    replaced.length > 0 ? ` It stands for ${counted(replaced.length, "migration")} that the folder no longer has.` : "";
  const what = included.length === 1 ? `${through} is` : `${included.length} migrations up to ${through} are`;
  log.event("baseline.done", `${what} recorded as applied.${stands}`, { through, migrations: included.length });
}
