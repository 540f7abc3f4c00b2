import type { Deployment } from "./deployment";
import type { Goal } from "./goal";
import { parsePath, resetPath } from "./property-path";
import type { ResourceState } from "./state";
import { markSecrets, plainProperties } from "./values";

/** Whether the goal's `import` is still to be done: the state contains no resource with that id under this URN. */
export function isImport(goal: Goal, old: ResourceState | undefined): boolean {
  return goal.custom && goal.importId !== "" && old?.id !== goal.importId && old?.importID !== goal.importId;
}

/**
 * Adds an existing resource to the state if it matches what the program describes. The resource is only read, never
 * changed (pkg/resource/deploy/step.go, ImportStep).
 * @throws Error when the resource does not exist or does not match
 */
export async function importResource(next: ResourceState | undefined, deployment: Deployment): Promise<void> {
  if (!next?.importID) return;
  const { urn } = next;
  const provider = deployment.provider(next.type, next.provider);
  const found = await provider.read({ urn, id: next.importID, inputs: {}, olds: {} });
  if (!found) throw new Error(`resource '${next.importID}' does not exist`);

  const wanted = structuredClone(next.inputs ?? {});
  for (const path of next.ignoreChanges ?? []) resetPath(parsePath(path), found.inputs, wanted);
  const { inputs, failures } = await provider.check({ urn, olds: found.inputs, news: plainProperties(wanted) });
  const problems = failures.map(({ property, reason }) => `${property}: ${reason}`);
  const { changes, diffs } = await provider.diff({
    urn,
    id: found.id,
    oldInputs: found.inputs,
    olds: found.outputs,
    news: inputs,
    ignoreChanges: next.ignoreChanges ?? [],
  });
  if (changes === "some") problems.push(`inputs to import do not match the existing resource: ${diffs.join(", ")}`);
  if (problems.length > 0) throw new Error(problems.join("; "));

  next.id = found.id;
  next.inputs = markSecrets(inputs, wanted);
  next.outputs = found.outputs;
  next.created = next.modified = new Date().toISOString();
}
