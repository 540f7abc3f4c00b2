import type { Migration } from "../../migrations/history/history";
import { hotfixSql } from "../../migrations/history/hotfix";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { compareObjects } from "../checks/drift/compare";
import { type Draft, draftMigrations } from "../checks/drift/draft";
import { findingText } from "../checks/drift/findings";
import { type DriftReport, driftReport } from "../checks/drift/report";
import { leftLines, type Tried, tryDraft } from "../checks/drift/try-draft";
import { readHistory } from "../checks/history-gate";
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
  if (report.differences.length === 0) {
    log.event("adopt.nothing", nothingText(covering));
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
  log.event("adopt.tried", [triedText(tried), ...left]);
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

function compareWith(run: Run, history: readonly Migration[], title: string) {
  return compareObjects(run, history, async (compared): Promise<Adoption> => {
    const report = driftReport(compared, history);
    const about = "What was changed in a database by hand, written by `adopt`. That database has all of it.";
    const plain = draftMigrations(report.toHistory, compared.actual, { title, about });
    const draft = { ...plain, migrations: plain.migrations.map((each) => ({ ...each, sql: hotfixSql(each.sql) })) };
    return { report, draft, tried: await tryDraft(draft, compared) };
  });
}

/**
 * Compares the database with the applied migrations and with those pending hotfixes of the folder that explain a part of
 * its drift.
 */
async function compareWithHotfixes(run: Run, { applied, pending }: HistoryState, title: string) {
  let found = await compareWith(run, applied, title);
  const covering: Migration[] = [];
  for (const hotfix of pending.filter((each) => run.plans.of(each).hotfix)) {
    if ("unknown" in found || found.report.differences.length === 0) break;
    const nearer = await compareWith(run, [...applied, ...covering, hotfix], title);
    if ("unknown" in nearer || nearer.report.differences.length >= found.report.differences.length) continue;
    covering.push(hotfix);
    found = nearer;
  }
  return { found, covering };
}

function nothingText(covering: readonly Migration[]): string {
  if (covering.length === 0) return "No drift: there is nothing to adopt. Nothing was written.";
  const names = covering.map(({ name }) => name).join(", ");
  return `The drift is in the folder already: ${names} (pending). Nothing was written. The next release records it here.`;
}

function triedText(tried: Tried): string {
  return "unknown" in tried
    ? `Not tried on a scratch database: ${tried.unknown}.`
    : "Tried on a scratch database with the history.";
}
