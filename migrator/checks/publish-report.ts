import { checklist } from "../../report/checklist";
import type { Report, ReportPart } from "../../report/contract";
import { REPORT_LINE } from "../../report/report-line";
import { jsonLine } from "../../text/printable";
import { recordData } from "../records/release-records";
import type { Run } from "../run";
import { tableSizes } from "./table-sizes";

/** Prints the checklist as text and as one line of JSON, and keeps it in the database where there is a place for it. */
export async function publishReport(run: Run, part: ReportPart): Promise<void> {
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
  if (changed && (await records.readable())) await recordData(records, "report", report);
}

/** Reads the sizes of tables; that they can't be read is said, and fails no release. */
async function sizesIfKnown({ session, signal, log }: Run): Promise<Report["tables"]> {
  try {
    return await tableSizes(session);
  } catch (error) {
    if (session.lost !== undefined || signal.aborted) throw error;
    log.event("sizes.unknown", `Warning: the sizes of tables are unknown: ${(error as Error).message}`);
    return undefined;
  }
}

/** Ends a deploy that found nothing to do: it reports too, of what the release found. */
export function publishUnchanged(run: Run): Promise<void> {
  return publishReport(run, { stage: "after", results: [], pending: [], scope: [] });
}
