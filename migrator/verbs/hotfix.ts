import { join } from "node:path";
import type { Migration } from "../../migrations/history/history";
import { hotfixMigration, writtenLines } from "../../migrations/history/hotfix";
import { loadParser } from "../../migrations/history/plan";
import { writeMigrationSync } from "../../migrations/history/write-migration";
import type { Catalog } from "../../migrations/schema/expectation";
import { applyQueue } from "../apply/queue";
import { analyzeTables } from "../checks/analyze";
import { readCatalog } from "../checks/catalog";
import { readObjects } from "../checks/drift/read-objects";
import { changedObjects, recordedObjects, recordObjects } from "../checks/drift/recorded";
import { reviewFile } from "../checks/file-review";
import { refuseHotfix } from "../checks/hotfix-refusals";
import { releaseLock, takeLock } from "../db/lock";
import { HotfixNotWritten } from "../failures/hotfix";
import { latestCatalog, recordCatalog } from "../records/release-records";
import type { Run } from "../run";
import { findPlace, type HotfixPlace } from "./hotfix-place";
import { announce } from "./sql";

/**
 * Runs a file of SQL at once, and records it as a migration of the history, so that no drift arises. It is run like a
 * pending migration: in one transaction with its row where that is possible, otherwise in steps that another run of the
 * same command continues. The migration's folder is written into the folder of migrations; in the Job's pod, which has
 * none, the command that started the Job writes it. A hotfix that is applied already is only written.
 * @param title the name of the hotfix without its time
 * @throws UnreadableSqlFile, HotfixRefused, HotfixNameTaken, FileRefused, FailedMigration, AnotherRunner, HotfixNotWritten,
 *   and the failures of a statement
 */
export async function runHotfix(
  run: Run,
  migrations: readonly Migration[],
  file: Migration,
  title: string,
): Promise<void> {
  const { session, settings, log, signal } = run;
  await loadParser();
  await takeLock(session, settings.runnerWait, log, signal);
  let place: HotfixPlace;
  try {
    place = await findPlace(run, migrations, file, title);
    if (!place.isApplied) await apply(run, file, place);
  } finally {
    await releaseLock(session);
  }
  const { name, checksum, sql } = place.migration;
  const how = place.isApplied ? "was applied by an earlier run; nothing of it ran again" : "is applied";
  log.event("hotfix.recorded", `${name} ${how}. It is recorded in _prisma_migrations.`, { migration: name, checksum });
  if ("payload" in settings.source) return;
  const { directory } = settings.source;
  try {
    log.event("hotfix.written", writtenLines(writeMigrationSync(directory, name, sql)));
  } catch (error) {
    throw new HotfixNotWritten(name, join(directory, name), (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

async function apply(run: Run, file: Migration, { migration, history, resume }: HotfixPlace): Promise<void> {
  const { records, log, session } = run;
  const { applied } = history;
  // Until it is applied, it has the name of its file in messages and acknowledgements.
  const named = hotfixMigration(file.name, file);
  await refuseHotfix(run, history, named);
  const acknowledged = await reviewFile(run, applied, named);
  await records.ensure();
  if (records.unavailable !== undefined)
    log.event("records.unavailable", `Warning: no audit trail is kept: ${records.unavailable}.`);
  announce(run, named, run.plans.of(named), `as the migration ${migration.name}`);
  await records.audit({
    event: "hotfix.started",
    migration: migration.name,
    data: { file: file.name, checksum: migration.checksum, acknowledged },
  });
  const recorded = await latestCatalog(records, applied.at(-1)?.name ?? "", applied.length);
  const before = await readCatalog(session);
  const objects = resume ? undefined : await recordedObjects(run, applied);
  const objectsBefore = objects && (await readObjects(session));
  const planned = await applyQueue(run, [{ migration, resume }], [], async () => undefined);
  await analyzeTables(run, planned.all);
  // What an interrupted run had changed before can't be told from what somebody changed by hand.
  if (recorded && !resume)
    await recordCatalog(
      records,
      migration.name,
      applied.length + 1,
      changedCatalog(recorded, before, await readCatalog(session)),
    );
  if (objects && objectsBefore) {
    const changed = changedObjects(objects, objectsBefore, await readObjects(session));
    await recordObjects(run, [...applied, migration], changed);
  }
}

/** Returns the recorded catalog with what the hotfix changed. Drift that was there before stays drift. */
function changedCatalog(recorded: Catalog, before: Catalog, after: Catalog): Catalog {
  const changed: Record<string, string> = { ...recorded };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[key] === after[key]) continue;
    if (after[key] === undefined) delete changed[key];
    else changed[key] = after[key];
  }
  return changed;
}
