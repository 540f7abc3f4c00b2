import { readFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { CLOUD_VARIABLE } from "../command/tools";
import { containerLog } from "./pod-directory";
import { openStore } from "./store";

/**
 * `kubectl logs job/NAME` (or `pod/NAME`, `NAME`) on the local cloud, with kubectl's own words and exit status where something
 * is missing. Reads files; the background process need not run.
 */
export function kubectl(words: string[], env: NodeJS.ProcessEnv): number {
  const cloudDir = env[CLOUD_VARIABLE];
  if (!cloudDir) return fail(`${CLOUD_VARIABLE} is not set: this kubectl serves the commands of a local release only`);
  const { values, positionals } = parseArgs({
    args: words,
    options: {
      namespace: { type: "string", short: "n", default: "default" },
      tail: { type: "string", default: "-1" },
      // There is one cluster here, and it answers at once.
      context: { type: "string" },
      kubeconfig: { type: "string" },
      "request-timeout": { type: "string" },
    },
    allowPositionals: true,
    strict: false,
  });
  const [verb, what, ...others] = positionals;
  if (verb !== "logs" || what === undefined || others.length > 0)
    return fail(
      "the local cloud's kubectl knows `logs job/NAME` and `logs NAME` only; for more: npm run local -- help",
    );
  const [kind, name] = what.includes("/") ? (what.split("/", 2) as [string, string]) : ["pod", what];
  return logs(cloudDir, kind, name, String(values.namespace), Number(values.tail));
}

function logs(cloudDir: string, kind: string, name: string, namespace: string, tail: number): number {
  const store = openStore(cloudDir);
  const ofJob = /^jobs?(\.batch)?$/.test(kind);
  if (ofJob && !store.get({ group: "batch", kind: "Job", namespace, name })) return notFound("jobs.batch", name);
  const pods = store.list("", "Pod", namespace);
  const pod = pods.find(({ metadata }) =>
    ofJob
      ? metadata.ownerReferences?.some((owner) => owner.kind === "Job" && owner.name === name)
      : metadata.name === name,
  );
  if (!pod) return ofJob ? fail("timed out waiting for the condition") : notFound("pods", name);
  const [container] = pod.spec.containers as { name: string }[];
  const lines = readFileSync(containerLog(cloudDir, pod.metadata, container!.name), "utf8").split("\n");
  const wanted = tail < 0 ? lines : lines.slice(-(tail + 1));
  print(1, wanted.join("\n"));
  return 0;
}

function notFound(resource: string, name: string): number {
  return fail(`Error from server (NotFound): ${resource} "${name}" not found`);
}

function fail(message: string): number {
  print(2, `${message.startsWith("Error") ? "" : "error: "}${message}\n`);
  return 1;
}

/** At once and as a whole, for the process ends behind it. */
function print(descriptor: number, text: string): void {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
