import type * as pulumi from "@pulumi/pulumi";
import { isGroup } from "../settings/pod/fields";
import { askCluster, type ClusterAccess } from "./ask-cluster";
import type { Json, ManagedFields } from "./field-conflicts";

/** A Kubernetes object as it exists in the cluster. */
export type LiveObject = { [key: string]: Json } & {
  kind: string;
  metadata: {
    [key: string]: Json | undefined;
    name: string;
    annotations?: Record<string, string>;
    generation?: number;
    managedFields?: (ManagedFields & { [key: string]: Json })[];
  };
};

/** The objects in the cluster, or the reason why they are unknown. */
export type Found = { objects: LiveObject[] } | { unknown: string };

/**
 * Reads objects from the cluster before any resource is declared. It runs in previews too and never throws.
 *
 * @param resources The resources in kubectl's notation, such as `deployments.apps/notes`. Those that don't exist are
 *   left out of the result.
 * @param opts The provider of the package `command` that runs it.
 */
export async function liveObjects(
  access: ClusterAccess,
  namespace: string,
  resources: string[],
  opts?: pulumi.InvokeOptions,
): Promise<Found> {
  return askCluster<{ objects: LiveObject[] }>(access, { namespace, resources }, opts);
}

/** Reads the pods of a Job in the same way. */
export async function podsOfJob(
  access: ClusterAccess,
  namespace: string,
  job: string,
  opts?: pulumi.InvokeOptions,
): Promise<Found> {
  const selector = `batch.kubernetes.io/job-name=${job}`;
  return askCluster<{ objects: LiveObject[] }>(access, { namespace, resources: ["pods"], selector }, opts);
}

/** Reads the events about the pods of a Job, which outlive the pods for an hour; none if they can't be read. */
export async function eventsOfPods(
  access: ClusterAccess,
  namespace: string,
  job: string,
  opts?: pulumi.InvokeOptions,
): Promise<LiveObject[]> {
  const found = await liveObjects(access, namespace, ["events"], opts);
  if (!("objects" in found)) return [];
  return found.objects.filter(
    ({ involvedObject: about }) => isGroup(about) && String(about["name"]).startsWith(`${job}-`),
  );
}
