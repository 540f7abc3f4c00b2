import type { CheckResult } from "../migrator/checks/finding";
import { tableSizes } from "../migrator/checks/table-sizes";
import type { Run } from "../migrator/cli/run";
import { recordFact } from "../migrator/records/facts";
import type { TableSize } from "../review/size";
import { jsonLine } from "../text/printable";
import { formatDuration } from "../text/short-duration";
import { REPORT_LINE } from "./report-line";

/** What one of the release's two looks at the database found. */
export interface ReportPart {
  readonly stage: "before" | "after";
  readonly results: readonly CheckResult[];
  readonly pending: readonly string[];
  /** Tables that the migrations touch, and how. */
  readonly scope: readonly string[];
}

/** The part as JSON, with what it belongs to; `report-markdown.ts` makes a page of one or more of them. */
export interface Report extends ReportPart {
  readonly release: string | null;
  readonly at: string;
  readonly database: string;
  readonly snapshot: { id: string; createdAt: string } | null;
  /** What only people know: `--note tested=staging`, `--note window="Sun 02:00"`. */
  readonly notes: Readonly<Record<string, string>>;
  /** Rows and bytes by table, the largest ones; missing in records of older versions. */
  readonly tables?: Readonly<Record<string, TableSize>> | undefined;
  /** Milliseconds since the run began. */
  readonly elapsed?: number | undefined;
}

const MARK = { ok: "[x]", warn: "[!]", fail: "[ ]", off: "[-]", unknown: "[?]" } as const;

const published = new WeakSet<Run>();

/** Prints the checklist as text and as one line of JSON, and keeps it in the database where there is a place for it. */
export async function publishReport(run: Run, part: ReportPart): Promise<void> {
  published.add(run);
  const { log, settings, session, records } = run;
  const { snapshot } = settings;
  const report: Report = {
    release: settings.releaseId ?? null,
    at: new Date().toISOString(),
    database: session.target.database,
    snapshot:
      snapshot && snapshot.taken !== "gone"
        ? { id: snapshot.id, createdAt: snapshot.taken.createdAt.toISOString() }
        : null,
    notes: settings.notes,
    ...part,
    tables: await sizesIfKnown(run),
    elapsed: Math.round(process.uptime() * 1000),
  };
  // For people last: what Pulumi shows of a Job that failed are the last 2 kB of its log.
  log.event("report", `${REPORT_LINE}${jsonLine(report)}`, { report: report as never });
  if (log.format === "text") for (const line of checklist(report)) log.event("report.line", line);
  // Before a release nothing is written: the records may not exist yet, and shall not be made by a look. Nor is a run that
  // changed nothing.
  const changed = part.stage === "after" && part.results.length > 0;
  if (changed && (await records.readable())) await recordFact(run, "report", report);
}

/** Sizes are worth knowing, and not worth a release. */
async function sizesIfKnown({ session, signal, log }: Run): Promise<Report["tables"]> {
  try {
    return await tableSizes(session);
  } catch (error) {
    if (session.lost !== undefined || signal.aborted) throw error;
    log.event("sizes.unknown", `Warning: the sizes of tables are unknown: ${(error as Error).message}`);
    return undefined;
  }
}

/** A deploy that found nothing to do ends with a report too: of what the release found. */
export async function publishUnchanged(run: Run): Promise<void> {
  if (!published.has(run)) await publishReport(run, { stage: "after", results: [], pending: [], scope: [] });
}

export function checklist(report: Report): string[] {
  const { stage, results, notes, snapshot, scope, pending, elapsed } = report;
  const lines = [stage === "before" ? "Checklist before the release" : "Checklist after the migrations"];
  for (const { title, outcome, facts, findings } of results) {
    lines.push(`  ${MARK[outcome]} ${title}: ${facts}`);
    for (const { what, evidence, next } of findings)
      lines.push(`      ${what}`, ...evidence.map((line) => `      ${line}`), `      Next: ${next}`);
  }
  const said = (key: string, title: string, otherwise: string) =>
    notes[key] === undefined ? `  [?] ${title}: ${otherwise}` : `  [x] ${title}: ${notes[key]}`;
  if (stage === "before")
    lines.push(
      snapshot
        ? `  [x] Backup: snapshot ${snapshot.id} of ${snapshot.createdAt}`
        : "  [?] Backup: taken after this check, if the settings ask for it",
      said("tested", "Tested on another stage", "not stated (--note tested=…)"),
      `  [x] Scope of impact: ${scope.length === 0 ? "no existing table is touched" : scope.join(" | ")}`,
      said("rollback", "Way back", "the snapshot, as the release's output `restore` says"),
      said("window", "Maintenance window", "not stated (--note window=…)"),
      said("monitoring", "Monitoring", "not stated (--note monitoring=…)"),
      `  [x] Pending: ${pending.length === 0 ? "nothing" : pending.join(", ")}`,
    );
  else {
    if (results.length === 0) lines.push("  [x] Schema, indexes, data: nothing was pending, and nothing was changed");
    lines.push(said("application", "Application and its logs", "after the rollout: smoke check, and migrator compare"));
    if (elapsed !== undefined) lines.push(`  [x] Time: ${formatDuration(elapsed)}`);
  }
  return lines;
}
