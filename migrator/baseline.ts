import { randomUUID } from "node:crypto";
import type { Migration } from "../migrations/history";
import { loadParser } from "../migrations/plan";
import { readCatalog } from "./catalog";
import { describeExpectation, isMet } from "./expectations";
import { AlreadyHasHistory, ContradictsCatalog, UnknownMigration } from "./failures/resolve";
import { quoteText } from "./history-table";
import { releaseLock, takeLock } from "./lock";
import { plannedEffects } from "./planned-effects";
import type { Run } from "./run";

/**
 * Gives a database that was made without Prisma its history: everything up to and including `through` is recorded as applied without being
 * run, after comparing with the catalog what those migrations would have made.
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
    await loadParser();
    const catalog = await readCatalog(session);
    const { promises } = plannedEffects([], included, table.schema);
    const broken = promises.filter((each) => !isMet(each, catalog));
    log.event(
      "baseline.compared",
      `${promises.length - broken.length} of ${promises.length} things that these migrations make are as they leave them.`,
    );
    if (broken.length > 0 && !force)
      throw new ContradictsCatalog(
        through,
        "baseline",
        broken.map((each) => `  ${describeExpectation(each, catalog)}`),
      );
    await records.ensure();
    const creation = (await table.exists(session)) ? [] : await table.creation(session);
    const inserts = included.map(
      ({ name, checksum }) =>
        `INSERT INTO ${table.name} (id, checksum, started_at, finished_at, migration_name, applied_steps_count) VALUES (${quoteText(
          randomUUID(),
        )}, ${quoteText(checksum)}, clock_timestamp(), clock_timestamp(), ${quoteText(name)}, 0)`,
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
