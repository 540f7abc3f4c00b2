import type { types } from "@pulumi/kubernetes";
import { MIGRATOR_CONTAINER } from "../settings/pod/migration-pod";
import type { Settings } from "../settings/schema";
import { DEFAULT_CONTAINER_ANNOTATION } from "./pod-fragment";
import { RELEASE_ANNOTATION } from "./pods";

/** Keeps autoscalers of nodes from ending a pod that migrates, in order to use fewer nodes. */
const UNDISTURBED = {
  // https://karpenter.sh/docs/concepts/disruption/#pod-level-controls
  "karpenter.sh/do-not-disrupt": "true",
  // https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-types-of-pods-can-prevent-ca-from-removing-a-node
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
};

/**
 * What tells a service mesh to put no sidecar into a pod. A sidecar that isn't a native one runs on after the migrator
 * has ended, and the Job with it until its deadline. Where no mesh is installed, nothing reads these.
 */
const NO_SIDECAR = {
  // https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
  istio: { labels: { "sidecar.istio.io/inject": "false" } },
  // https://linkerd.io/2/features/proxy-injection/
  linkerd: { annotations: { "linkerd.io/inject": "disabled" } },
};

/**
 * Returns the labels and annotations of a Job's pod.
 *
 * @param releaseId The release that the Job belongs to; undefined for a Job that is run by hand.
 * @param mesh The mesh that is told to stay out. Default: each of them is told, because a Job that never ends is worse
 *   than a migration outside the mesh: the database isn't in the mesh.
 */
export function jobPodMetadata(
  labels: Record<string, string>,
  releaseId: string | undefined,
  mesh: Settings["migrations"]["mesh"],
): types.input.meta.v1.ObjectMeta {
  const told = mesh === "none" ? [] : mesh === undefined ? (["istio", "linkerd"] as const) : [mesh];
  return {
    labels: { ...labels, ...(told.includes("istio") ? NO_SIDECAR.istio.labels : {}) },
    annotations: {
      ...(releaseId === undefined ? {} : { [RELEASE_ANNOTATION]: releaseId }),
      // The annotation makes `kubectl logs` show the migrator's log, also if there is a sidecar beside it.
      [DEFAULT_CONTAINER_ANNOTATION]: MIGRATOR_CONTAINER,
      ...UNDISTURBED,
      ...(told.includes("linkerd") ? NO_SIDECAR.linkerd.annotations : {}),
    },
  };
}
