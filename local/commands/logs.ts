import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { instanceFolder, listInstances } from "../cloud/aws/records";
import type { KubernetesObject } from "../cloud/kubernetes/object";
import { containerLog } from "../cloud/kubernetes/pod-directory";
import { openStore } from "../cloud/kubernetes/store";
import { CommandError } from "../usage-error";
import { type Call, typed, type Verb } from "./verb";

export const logs: Verb = {
  name: "logs",
  arguments: "<what>",
  summary: "a log: app, migration, preflight, database, cloud, or the name of a workload, Job, pod or instance",
  use: "reads",
  options: [{ flags: "--follow", description: "go on with what comes, until Ctrl-C" }],
  check: ({ arguments: [what] }) =>
    what === undefined ? ["Which log? One of app, migration, preflight, database, cloud, or a name from status"] : [],
  async run(call: Call): Promise<number> {
    const what = call.arguments[0]!;
    const sources = await find(call, what);
    if (sources.length === 0) throw new CommandError(await nothing(call, what));
    const tails = sources.map((source) => ({ ...source, at: 0, rest: "" }));
    const interrupted = new AbortController();
    if (call.options.follow) process.once("SIGINT", () => interrupted.abort());
    for (;;) {
      const last = !call.options.follow || interrupted.signal.aborted || !call.output.stream.writable;
      for (const tail of tails) print(call, tail, { named: sources.length > 1, last });
      if (last) return 0;
      await pause(200, undefined, { signal: interrupted.signal }).catch(() => undefined);
    }
  },
};

interface Source {
  name: string;
  file: string;
}

async function find({ cloudDir }: Call, what: string): Promise<Source[]> {
  if (what === "cloud") return [{ name: "cloud", file: join(cloudDir, "daemon.log") }].filter(isThere);
  const instances = await listInstances(cloudDir, passOver);
  const servers = instances
    .filter(({ identifier }) => what === "database" || identifier === what)
    .map(({ kind, identifier }) => ({
      name: identifier,
      file: join(instanceFolder(cloudDir, kind, identifier), "postgres.log"),
    }));
  const pods = openStore(cloudDir, passOver)
    .list("", "Pod")
    .sort((a, b) => (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? ""));
  const chosen = pods.filter((pod) => isMeant(pod, what)).flatMap((pod) => containersOf(cloudDir, pod));
  return [...servers, ...chosen].filter(isThere);
}

/** Ignores an unreadable file, so that the other logs can still be shown; `status` reports it. */
const passOver = () => undefined;

const isThere = ({ file }: Source) => existsSync(file);

/** Whether `what` names this pod. Components are read from Kubernetes' recommended label. */
function isMeant({ metadata }: KubernetesObject, what: string): boolean {
  const owners = metadata.ownerReferences ?? [];
  const component = metadata.labels?.["app.kubernetes.io/component"];
  if (what === "migration") return component === "migrate";
  if (what === "app") return component === undefined ? !owners.some(({ kind }) => kind === "Job") : component === "app";
  const names = [metadata.name, ...owners.map(({ name }) => name)];
  return component === what || names.some((name) => name === what || name.startsWith(`${what}-`));
}

function containersOf(cloudDir: string, pod: KubernetesObject): Source[] {
  const { name, namespace } = pod.metadata;
  const containers: { name: string }[] = [...(pod["spec"].initContainers ?? []), ...pod["spec"].containers];
  return containers.map((container) => ({
    name: containers.length > 1 ? `${name}/${container.name}` : name,
    file: containerLog(cloudDir, { name, namespace }, container.name),
  }));
}

type Tail = Source & { at: number; rest: string };

/** Prints the whole lines added since the last call; a file that was truncated is read from its start. */
function print({ output }: Call, tail: Tail, { named, last }: { named: boolean; last: boolean }): void {
  const lines = (tail.rest + added(tail)).split("\n");
  tail.rest = lines.pop() ?? "";
  if (last && tail.rest !== "") lines.push(tail.rest);
  for (const line of lines) {
    if (output.json) output.event({ from: tail.name, line });
    else output.line(named ? `${output.style("cyan", tail.name)}  ${line}` : line);
  }
}

function added(tail: Tail): string {
  const size = statSync(tail.file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < tail.at) tail.at = 0;
  const bytes = Buffer.alloc(size - tail.at);
  if (bytes.length === 0) return "";
  const file = openSync(tail.file, "r");
  try {
    tail.at += readSync(file, bytes, 0, bytes.length, tail.at);
  } finally {
    closeSync(file);
  }
  return bytes.toString("utf8");
}

async function nothing(call: Call, what: string): Promise<string> {
  const pods = openStore(call.cloudDir, passOver).list("", "Pod");
  const names = [
    ...pods.map(({ metadata }) => metadata.name),
    ...(await listInstances(call.cloudDir, passOver)).map((i) => i.identifier),
  ];
  if (names.length === 0)
    return `There is no log of ${what}: nothing was started for this stack. To start it: ${typed(call, "up")}`;
  return `There is no log of ${what}. There are app, migration, preflight, database, cloud, and ${names.join(", ")}.`;
}
