import type { Condition, ContainerStatus, Pod } from "./pod-types";

/**
 * The message of Pulumi's Kubernetes provider for a pod that is not ready (provider/pkg/await/checker/pod); undefined
 * for a ready pod.
 */
export function podMessage(pod: Pod): string | undefined {
  const condition = (type: string) => pod.status?.conditions.find((each) => each.type === type);
  const initialized = condition("Initialized");
  if (!initialized) return undefined;
  if (initialized.status !== "True") return describe(pod, initialized);
  const ready = condition("Ready");
  if (!ready || ready.status === "True" || pod.status?.phase === "Succeeded") return undefined;
  return describe(pod, ready);
}

function describe(pod: Pod, { reason, message }: Condition): string | undefined {
  const errors = (pod.status?.containerStatuses ?? []).flatMap(containerErrors);
  if (errors.length === 0 && !message) return undefined;
  const { namespace = "default", name } = pod.metadata;
  const qualified = namespace === "default" ? name : `${namespace}/${name}`;
  return `[Pod ${qualified}]: ${reason && message ? message : ""}${errors.join("\n")}`;
}

function containerErrors({ name, ready, state, lastState }: ContainerStatus): string[] {
  if (ready) return [];
  const errors: string[] = [];
  const { waiting, terminated } = state;
  if (waiting && waiting.reason !== "ContainerCreating") errors.push(`[${waiting.reason}] ${waiting.message ?? ""}`);
  if (terminated?.reason) {
    errors.push(
      terminated.message
        ? `[${terminated.reason}] ${terminated.message}`
        : `container "${name}" completed with exit code ${terminated.exitCode}`,
    );
  }
  const last = lastState.terminated;
  if (last) {
    errors.push(`container "${name}" terminated at ${last.finishedAt} (${last.reason}: exit code ${last.exitCode})`);
    if (last.message) errors.push(last.message);
  }
  return errors;
}
