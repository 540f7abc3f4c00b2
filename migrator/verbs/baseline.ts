import { randomUUID } from "node:crypto";
import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import { releaseLock, takeLock } from "../db/lock";
import { AlreadyHasHistory, ContradictsCatalog, UnknownMigration } from "../failures/resolve";
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
  const { session, table, log, settings, signal, records } = run;
  const last = migrations.findIndex(({ name }) => name === through);
  if (last < 0) throw new UnknownMigration(through);
  const included = migrations.slice(0, last + 1);
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const rows = await table.read(session);
    if (rows.length > 0) throw new AlreadyHasHistory(rows.length);
    const { contradictions, remarks } = await compareWithHistory(run, included);
    for (const remark of remarks) log.event("baseline.compared", remark);
    if (contradictions.length > 0 && !force)
      throw new ContradictsCatalog(
        through,
        "baseline",
        contradictions.map((line) => `  ${line}`),
      );
    await records.ensure();
    const creation = (await table.exists(session)) ? [] : await table.creation(session);
    const inserts = included.map(
      ({ name, checksum }) =>
        `INSERT INTO ${table.name} (id, checksum, started_at, finished_at, migration_name, applied_steps_count) VALUES (${escapeLiteral(
          randomUUID(),
        )}, ${escapeLiteral(checksum)}, clock_timestamp(), clock_timestamp(), ${escapeLiteral(name)}, 0)`,
    );
    const audit = records.auditStatements({
      event: "baseline",
      migration: through,
      data: { migrations: included.length, force },
    });
    await session.run(["BEGIN", ...creation, ...inserts, ...audit, "COMMIT"].join(";\n"));
    log.event("baseline.done", `${included.length} migrations up to ${through} are recorded as applied.`, {
      through,
      migrations: included.length,
    });
  } finally {
    await releaseLock(session);
  }
}
