import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { DEFAULT_CONTAINER_ANNOTATION, withPodFragment } from "../../components/pod-fragment";
import { fragments, TEMPLATE } from "../support/pod-fragments";
import { kubectl } from "./kubectl";

/** Merges random fragments here and with `kubectl patch --local`, which is Kubernetes' own merge. */
export async function mergesAsKubernetes(count: number, seed: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "release-merges-"));
  try {
    const file = join(directory, "deployment.json");
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "notes" } };
    writeFileSync(file, JSON.stringify({ ...deployment, spec: { template: TEMPLATE } }));
    for (const fragment of fc.sample(fragments, { numRuns: count, seed })) {
      const patch = JSON.stringify({ spec: { template: fragment } });
      const words = ["patch", "--local", "--type=strategic", "--filename", file, "--output=json", "--patch", patch];
      const theirs = JSON.parse(await kubectl(words)).spec.template;
      const ours = withPodFragment(TEMPLATE, structuredClone(fragment));
      // Only ours says which of several containers is the app's own.
      const { [DEFAULT_CONTAINER_ANNOTATION]: _, ...annotations }: Record<string, string> = ours.metadata.annotations;
      const unmarked = { ...ours, metadata: { ...ours.metadata, annotations } };
      assert.deepEqual(plain(unmarked), plain(theirs), `seed ${seed}, fragment ${JSON.stringify(fragment)}`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** kubectl leaves out what is empty, and adds fields of its types that have no value. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const inner = Object.entries(value).map(([key, each]) => [key, plain(each)] as const);
  return Object.fromEntries(inner.filter(([, each]) => !isEmpty(each)));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}
