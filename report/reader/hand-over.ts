import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { handOverPatch, type OwnedObject } from "./field-ownership";
import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

/** An object that somebody changes at the same time makes the patch fail; the next try reads it again. */
const TRIES = 5;
const BETWEEN_TRIES_MS = 500;

/**
 * Hands what kubectl, Helm and other tools have set of these objects over to the field manager of the release, so that
 * the rollout can set and remove these fields. It changes no field itself.
 *
 * @param resources The objects in kubectl's notation, such as `deployments.apps/notes`.
 * @returns nothing, or the reason why an object could not be handed over
 */
export async function handOver(
  resources: readonly string[],
  to: string,
  cluster: Cluster,
): Promise<{ problem?: string }> {
  try {
    for (const resource of resources) await handOverOne(resource, to, cluster);
    return {};
  } catch (error) {
    if (error instanceof KubectlFailed) return { problem: error.message };
    throw error;
  }
}

async function handOverOne(resource: string, to: string, cluster: Cluster): Promise<void> {
  for (let tried = 1; ; tried++) {
    const text = await kubectl(["get", resource, "--output=json", "--show-managed-fields"], cluster);
    const patch = handOverPatch(JSON.parse(text) as OwnedObject, to);
    if (patch.length === 0) return;
    try {
      await patchWith(resource, JSON.stringify(patch), cluster);
      return;
    } catch (error) {
      if (!(error instanceof KubectlFailed) || tried === TRIES) throw error;
      await pause(BETWEEN_TRIES_MS);
    }
  }
}

/** The patch goes through a file: it may be longer than an argument can be. */
async function patchWith(resource: string, patch: string, cluster: Cluster): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "release-hand-over-"));
  try {
    const file = join(folder, "patch.json");
    writeFileSync(file, patch, { mode: 0o600 });
    await kubectl(["patch", resource, "--type=json", `--patch-file=${file}`], cluster);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
