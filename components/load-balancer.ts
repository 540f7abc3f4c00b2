import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { askCluster, type ClusterAccess } from "./ask-cluster";

/** Returns the address of a Service's load balancer, or undefined while it has none. */
export function loadBalancerAddress(status: types.output.core.v1.ServiceStatus | undefined): string | undefined {
  const ingress = status?.loadBalancer?.ingress?.[0];
  return ingress?.hostname ?? ingress?.ip;
}

/**
 * Waits, after the rollout, for the address of a new load balancer. Pulumi doesn't wait for the Service, which has no
 * pods before the first rollout, and so it knows the address only after a refresh.
 *
 * An address that doesn't come, or can't be read, causes a warning and no error, because the new version serves by then.
 *
 * @param service The name of the Service.
 * @param access The way to the cluster; undefined if the program gave none.
 * @param opts The provider of the package `command` that asks the cluster.
 */
export async function awaitedAddress(
  service: string,
  namespace: string,
  { type, host, url, addressTimeout }: Settings["service"],
  access: ClusterAccess | undefined,
  opts?: pulumi.InvokeOptions,
): Promise<string | undefined> {
  const unneeded = type !== "LoadBalancer" || host !== undefined || url !== undefined;
  if (unneeded || !access || pulumi.runtime.isDryRun()) return undefined;
  const request = { namespace, service, timeoutSeconds: addressTimeout.seconds };
  const found = await askCluster<{ address: string }>(access, request, opts);
  if ("address" in found) return found.address;
  void pulumi.log.warn(
    `The address of the load balancer of Service ${service} is unknown: ${found.unknown}.\n` +
      "The new version is rolled out and serves; only the output `url` has the name inside the cluster.\n" +
      `Next: kubectl -n ${namespace} get service ${service}, and run the same \`up\` again when it has an address.`,
  );
  return undefined;
}
