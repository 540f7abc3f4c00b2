import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import type { OnUnreadable } from "../../text/atomic";
import { findConnection } from "../cloud/aws/instance";
import type { KubernetesObject } from "../cloud/kubernetes/object";
import { openStore } from "../cloud/kubernetes/store";
import { readOutputs } from "../engines";
import { environmentOf } from "../environment";
import { CommandError } from "../usage-error";
import { columns } from "./output";
import { type Call, typed } from "./verb";

export interface Workload {
  name: string;
  namespace: string;
  image: string;
  /** The images of the ready pods; more than one while a rollout replaces the pods. */
  serving: string[];
  ready: number;
  wanted: number;
}

/** The Deployments of the local cluster, read from the cluster's files. */
export function workloads(cloudDir: string, onUnreadable?: OnUnreadable): Workload[] {
  const store = openStore(cloudDir, onUnreadable);
  const pods = store.list("", "Pod");
  return store.list("apps", "Deployment").map((deployment) => {
    const wanted = (deployment["spec"].replicas as number | undefined) ?? 1;
    const labels: Record<string, string> = deployment["spec"].selector?.matchLabels ?? {};
    const ready = pods.filter((pod) => isReady(pod) && belongs(pod, deployment, labels));
    return {
      name: deployment.metadata.name,
      namespace: deployment.metadata.namespace ?? "default",
      image: imageOf(deployment["spec"].template.metadata, deployment["spec"].template.spec),
      serving: [...new Set(ready.map((pod) => imageOf(pod.metadata, pod["spec"])))],
      ready: ready.length,
      wanted,
    };
  });
}

function belongs(pod: KubernetesObject, deployment: KubernetesObject, labels: Record<string, string>): boolean {
  return (
    pod.metadata.namespace === deployment.metadata.namespace &&
    pod.metadata.deletionTimestamp === undefined &&
    Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value)
  );
}

function isReady(pod: KubernetesObject): boolean {
  const conditions: { type: string; status: string }[] = pod["status"]?.conditions ?? [];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** The image of a pod's own container, which an annotation names if there are several. */
function imageOf(
  metadata: { annotations?: Record<string, string> } | undefined,
  { containers }: { containers: { name: string; image: string }[] },
): string {
  const own = metadata?.annotations?.["kubectl.kubernetes.io/default-container"];
  return (containers.find(({ name }) => name === own) ?? containers[0])?.image ?? "";
}

export interface Schema {
  /** The name of the last applied migration; null if none is applied. */
  version: string | null;
  applied: number;
  /** The migrations that began and did not end. */
  failed: string[];
}

/** The schema's version according to the database; undefined when there is no database or it does not answer. */
export async function schemaOf(call: Pick<Call, "stack" | "cloudDir">): Promise<Schema | undefined> {
  const environment = environmentOf(call.stack);
  const connection = environment && findConnection(call.cloudDir, environment.kind, environment.identifier);
  if (!connection) return undefined;
  const client = new Client({
    connectionString: connection.appUrl,
    connectionTimeoutMillis: 3_000,
    query_timeout: 3_000,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string; finished: boolean }>(
      `SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM _prisma_migrations
       WHERE rolled_back_at IS NULL ORDER BY migration_name`,
    );
    const applied = rows.filter(({ finished }) => finished);
    return {
      version: applied.at(-1)?.name ?? null,
      applied: applied.length,
      failed: rows.filter(({ finished }) => !finished).map(({ name }) => name),
    };
  } catch (error) {
    // Postgres error 42P01, undefined_table: there is no history table, so no migration was ever applied.
    return (error as { code?: string }).code === "42P01" ? { version: null, applied: 0, failed: [] } : undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Lines for the end of a failed release: the image that the app's pods run, and the version of the schema. */
export async function liveLines(call: Call): Promise<string[]> {
  const outputs = await readOutputs(call.stack);
  const rows = workloads(call.cloudDir).map((workload) => [
    `  ${workload.name}`,
    workload.serving.length === 0
      ? "no pod is ready"
      : `${workload.serving.join(", ")} serves with ${workload.ready} pods`,
    typeof outputs["url"] === "string" ? outputs["url"] : "",
  ]);
  const schema = await schemaOf(call);
  if (schema)
    rows.push(["  database", schema.version === null ? "no migration is applied" : `schema ${schema.version}`, ""]);
  return rows.length === 0 ? [] : [call.output.style("bold", "What runs now"), ...columns(rows)];
}

const SETTLE_MILLISECONDS = 60_000;

/**
 * Waits up to 60 s until every workload of the stack has its pods and the url answers. After a release this is the case
 * already. After `down` and an `up` with nothing to do, the pods have only just been started again.
 * @throws CommandError when the time is over
 */
export async function awaitWorkloads(call: Call): Promise<void> {
  const { url } = await readOutputs(call.stack);
  const end = Date.now() + SETTLE_MILLISECONDS;
  for (;;) {
    const waiting = workloads(call.cloudDir).filter(({ ready, wanted }) => ready < wanted);
    if (waiting.length === 0 && (typeof url !== "string" || (await answers(url)))) return;
    if (Date.now() > end) {
      const what = waiting.map(({ name, ready, wanted }) => `${name} has ${ready} of ${wanted} pods ready`).join(", ");
      throw new CommandError(
        `The release is in the state, but it does not run: ${what || `${url} does not answer`} after ${SETTLE_MILLISECONDS / 1000} s.\n` +
          `The database is as the release left it. To see why: ${typed(call, "logs", "app")}`,
      );
    }
    await pause(50);
  }
}

/**
 * Whether the url answers. Any HTTP status counts, since the readiness probe checks the app's health. Addresses on
 * other machines are not checked and count as answering.
 */
async function answers(url: string): Promise<boolean> {
  if (!/^http:\/\/(127\.0\.0\.1|localhost)\b/.test(url)) return true;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), headers: { connection: "close" } });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
