import type { Properties } from "../cloud/provider";
import { RegistrationError } from "./decisions";
import type { Deployment } from "./deployment";
import type { Goal } from "./goal";
import { parsePath, resetPath } from "./property-path";
import type { ResourceState } from "./state";
import { isProviderType } from "./urn";
import { markSecrets, plainProperties } from "./values";

/**
 * Lets the provider validate the inputs and fill in defaults. `old` is the resource of the last run, whose inputs are
 * passed along so that the provider keeps what it filled in then.
 * @throws RegistrationError when the provider rejects a property
 */
export async function checkInputs(
  deployment: Deployment,
  goal: Goal,
  next: ResourceState,
  old: ResourceState | undefined,
): Promise<void> {
  let inputs = goal.properties;
  if (old) inputs = withIgnored(deployment, goal, old.inputs ?? {}, next.urn);
  if (!goal.custom || isProviderType(goal.type)) {
    next.inputs = inputs;
    return;
  }
  const { inputs: checked, failures } = await deployment.provider(goal.type, next.provider).check({
    urn: next.urn,
    ...(old ? { olds: plainProperties(old.inputs) } : {}),
    news: plainProperties(inputs),
  });
  for (const { property, reason } of failures) {
    const where = property ? `property ${property} has a problem: ` : "has a problem: ";
    deployment.fail(`${goal.type} resource '${goal.name}': ${where}${reason}`, next.urn);
  }
  if (failures.length > 0) throw new RegistrationError("", next.urn);
  next.inputs = markSecrets(checked, inputs);
}

function withIgnored(deployment: Deployment, goal: Goal, oldInputs: Properties, urn: string): Properties {
  if (goal.ignoreChanges.length === 0) return goal.properties;
  const inputs = structuredClone(goal.properties);
  const missed = goal.ignoreChanges.filter((path) => !resetPath(parsePath(path), oldInputs, inputs));
  if (missed.length > 0) {
    const paths = missed.map((path) => `"${path}"`).join(", ");
    deployment.diagnose("info", `cannot ignore changes in added or removed elements of the path: ${paths}`, urn);
  }
  return inputs;
}
