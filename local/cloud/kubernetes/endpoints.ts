import { portsOf } from "./kubelet";
import { type KubernetesObject, referenceTo, selects } from "./object";
import { isFinished, isReady, type Pod } from "./pod-types";
import { isTerminating } from "./pods-of";
import type { Store } from "./store";

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
}

/** The pods of a Service. A pod that is being terminated is in neither list. */
export function endpointsOf(store: Store, service: KubernetesObject): { ready: Pod[]; notReady: Pod[] } {
  if (Object.keys(service["spec"]?.selector ?? {}).length === 0) return { ready: [], notReady: [] };
  const pods = (store.list("", "Pod", referenceTo(service).namespace) as unknown as Pod[]).filter(
    (pod) => selects(service["spec"].selector, pod.metadata.labels) && !isTerminating(pod) && !isFinished(pod),
  );
  return { ready: pods.filter(isReady), notReady: pods.filter((pod) => !isReady(pod)) };
}

/** The port of this machine on which the pod serves a port of the Service. */
export function podPort(pod: Pod, { port, targetPort = port }: ServicePort): number | undefined {
  const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports);
  const number = Number.isInteger(Number(targetPort))
    ? Number(targetPort)
    : declared.find(({ name }) => name === targetPort)?.containerPort;
  return number === undefined ? undefined : (portsOf(pod).get(number) ?? number);
}
