import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { type Draft, draftMigrations } from "../checks/drift/draft";
import { type FromNow, managedFromNow } from "../checks/drift/managed-from-now";
import { planChange } from "../checks/drift/plan";
import { readObjects } from "../checks/drift/read-objects";
import { leftLines, type Tried, tryDraft } from "../checks/drift/try-draft";
import { onScratch } from "../checks/scratch";
import { squashOf } from "../checks/squash";
import { releaseLock, takeLock } from "../db/lock";
import { NotBaselined } from "../failures/baseline";
import { otherVerb } from "../failures/failure";
import { AlreadyHasHistory } from "../failures/resolve";
import { nextCommand } from "../next-command";
import { compareHistory } from "../records/history-state";
import type { HistoryRow } from "../records/history-table";
import type { Run } from "../run";
import { recordBaseline } from "./baseline";
import { keepDrafts, prepareFolder } from "./drafts";

/** The exit statuses of `baseline --write`: the first migration makes the whole schema, or a part of it is left. */
const WRITE_EXIT = { whole: 0, part: 10 } as const;

/**
 * Writes the schema of a database as the first migration of its history, tries it on a scratch database, and records it
 * as applied. It is for a database that has no history, or whose history the folder no longer has. In the Job's pod it
 * is only reported, and recorded by `baseline --through` when its folder is written.
 * @returns one of {@link WRITE_EXIT}; with `part` it is written, and not recorded
 * @throws NotBaselined, AlreadyHasHistory, AnotherRunner, Unwritable
 */
export async function writeBaseline(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { session, table, log, settings, signal } = run;
  await loadParser();
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const replaced = await refuseHistory(run, migrations, await table.read(session));
    const first = await planFirst(run, settings.title ?? "");
    const { draft, outside } = first;
    refuseFolder(migrations, draft);
    for (const key of outside) log.event("baseline.outside", `Left out: ${key}`, { key });
    const tried = await tryFirst(run, first);
    refuseDraft(draft, tried, settings.force);
    const left = leftLines(draft, tried);
    log.event("baseline.tried", [triedText(tried, left.length), ...left]);
    // A migration that is there already was written by an earlier run, which was killed before it recorded it.
    const [migration] = migrations.length > 0 ? migrations : await writeFirst(run, draft);
    if (!migration) return left.length > 0 ? WRITE_EXIT.part : WRITE_EXIT.whole;
    const { name } = migration;
    if (left.length > 0 && !settings.force) {
      log.event("baseline.part", [
        `${name} is written and NOT recorded, because it doesn't make the whole schema.`,
        `Next: complete its migration.sql by hand, then: ${nextCommand(`baseline --through ${name}`, settings)}`,
      ]);
      return WRITE_EXIT.part;
    }
    await recordBaseline(run, [migration], { through: name, force: settings.force, replaced });
    log.event("baseline.next", "Next: npx prisma db pull (writes the models), commit both, and release as always");
    return WRITE_EXIT.whole;
  } finally {
    await releaseLock(session);
  }
}

/**
 * Refuses a database with a history that the folder has.
 * @returns the names of the applied migrations that the folder no longer has, for which the first one will stand
 */
async function refuseHistory(
  run: Run,
  migrations: readonly Migration[],
  rows: readonly HistoryRow[],
): Promise<readonly string[]> {
  const state = compareHistory(migrations, rows);
  const squash = await squashOf(run, state, rows);
  if (squash) throw new AlreadyHasHistory(rows.length, squash.name);
  if (state.applied.length > 0 || state.unfinished.length > 0) throw new AlreadyHasHistory(rows.length);
  return state.missing.map(({ migrationName }) => migrationName);
}

/** Refuses a folder with other migrations than the one that an earlier run has written. */
function refuseFolder(migrations: readonly Migration[], draft: Draft): void {
  const last = migrations.at(-1);
  if (!last || (migrations.length === 1 && last.sql === draft.migrations[0]?.sql)) return;
  throw new NotBaselined(
    `The folder has ${counted(migrations.length, "migration")} already, and today's schema must come before all of them.`,
    `if they made this database: ${otherVerb(`baseline --through ${last.name}`)}; otherwise move their folders away, then: {rerun}; and bring those that are not in the schema yet back with later times`,
    migrations.slice(0, 5).map(({ name }) => `  ${name}`),
  );
}

/** The first migration, and the objects that it makes, has already, or leaves out. */
interface First extends FromNow {
  readonly draft: Draft;
}

async function planFirst(run: Run, title: string): Promise<First> {
  const { session, table } = run;
  const { managed, present, outside } = await managedFromNow(session, table.schema, await readObjects(session));
  const major = Math.floor(session.serverVersion / 10_000);
  const about = "The schema of a database as it was when its history began, written by `baseline --write`.";
  const draft = draftMigrations(planChange(present, { to: managed, major }), managed, { title, about });
  return { draft, managed, present, outside };
}

function tryFirst(run: Run, { draft, present, managed }: First): Promise<Tried> {
  return onScratch(run, [], async (scratch, defined) =>
    tryDraft(draft, { scratch, defined, before: await readObjects(scratch), expected: present, actual: managed }),
  );
}

function refuseDraft({ migrations, notGenerated }: Draft, tried: Tried, force: boolean): void {
  if (migrations.length === 0)
    throw new NotBaselined(
      "The schema has nothing of which SQL could be written.",
      `${otherVerb("status")}; an empty database needs no baseline, its first release makes the history`,
      notGenerated.map(({ key, why }) => `  ${key}: ${why}`),
    );
  if ("fails" in tried)
    throw new NotBaselined(
      `The SQL of the schema doesn't run on a scratch database: ${tried.fails}.`,
      `write the first migration with pg_dump --schema-only, then: ${otherVerb("baseline --through NAME")}`,
      notGenerated.map(({ key, why }) => `  Not generated: ${key}: ${why}`),
    );
  if ("unknown" in tried && !force)
    throw new NotBaselined(
      `The SQL of the schema can't be tried: ${tried.unknown}.`,
      "give the role CREATEDB, then: {rerun}; or add --force to write and record it untried",
    );
}

function triedText(tried: Tried, left: number): string {
  if ("unknown" in tried) return `Not tried on a scratch database: ${tried.unknown}.`;
  return left === 0
    ? "Tried on a scratch database: it makes the same schema, object by object."
    : "Tried on a scratch database: it makes the same schema, but for:";
}

async function writeFirst(run: Run, draft: Draft): Promise<readonly Migration[]> {
  const { source } = run.settings;
  if ("directory" in source) prepareFolder(source.directory);
  return keepDrafts(run, [], draft);
}
