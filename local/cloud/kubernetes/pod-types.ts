import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";
import type { ObjectMeta } from "./object";

/** A pod in the store: its manifest, and the status that this cloud sets. */
export interface Pod {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

/** The types of manifests come from Pulumi's own package, with every value known. */
type PodSpec = Unwrap<types.input.core.v1.PodSpec>;
export type Container = Unwrap<types.input.core.v1.Container>;
export type KeyRef = Unwrap<types.input.core.v1.SecretKeySelector>;
export type Volume = Unwrap<types.input.core.v1.Volume>;
export type CsiSource = Unwrap<types.input.core.v1.CSIVolumeSource>;
export type VolumeItems = Pick<Unwrap<types.input.core.v1.ConfigMapVolumeSource>, "items" | "optional">;
export type DownwardItems = Unwrap<types.input.core.v1.DownwardAPIProjection>;
export type Probe = Unwrap<types.input.core.v1.Probe>;
export type Handler = Unwrap<types.input.core.v1.LifecycleHandler>;

/** A condition of a pod, a Job or a Deployment. Only a Deployment's has a time of its last update. */
export type Condition = Omit<Unwrap<types.input.apps.v1.DeploymentCondition>, "status"> & {
  status: "True" | "False" | "Unknown";
};

/** The status of a pod. The fields that this cloud always sets are required here. */
export type PodStatus = Omit<Unwrap<types.input.core.v1.PodStatus>, "conditions" | ContainerLists> & {
  phase: "Pending" | "Running" | "Succeeded" | "Failed";
  conditions: Condition[];
} & { [List in ContainerLists]?: ContainerStatus[] | undefined };

type ContainerLists = "containerStatuses" | "initContainerStatuses";

export type ContainerStatus = Unwrap<types.input.core.v1.ContainerStatus> & {
  started: boolean;
  state: ContainerState;
  lastState: ContainerState;
};

type ContainerState = Unwrap<types.input.core.v1.ContainerState>;

/** Sets a condition. The time of its last change only changes with its status. */
export function withCondition(conditions: Condition[], next: Condition, now: string): Condition[] {
  const previous = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = previous?.status === next.status ? previous.lastTransitionTime : now;
  const stamped = { ...next, lastTransitionTime };
  return previous
    ? conditions.map((condition) => (condition.type === next.type ? stamped : condition))
    : [...conditions, stamped];
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Whether the pod has ended for good, so that none of its containers will run again. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
