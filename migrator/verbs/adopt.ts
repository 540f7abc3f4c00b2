import type { Migration } from "../../migrations/history/history";
import { hotfixSql } from "../../migrations/history/hotfix";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { compareObjects } from "../checks/drift/compare";
import { type Draft, draftMigrations } from "../checks/drift/draft";
import { findingText } from "../checks/drift/findings";
import { compareRecorded } from "../checks/drift/recorded";
import { type DriftReport, driftReport } from "../checks/drift/report";
import { leftLines, type Tried, tryDraft } from "../checks/drift/try-draft";
import { readHistory } from "../checks/history-gate";
import type { Unknown } from "../checks/scratch";
import { NotAdopted } from "../failures/adopt";
import { otherVerb } from "../failures/failure";
import type { HistoryState } from "../records/history-state";
import type { Run } from "../run";
import { adoptedLines, keepDrafts, tellSchema } from "./drafts";

/** The exit statuses of `adopt`: the migrations bring all of the drift into the history, or a part of it is left. */
const ADOPT_EXIT = { whole: 0, part: 10 } as const;

/**
 * Writes what somebody changed in the database by hand as a new migration of the history, after trying it on a scratch
 * database. It changes nothing in the database.
 * @returns one of {@link ADOPT_EXIT}; also 0 if there is no drift, or pending hotfixes of the folder cover it
 * @throws NotAdopted, Unwritable, and the failures of a history on which nothing may be deployed
 */
export async function adopt(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { log, settings } = run;
  await loadParser();
  const history = await readHistory(run, migrations);
  if (history.applied.length === 0)
    throw new NotAdopted(
      "No migration of the folder is applied on this database, so there is no history that it could differ from.",
      otherVerb("baseline --write --name init"),
    );
  const { found, covering } = await compareWithHotfixes(run, history, settings.title ?? "");
  if ("unknown" in found)
    throw new NotAdopted(
      `What differs can't be written as SQL: ${found.unknown}.`,
      `${otherVerb("drift")} (names what differs; write the migration by hand, then resolve --applied NAME)`,
    );
  const { report, draft, tried } = found;
  for (const key of report.outside) log.event("adopt.outside", `Not managed by the history: ${key}`, { key });
  const same = history.pending.filter(({ sql }) => draft.migrations.some((each) => each.sql === sql));
  if (report.differences.length === 0 || (same.length > 0 && same.length === draft.migrations.length)) {
    log.event("adopt.nothing", nothingText([...covering, ...same]));
    return ADOPT_EXIT.whole;
  }
  const drift = report.differences.map((each) => `  ${findingText(each)}`);
  const left = leftLines(draft, tried);
  if ("fails" in tried)
    throw new NotAdopted(
      `The SQL for the drift doesn't run on a scratch database with this history: ${tried.fails}.`,
      `write the migration by hand from ${otherVerb("drift --format sql")}, then resolve --applied NAME`,
      [...drift, ...left],
    );
  if (draft.migrations.length === 0)
    throw new NotAdopted("There is no SQL for the drift.", "write the migration by hand, as the reasons say", [
      ...drift,
      ...left,
    ]);
  log.event("adopt.drift", [`The live database differs in ${counted(drift.length, "object")}:`, ...drift]);
  log.event("adopt.tried", [triedText(tried), ...left, ...orderLines(history.pending, covering)]);
  const written = await keepDrafts(run, migrations, draft);
  if ("directory" in settings.source) {
    await tellSchema(settings.source.directory, migrations, written, log);
    log.event("adopt.next", adoptedLines(settings.source.directory, written));
  }
  return left.length > 0 ? ADOPT_EXIT.part : ADOPT_EXIT.whole;
}

/** The drift, the migrations for it, and what came of them on the scratch database. */
interface Adoption {
  readonly report: DriftReport;
  readonly draft: Draft;
  readonly tried: Tried;
}

/**
 * Compares the database with the applied migrations, and with those pending hotfixes of the folder that explain a part of
 * its drift. Where there can be no scratch database, the last release's record stands for the migrations.
 * @throws NotAdopted if the drift is what another pending migration makes
 */
async function compareWithHotfixes(
  run: Run,
  { applied, pending }: HistoryState,
  title: string,
): Promise<{ found: Adoption | Unknown; covering: readonly Migration[] }> {
  let found = await compareWith(run, applied, title);
  if ("unknown" in found) {
    const recorded = await compareRecorded(run, applied);
    if (recorded) found = { ...draftOf(recorded, applied, title), tried: found };
    return { found, covering: [] };
  }
  const covering: Migration[] = [];
  for (const migration of pending) {
    if (found.report.differences.length === 0) break;
    const nearer = await compareWith(run, [...applied, ...covering, migration], title);
    if ("unknown" in nearer || nearer.report.differences.length >= found.report.differences.length) continue;
    if (!run.plans.of(migration).hotfix) throw ranByHand(migration, found.report);
    covering.push(migration);
    found = nearer;
  }
  return { found, covering };
}

function compareWith(run: Run, history: readonly Migration[], title: string) {
  return compareObjects(run, history, async (compared): Promise<Adoption> => {
    const made = draftOf(compared, history, title);
    return { ...made, tried: await tryDraft(made.draft, compared) };
  });
}

function draftOf(
  compared: Parameters<typeof driftReport>[0],
  history: readonly Migration[],
  title: string,
): Omit<Adoption, "tried"> {
  const report = driftReport(compared, history);
  const about = "What was changed in a database by hand, written by `adopt`. That database has all of it.";
  const plain = draftMigrations(report.toHistory, compared.actual, { title, about });
  const migrations = plain.migrations.map((each) => ({ ...each, sql: hotfixSql(each.sql) }));
  return { report, draft: { ...plain, migrations } };
}

function ranByHand({ name }: Migration, { differences }: DriftReport): NotAdopted {
  return new NotAdopted(
    `The drift is what ${name} makes, or a part of it, and that migration is pending here: somebody ran it by hand.`,
    `${otherVerb(`resolve --diagnose ${name}`)} (says how to record it); then: {rerun}`,
    differences.map((each) => `  ${findingText(each)}`),
  );
}

function nothingText(covering: readonly Migration[]): string {
  if (covering.length === 0) return "No drift: there is nothing to adopt. Nothing was written.";
  const names = covering.map(({ name }) => name).join(", ");
  return `The drift is in the folder already: ${names} (pending). Nothing was written. The next release records it here.`;
}

/** Names the pending migrations that the new ones come after. */
function orderLines(pending: readonly Migration[], covering: readonly Migration[]): string[] {
  const others = pending.filter((each) => !covering.includes(each)).map(({ name }) => name);
  return others.length === 0 ? [] : [`  It comes after ${others.join(", ")} (pending), and was tried without.`];
}

function triedText(tried: Tried): string {
  return "unknown" in tried
    ? `Not tried on a scratch database: ${tried.unknown}.`
    : "Tried on a scratch database with the history.";
}
