import { createHash } from "node:crypto";
import { join } from "node:path";
import { Client } from "pg";
import { findConnection } from "../../local/cloud/aws/instance";
import { listInstances, listSnapshots } from "../../local/cloud/aws/records";
import { running } from "../../local/cloud/client";
import type { KubernetesObject } from "../../local/cloud/kubernetes/object";
import { openStore } from "../../local/cloud/kubernetes/store";
import { waitUntil } from "../../local/cloud/process";
import type { Json } from "../../local/cloud/provider";
import { stackDirectory } from "../../local/engine/state";
import { cliCheckpoint } from "../../local/plugin/checkpoint";
import { readText } from "../../text/atomic";
import type { Ran } from "./run-operation";
import type { Stage } from "./stage";

/** What is there after a command, in a form in which two engines can be compared: no moments, no ports, no random ids. */
export interface Observation {
  /** `create Job notes-migrate-6db79d3f401f`, sorted. */
  steps: string[];
  ok: boolean;
  canceled: boolean;
  summary: Record<string, number>;
  outputs: Json;
  /** Every resource with what the engine keeps about it. */
  state: string[];
  snapshots: string[];
  objects: string[];
  database: string[];
  app: string;
}

export async function observe(stage: Stage, ran: Ran, project: string): Promise<Observation> {
  const cloudDir = stage.cloudDir();
  // A pod that is leaving still answers for a moment, as it should; what is there afterwards counts.
  await waitUntil(() => !openStore(cloudDir).list("", "Pod").some(isLeaving), LEAVING_MS);
  return {
    steps: ran.steps.filter(counts).map(describeStep).sort(),
    ok: ran.result?.ok ?? false,
    canceled: ran.result?.canceled ?? false,
    summary: sorted(ran.result?.summary ?? {}) as Record<string, number>,
    outputs: timeless(sorted(ran.result?.outputs ?? {})),
    state: stateOf(stage, project),
    snapshots: (await listSnapshots(cloudDir)).map(({ identifier, status }) => `${identifier} ${status}`).sort(),
    objects: objectsOf(cloudDir),
    database: await databaseOf(cloudDir),
    app: await appOf(ran.result?.outputs),
  };
}

const LEAVING_MS = 60_000;

