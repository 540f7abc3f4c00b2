import type { Report } from "../contract";
import { isReport } from "../is-report";
import { REPORT_LINE } from "../report-line";
import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

/** The report of a Job can't be read. The message completes a sentence: "… is missing: kubectl is not on PATH". */
export class ReportUnavailable extends Error {
  override readonly name = "ReportUnavailable";
}

/**
 * The number of lines that are read from the end of a log. Only the checklist for people and the closing lines follow
 * the report.
 */
const LAST_LINES = 2000;

/** Returns the command that shows the log of a Job, as a person types it. */
export function logsCommand(job: string, { namespace, context }: Cluster): string {
  return `kubectl logs job/${job} -n ${namespace}${context === undefined ? "" : ` --context ${context}`}`;
}

/**
 * Reads the report that a Job printed, with `kubectl logs`.
 * @throws ReportUnavailable
 */
export async function readReport(job: string, cluster: Cluster): Promise<Report> {
  const log = await readLog(job, cluster);
  const line = log.split("\n").findLast((each) => each.startsWith(REPORT_LINE));
  if (line === undefined) throw new ReportUnavailable("its log has no report");
  let report: unknown;
  try {
    report = JSON.parse(line.slice(REPORT_LINE.length));
  } catch {
    throw new ReportUnavailable("the report in its log is cut off");
  }
  if (!isReport(report)) throw new ReportUnavailable("the report in its log is not one that this version knows");
  return report;
}

async function readLog(job: string, cluster: Cluster): Promise<string> {
  try {
    return await kubectl(["logs", `job/${job}`, `--tail=${LAST_LINES}`], cluster);
  } catch (error) {
    if (error instanceof KubectlFailed) throw new ReportUnavailable(error.message);
    throw error;
  }
}
