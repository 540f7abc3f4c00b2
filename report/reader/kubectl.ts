import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { oneLine } from "../../text/printable";

/**
 * kubectl can't be run, or reports an error. The message completes a sentence: "… is missing: kubectl is not on PATH".
 */
export class KubectlFailed extends Error {
  override readonly name = "KubectlFailed";
}

/** The namespace that `kubectl` reads, and how it reaches the cluster. */
export interface Cluster {
  readonly namespace: string;
  readonly context?: string | undefined;
  /** The path of the kubeconfig; default: kubectl's own. */
  readonly kubeconfig?: string | undefined;
}

const CALL_MS = 30_000;
const TRIES = 3;
const BETWEEN_TRIES_MS = 2_000;

/**
 * Runs kubectl and returns its output. Up to three attempts are made, each of at most 30 s including its credential
 * helpers.
 * @throws KubectlFailed
 */
export async function kubectl(words: string[], cluster: Cluster): Promise<string> {
  const all = [...words, "--request-timeout=20s", ...clusterOptions(cluster)];
  for (let tried = 1; ; tried++) {
    try {
      return await run(all);
    } catch (error) {
      const { code, stderr = "", message } = error as { code?: unknown; stderr?: string; message: string };
      if (code === "ENOENT") throw new KubectlFailed("kubectl is not on PATH");
      const reason = stderr.trim().split("\n").at(-1) || message;
      // A missing object or a missing right will not appear by itself; a server that didn't answer may answer later.
      const final = /NotFound|not found|Forbidden|Unauthorized|does not exist|no configuration/i.test(reason);
      if (final || tried === TRIES) throw new KubectlFailed(`kubectl says: ${oneLine(reason)}`);
      await pause(BETWEEN_TRIES_MS);
    }
  }
}

/** Returns kubectl's options for a namespace of a cluster. */
export function clusterOptions({ namespace, context, kubeconfig }: Cluster): string[] {
  return [
    `--namespace=${namespace}`,
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ];
}

function run(words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("kubectl", words, { timeout: CALL_MS, maxBuffer: 32 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { stderr }));
      else resolve(stdout);
    });
  });
}

/**
 * Returns the path of a kubeconfig for kubectl, which accepts only a path. The Kubernetes provider also accepts a
 * kubeconfig's content, which is written to a temporary file that `remove` deletes.
 */
export function kubeconfigFile(given: string | undefined): { path?: string; remove(): void } {
  if (!given) return { remove: () => undefined };
  if (!given.includes("\n") && !given.trimStart().startsWith("{")) return { path: given, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), "release-report-"));
  const path = join(folder, "kubeconfig");
  writeFileSync(path, given, { mode: 0o600 });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
