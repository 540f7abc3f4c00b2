import type { Sizes } from "../../text/table-size";
import type { Report } from "../contract";
import { markdownReport } from "../page";
import { readRehearsalProof, rehearsalProofName } from "../rehearsal-proof";
import { readRestoreCheck, restoreCheckName } from "../restore-check";
import { handOver } from "./hand-over";
import { logsCommand, ReportUnavailable, readReport } from "./job-report";
import { type Cluster, kubeconfigFile } from "./kubectl";
import { liveObjects } from "./live-objects";
import { type ClusterRequest, KUBECONFIG_VARIABLE, REQUEST_VARIABLE, type ReportRequest } from "./request";
import { serviceAddress } from "./service-address";
import { writePage } from "./write-page";

/**
 * Runs where `pulumi up` runs, and prints one line of JSON: before the release the objects that it would change, after
 * the rollout what the Jobs reported. If a report can't be read, the line contains the reason and the exit status is 0,
 * because the release itself is complete. Only a page that was requested and can't be written is an error.
 */
async function main(): Promise<number> {
  const request = JSON.parse(process.env[REQUEST_VARIABLE] ?? "{}") as ReportRequest | ClusterRequest;
  if (!("jobs" in request)) return answerFromCluster(request);
  try {
    return await answerTo(request);
  } catch (error) {
    if (request.page) throw error;
    // The stack's outputs wait for the sizes, and the new version serves already, so an error here must not fail the
    // release.
    const missing = request.jobs.map((job) => ({ job, reason: (error as Error).message }));
    return answer(problem(missing, request, SIZES_UNKNOWN));
  }
}

async function answerFromCluster(request: ClusterRequest): Promise<number> {
  const { namespace, context } = request;
  const given = kubeconfigFile(process.env[KUBECONFIG_VARIABLE]);
  try {
    const cluster: Cluster = { namespace, context, kubeconfig: given.path };
    if ("resources" in request) return answer(await liveObjects(request, cluster));
    if ("service" in request) return answer(await serviceAddress(request.service, request.timeoutSeconds, cluster));
    return answer(await handOver(request.handOver.resources, request.handOver.to, cluster));
  } finally {
    given.remove();
  }
}

async function answerTo(request: ReportRequest): Promise<number> {
  const { namespace, context, jobs } = request;
  const given = kubeconfigFile(process.env[KUBECONFIG_VARIABLE]);
  try {
    const cluster: Cluster = { namespace, context, kubeconfig: given.path };
    const read = await Promise.all(jobs.map((job) => part(job, cluster)));
    const missing = read.filter((each): each is Missing => "reason" in each);
    const reports = read.flatMap((each) => ("report" in each ? [each.report] : []));
    if (!request.page)
      return answer({ ...sizesOf(reports), ...backupOf(reports), ...problem(missing, cluster, SIZES_UNKNOWN) });
    const { file, fingerprint, ...page } = request.page;
    const logs = jobs.map((job) => logsCommand(job, cluster));
    const names = [restoreCheckName(page.app), rehearsalProofName(page.app)];
    const [check, proof] = await dataOf(names, cluster);
    const restoreCheck = readRestoreCheck(check);
    const last = readRehearsalProof(proof);
    const rehearsal = last?.fingerprint === fingerprint ? last : undefined;
    const text = markdownReport(reports, {
      ...page,
      restoreCheck,
      rehearsal,
      at: new Date().toISOString(),
      missing,
      logs,
    });
    try {
      writePage(file, text);
    } catch (error) {
      process.stderr.write(
        `The release is complete: the database is migrated, and the new version serves.\n` +
          `Only its report was not written: ${(error as Error).message}.\n` +
          "Next: make the folder of the setting report.directory writable, and run the same `up` again; it does nothing else.\n",
      );
      return 1;
    }
    return answer({ file, ...problem(missing, cluster, `The report ${file} has no part of it`) });
  } finally {
    given.remove();
  }
}

const SIZES_UNKNOWN = "The sizes of tables stay unknown to the next release's review";

interface Missing {
  readonly job: string;
  readonly reason: string;
}

async function part(job: string, cluster: Cluster): Promise<{ report: Report } | Missing> {
  try {
    return { report: await readReport(job, cluster) };
  } catch (error) {
    if (error instanceof ReportUnavailable) return { job, reason: error.message };
    throw error;
  }
}

function sizesOf(reports: readonly Report[]): { sizes?: Sizes } {
  const last = reports.at(-1);
  return last?.tables ? { sizes: { recordedAt: last.at, tables: last.tables } } : {};
}

/** Returns what the last Job reported of the dump that protected it. */
function backupOf(reports: readonly Report[]): object {
  const { id, createdAt, completedAt = createdAt, checksum = null } = reports.at(-1)?.snapshot ?? {};
  return id === undefined ? {} : { backup: { id, createdAt, completedAt, checksum } };
}

function problem(missing: readonly Missing[], cluster: Cluster, consequence: string): { problem?: string } {
  const [first] = missing;
  if (!first) return {};
  const which = missing.map(({ job }) => job).join(" and ");
  return {
    problem:
      "The new version is rolled out and serves; nothing is wrong with the release.\n" +
      `${consequence}: what Job ${which} reported can't be read (${first.reason}).\n` +
      `Next: see that this answers where \`up\` runs, before the next release: ${logsCommand(first.job, cluster)}`,
  };
}

function answer(found: object): number {
  process.stdout.write(`${JSON.stringify(found)}\n`);
  return 0;
}

void main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: Error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`);
    process.exitCode = 1;
  },
);

/** Reads the data of ConfigMaps; those are undefined that don't exist or can't be read. */
async function dataOf(names: readonly string[], cluster: Cluster): Promise<unknown[]> {
  const found = await liveObjects({ resources: names.map((name) => `configmaps/${name}`) }, cluster);
  const maps = ("objects" in found ? found.objects : []) as { metadata: { name: string }; data?: unknown }[];
  return names.map((name) => maps.find(({ metadata }) => metadata.name === name)?.data);
}
