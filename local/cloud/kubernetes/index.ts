import { createReadStream, statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { KubernetesObject } from "./object";
import { pause } from "./pause";
import { containerLog } from "./pod-directory";
import type { Pod } from "./pod-types";
import { servicePorts } from "./service-ports";
import { openStore } from "./store";

/** These functions read a cluster's files for the command line. No background process is needed or started. */

export function listPods(cloudDir: string, namespace?: string): Pod[] {
  return openStore(cloudDir).list("", "Pod", namespace) as unknown as Pod[];
}

/** Lists every object except Secrets, or those of one kind. */
export function listObjects(
  cloudDir: string,
  { kind, namespace }: { kind?: string; namespace?: string } = {},
): KubernetesObject[] {
  return openStore(cloudDir)
    .listAll()
    .filter(
      (object) =>
        (kind === undefined || object.kind === kind) &&
        (namespace === undefined || object.metadata.namespace === namespace),
    );
}

/** The address of a Service, such as `http://127.0.0.1:30123`; undefined if there is no such Service or port. */
export function serviceUrl(cloudDir: string, namespace: string, name: string, port?: number): string | undefined {
  const service = openStore(cloudDir).get({ group: "", kind: "Service", namespace, name });
  if (!service) return undefined;
  const ports = servicePorts(service);
  const own = port === undefined ? [...ports.values()][0] : ports.get(port);
  return own === undefined ? undefined : `http://127.0.0.1:${own}`;
}

export interface LogLine {
  pod: string;
  container: string;
  text: string;
}

/**
 * Yields the output of containers. `what` names a pod, a Job, a Deployment, or a value of the labels
 * `app.kubernetes.io/name` and `…/component`. With `follow` it continues until the signal fires or every such pod is
 * deleted.
 */
export async function* logs(
  cloudDir: string,
  what: string,
  { follow = false, signal }: { follow?: boolean; signal?: AbortSignal } = {},
): AsyncGenerator<LogLine> {
  const read = new Map<string, number>();
  do {
    const pods = listPods(cloudDir).filter((pod) => belongsTo(pod, what));
    if (pods.length === 0) return;
    for (const { metadata, spec } of pods) {
      for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
        const lines = newLines(containerLog(cloudDir, metadata, name), read);
        for await (const text of lines) yield { pod: metadata.name, container: name, text };
      }
    }
    if (follow) await pause(200, signal);
  } while (follow && !signal?.aborted);
}

/** The lines that were added to a file since the size in `read`, which is updated. */
function newLines(file: string, read: Map<string, number>): AsyncIterable<string> | string[] {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const before = read.get(file) ?? 0;
  // A file that is shorter than before has lost its older half, so it is read from its start.
  const start = size < before ? 0 : before;
  read.set(file, size);
  return size === start ? [] : createInterface({ input: createReadStream(file, { start, end: size - 1 }) });
}

function belongsTo({ metadata }: Pod, what: string): boolean {
  const labels = metadata.labels ?? {};
  const names = [
    metadata.name,
    labels["job-name"],
    labels["app.kubernetes.io/name"],
    labels["app.kubernetes.io/component"],
    ...(metadata.ownerReferences ?? []).flatMap(({ name }) => [name, name.replace(/-[a-z0-9]{10}$/, "")]),
  ];
  return names.includes(what);
}
