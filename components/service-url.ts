import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../settings/schema";

const STANDARD_PORTS = { http: 80, https: 443 };

/**
 * Returns the URL of the app: the one that the settings give, or else `http[s]://host[:port]`.
 *
 * @param name The name of the Service.
 * @param balancer The address of its load balancer, if it has one.
 */
export function serviceUrl(
  name: string,
  namespace: string,
  settings: Settings["service"],
  { ports }: types.output.core.v1.ServiceSpec,
  balancer: string | undefined,
): string {
  if (settings.url !== undefined) return settings.url;
  const { scheme } = settings;
  const at = (host: string, port: number) => `${scheme}://${host}${port === STANDARD_PORTS[scheme] ? "" : `:${port}`}`;
  if (settings.type === "NodePort") return at(settings.host!, ports[0]!.nodePort);
  return at(settings.host ?? balancer ?? `${name}.${namespace}.svc.cluster.local`, settings.port);
}
