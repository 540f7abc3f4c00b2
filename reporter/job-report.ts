import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { Report } from "../migrator/report";
import { REPORT_LINE } from "../migrator/report-line";

/** The report of a Job can't be had; the message is for a sentence: "… is missing: kubectl is not on PATH". */
export class ReportUnavailable extends Error {
  override readonly name = "ReportUnavailable";
}

export interface Cluster {
  readonly namespace: string;
  readonly context?: string;
  /** Path of the kubeconfig; default: kubectl's own. */
  readonly kubeconfig?: string;
}

/** The report stands near the end of a log: after it only the checklist for people, and the last words. */
const LAST_LINES = 2000;
const CALL_MS = 30_000;
const TRIES = 3;
const BETWEEN_TRIES_MS = 2_000;

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
  try {
    return JSON.parse(line.slice(REPORT_LINE.length)) as Report;
  } catch {
    throw new ReportUnavailable("the report in its log is cut off");
  }
}

async function readLog(job: string, cluster: Cluster): Promise<string> {
  for (let tried = 1; ; tried++) {
    try {
      return await kubectl(job, cluster);
    } catch (error) {
      const { code, stderr = "", message } = error as { code?: unknown; stderr?: string; message: string };
      if (code === "ENOENT") throw new ReportUnavailable("kubectl is not on PATH");
      const reason = stderr.trim().split("\n").at(-1) || message;
      // What is gone does not come back; a server that didn't answer may.
      const final = /NotFound|not found|Forbidden|Unauthorized|does not exist|no configuration/i.test(reason);
      if (final || tried === TRIES) throw new ReportUnavailable(`kubectl says: ${reason}`);
      await pause(BETWEEN_TRIES_MS);
    }
  }
}

function kubectl(job: string, { namespace, context, kubeconfig }: Cluster): Promise<string> {
  const words = ["logs", `job/${job}`, `--namespace=${namespace}`, `--tail=${LAST_LINES}`, "--request-timeout=20s"];
  if (context !== undefined) words.push(`--context=${context}`);
  if (kubeconfig !== undefined) words.push(`--kubeconfig=${kubeconfig}`);
  return new Promise((resolve, reject) => {
    execFile("kubectl", words, { timeout: CALL_MS, maxBuffer: 32 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { stderr }));
      else resolve(stdout);
    });
  });
}
