import { setTimeout as pause } from "node:timers/promises";
import { type Cluster, KubectlFailed, kubectl } from "./kubectl";

const BETWEEN_TRIES_MS = 2_000;

interface Balanced {
  status?: { loadBalancer?: { ingress?: { hostname?: string; ip?: string }[] } };
}

/**
 * Waits until the load balancer of a Service has an address.
 *
 * @param timeoutSeconds The most that it waits.
 * @returns the address, or the reason why there is none
 */
export async function serviceAddress(
  service: string,
  timeoutSeconds: number,
  cluster: Cluster,
): Promise<{ address: string } | { unknown: string }> {
  const end = Date.now() + timeoutSeconds * 1000;
  try {
    for (;;) {
      const text = await kubectl(["get", `services/${service}`, "--output=json"], cluster);
      const [ingress] = (JSON.parse(text) as Balanced).status?.loadBalancer?.ingress ?? [];
      const address = ingress?.hostname ?? ingress?.ip;
      if (address) return { address };
      if (Date.now() + BETWEEN_TRIES_MS > end) return { unknown: `it has none after ${timeoutSeconds} s` };
      await pause(BETWEEN_TRIES_MS);
    }
  } catch (error) {
    if (error instanceof KubectlFailed) return { unknown: error.message };
    throw error;
  }
}