function isLeaving({ metadata }: KubernetesObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** A component is done when its children are, for the CLI, and at once for the embedded engine: its beginning counts. */
function counts({ type, status }: Ran["steps"][number]): boolean {
  return /^(aws|kubernetes|command|pulumi:providers):/.test(type) === (status !== "started");
}

function describeStep({ op, type, status, found, retained, urn }: Ran["steps"][number]): string {
  const what = `${op} ${type.split(":").at(-1)} ${urn.split("::").at(-1)}`;
  const how = [found, retained ? "retained" : undefined, status === "failed" ? "failed" : undefined].filter(Boolean);
  return how.length > 0 ? `${what} (${how.join(", ")})` : what;
}

interface StoredState {
  resources?: StoredResource[];
  pending_operations?: { type: string; resource: { urn: string } }[];
}

interface StoredResource {
  urn: string;
  type: string;
  inputs?: Json;
  initErrors?: string[];
  dependencies?: string[];
  [flag: string]: Json | undefined;
}

/** The CLI's provider for its own resources and functions is left out: another engine needs none. */
const FLAGS = ["delete", "protect", "retainOnDelete", "external", "pendingReplacement"];

function stateOf({ engine, stateDir, stack }: Stage, project: string): string[] {
  const text =
    engine === "embedded"
      ? readText(join(stackDirectory(stateDir, project, stack), "state.json"))
      : readText(cliCheckpoint(stateDir, project, stack));
  if (text === undefined) return [];
  const file = JSON.parse(text) as { deployment?: StoredState; checkpoint?: { latest?: StoredState } };
  const state = file.deployment ?? file.checkpoint?.latest ?? {};
  const kept = (state.resources ?? []).filter(({ urn }) => !urn.endsWith("::pulumi:providers:pulumi::default"));
  const resources = kept.map((resource) => {
    const flags = FLAGS.filter((flag) => resource[flag]);
    if (resource.initErrors?.length) flags.push("initErrors");
    const needs = (resource.dependencies ?? []).length;
    return `${resource.urn} ${flags.join(" ")} inputs ${digest(resource.inputs ?? {})} needs ${needs}`;
  });
  // The CLI never drops its note of a creation that was killed, also when the next `up` has made the resource.
  const open = (state.pending_operations ?? []).filter(
    ({ type, resource }) =>
      engine === "embedded" || type !== "creating" || !kept.some(({ urn }) => urn === resource.urn),
  );
  const pending = open.map(({ type, resource }) => `pending: ${type} ${resource.urn}`);
  return [...resources, ...pending].sort();
}

/** Of inputs: order of keys and moments do not count. */
function digest(value: Json): string {
  return createHash("sha256")
    .update(JSON.stringify(timeless(sorted(withoutInternal(value)))))
    .digest("hex")
    .slice(0, 8);
}

/** The CLI keeps its own notes on a provider among the inputs. */
function withoutInternal(inputs: Json): Json {
  return typeof inputs === "object" && inputs !== null ? { ...inputs, __internal: null } : inputs;
}

function objectsOf(cloudDir: string): string[] {
  const store = openStore(cloudDir);
  const named = (group: string, kind: string) =>
    store.list(group, kind).map(({ metadata }) => `${kind} ${metadata.name}`);
  const deployments = store.list("apps", "Deployment").map(({ metadata, spec, status }) => {
    const [container] = spec.template.spec.containers;
    return `Deployment ${metadata.name} ${container.image}: ${status?.readyReplicas ?? 0} ready of ${spec.replicas}`;
  });
  const jobs = store.list("batch", "Job").map(({ metadata, status }) => {
    const ended = (status?.conditions ?? []) as { type: string; status: string }[];
    return `Job ${metadata.name} ${ended.filter((each) => each.status === "True").map(({ type }) => type)}`;
  });
  const others = [
    ...named("", "ConfigMap"),
    ...named("", "Service"),
    ...named("policy", "PodDisruptionBudget"),
    ...named("batch", "CronJob"),
  ];
  return [...deployments, ...jobs, ...others].sort();
}

const HISTORY = `SELECT migration_name || CASE WHEN rolled_back_at IS NOT NULL THEN ' rolled back'
  WHEN finished_at IS NULL THEN ' unfinished' ELSE '' END AS line FROM _prisma_migrations ORDER BY started_at, 1`;
const COLUMNS = `SELECT table_name || '.' || column_name || ' ' || data_type AS line FROM information_schema.columns
  WHERE table_schema = 'public' ORDER BY 1`;
const ROWS = `SELECT 'note: ' || to_jsonb(notes) - 'created_at' || '' AS line FROM notes ORDER BY id`;

/** Tables, columns, the notes and the migrations' history; empty where there is no database, or nobody answers. */
async function databaseOf(cloudDir: string): Promise<string[]> {
  const [instance] = await listInstances(cloudDir);
  if (!instance || !(await running(cloudDir))) return [];
  const connection = findConnection(cloudDir, instance.kind, instance.identifier);
  const client = new Client({ connectionString: connection?.adminUrl, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const lines: string[] = [];
    for (const sql of [COLUMNS, HISTORY, ROWS]) {
      try {
        lines.push(...(await client.query<{ line: string }>(sql)).rows.map(({ line }) => line));
      } catch (error) {
        lines.push((error as Error).message);
      }
    }
    return lines;
  } catch (error) {
    return [`no connection (${(error as NodeJS.ErrnoException).code})`];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What the app says of itself at the address that the outputs give. */
async function appOf(outputs: Record<string, Json> = {}): Promise<string> {
  if (typeof outputs["url"] !== "string") return "no address";
  try {
    const answer = await fetch(`${outputs["url"]}/health`, { signal: AbortSignal.timeout(5_000) });
    return await answer.text();
  } catch {
    return "no answer";
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

function timeless(value: Json): Json {
  const text = JSON.stringify(value)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "MOMENT")
    .replace(/127\.0\.0\.1:\d+/g, "ADDRESS")
    // Statistics of a running server are never quite the same.
    .replace(/"(rows|bytes)":\d+/g, '"$1":0')
    .replace(/conformance [A-Za-z0-9]{6}/g, "DIRECTORY");
  return JSON.parse(text) as Json;
}
