import type { Manifest } from "./manifest";

/** kubectl's name of the resource for each kind, with its API group, which makes the name unambiguous. */
const RESOURCES: Record<string, string> = {
  Service: "services",
  Deployment: "deployments.apps",
  CronJob: "cronjobs.batch",
  PodDisruptionBudget: "poddisruptionbudgets.policy",
  HorizontalPodAutoscaler: "horizontalpodautoscalers.autoscaling",
};

/** Returns the name of an object's resource for kubectl, such as `deployments.apps/notes`. */
export function resourceOf({ kind, metadata: { name } }: Pick<Manifest, "kind" | "metadata">): string {
  return `${RESOURCES[kind]}/${name}`;
}
