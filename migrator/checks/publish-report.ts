import { checklist } from "../../report/checklist";
import type { Report, ReportPart } from "../../report/contract";
import { REPORT_LINE } from "../../report/report-line";
import { jsonLine } from "../../text/printable";
import { recordData } from "../records/release-records";
import type { Run } from "../run";
import { protectingBackup } from "./snapshot-gate";
import { tableSizes } from "./table-sizes";

/**
 * Prints the report as one line of JSON and, if the log is text, as a checklist. After a deploy with checks, it also
 * stores the report in the database, if the tables for it exist.
 */
export async function publishReport(run: Run, part: ReportPart): Promise<void> {
  const { log, settings, session, records } = run;
  const { backup, recorded } = (await protectingBackup(run)) ?? {};
  const report: Report = {
    release: settings.releaseId ?? null,
    at: new Date().toISOString(),
    database: session.target.database,
    snapshot:
      backup && backup.taken !== "gone"
        ? {
            kind: backup.kind,
            id: backup.id,
            createdAt: backup.taken.createdAt.toISOString(),
            completedAt: backup.taken.completedAt.toISOString(),
            location: recorded?.location,
            checksum: recorded?.checksum,
          }
        : null,
    notes: settings.notes,
    ...part,
    tables: await sizesIfKnown(run),
    elapsed: Math.round(process.uptime() * 1000),
  };
  // The text for people comes last, because Pulumi shows the last 2 kB of the log of a Job that failed.
  log.event("report", `${REPORT_LINE}${jsonLine(report)}`, { report: report as never });
  if (log.format === "text") for (const line of checklist(report)) log.event("report.line", line);
  // Nothing is stored before a release: the tables for it may not exist yet, and a check must not create them. The
  // report of a run that changed nothing is not stored either.
  const changed = part.stage === "after" && part.results.length > 0;
  if (changed && (await records.readable())) await recordData(records, "report", report);
}

/** Reads the sizes of tables. If they can't be read, a warning is logged and the release goes on. */
async function sizesIfKnown({ session, signal, log }: Run): Promise<Report["tables"]> {
  try {
    return await tableSizes(session);
  } catch (error) {
    if (session.lost !== undefined || signal.aborted) throw error;
    log.event("sizes.unknown", `Warning: the sizes of tables are unknown: ${(error as Error).message}`);
    return undefined;
  }
}

/** Publishes the report of a deploy that found nothing to do. */
export function publishUnchanged(run: Run): Promise<void> {
  return publishReport(run, { stage: "after", results: [], pending: [], scope: [] });
}
