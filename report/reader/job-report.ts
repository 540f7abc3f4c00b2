import type { Report } from "../contract";
import { isReport } from "../is-report";
import { REPORT_LINE } from "../report-line";
import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

/** The report of a Job can't be had; the message is for a sentence: "… is missing: kubectl is not on PATH". */
export class ReportUnavailable extends Error {
  override readonly name = "ReportUnavailable";
}

/** The report stands near the end of a log: after it only the checklist for people, and the last words. */
const LAST_LINES = 2000;

/** As a person types it. */
export function logsCommand(job: string, { namespace, context }: Cluster): string {
  return `kubectl logs job/${job} -n ${namespace}${context === undefined ? "" : ` --context ${context}`}`;
}

/**
 * The report that a Job printed, by `kubectl logs`.
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
