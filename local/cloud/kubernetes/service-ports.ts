import { endpointsOf, podPort, type ServicePort } from "./endpoints";
import { type KubernetesObject, referenceTo } from "./object";
import { givePortBack, takeNodePort, takePort } from "./ports";
import { TcpProxy } from "./proxy";
import type { WritableStore } from "./store";
import { ApiError } from "./validation";

/** The annotation with this machine's port for each port, as JSON, of a ClusterIP Service, which has no node ports. */
export const CLUSTER_PORTS_ANNOTATION = "local-cloud/ports";

/**
 * Assigns a port of this machine to each port of a Service, for as long as the Service exists. Called before the
 * Service is stored.
 * @throws ApiError when a given node port is in use
 */
export async function assignServicePorts(
  service: KubernetesObject,
  previous?: KubernetesObject,
): Promise<KubernetesObject> {
  if (service["spec"].type === "ExternalName") return service;
  const before = previous ? servicePorts(previous) : new Map<number, number>();
  const assigned = new Map<number, number>();
  const kept = new Set(before.values());
  for (const [i, { port, nodePort }] of (service["spec"].ports as ServicePort[]).entries()) {
    if (nodePort !== undefined && !kept.has(nodePort) && !(await takePort(nodePort))) {
      const field = `spec.ports[${i}].nodePort: Invalid value: ${nodePort}`;
      const why = `Service "${service.metadata.name}" is invalid: ${field}: provided port is already allocated`;
      throw new ApiError(why, "Invalid");
    }
    assigned.set(port, nodePort ?? before.get(port) ?? (await takeNodePort()));
  }
  for (const port of kept) if (![...assigned.values()].includes(port)) givePortBack(port);
  const ip = service["spec"].clusterIP ?? "127.0.0.1";
  const spec = { ...service["spec"], clusterIP: ip, clusterIPs: [ip] };
  if (service["spec"].type === "ClusterIP") {
    const ports = JSON.stringify(Object.fromEntries(assigned));
    const annotations = { ...service.metadata.annotations, [CLUSTER_PORTS_ANNOTATION]: ports };
    return { ...service, metadata: { ...service.metadata, annotations }, spec };
  }
  const ports = (spec.ports as ServicePort[]).map((port) => ({ ...port, nodePort: assigned.get(port.port) }));
  const status =
    service["spec"].type === "LoadBalancer" ? { loadBalancer: { ingress: [{ ip: "127.0.0.1" }] } } : undefined;
  return { ...service, spec: { ...spec, ports }, ...(status ? { status } : {}) };
}

/** This machine's port for each port of the Service. */
export function servicePorts(service: KubernetesObject): Map<number, number> {
  const annotated = JSON.parse(service.metadata.annotations?.[CLUSTER_PORTS_ANNOTATION] ?? "{}") as Record<
    string,
    number
  >;
  return new Map(
    ((service["spec"]?.ports ?? []) as ServicePort[]).flatMap(({ port, nodePort }) => {
      const own = nodePort ?? annotated[port];
      return own === undefined ? [] : [[port, own] as [number, number]];
    }),
  );
}

/** The open ports of all Services, with one {@link TcpProxy} each. */
export class ServiceProxies {
  private readonly proxies = new Map<string, Map<number, TcpProxy>>();

  constructor(private readonly store: WritableStore) {}

  start(): void {
    for (const object of this.store.list("", "Service")) this.open(object);
    this.store.on("change", (object, what) => {
      if (object.kind !== "Service" || object.apiVersion !== "v1") return;
      if (what === "set") this.open(object);
      else this.close(object);
    });
  }

  async stop(): Promise<void> {
    const all = [...this.proxies.values()].flatMap((ports) => [...ports.values()]);
    this.proxies.clear();
    await Promise.all(all.map((proxy) => proxy.close()));
  }

  private open(service: KubernetesObject): void {
    const uid = service.metadata.uid!;
    const wanted = servicePorts(service);
    const open = this.proxies.get(uid) ?? new Map<number, TcpProxy>();
    this.proxies.set(uid, open);
    for (const [port, proxy] of open) {
      if (wanted.get(port) === proxy.port) continue;
      open.delete(port);
      void proxy.close();
    }
    const reference = referenceTo(service);
    for (const [port, own] of wanted) {
      if (open.has(port)) continue;
      const backends = () => {
        const now = this.store.get(reference);
        const target = ((now?.["spec"]?.ports ?? []) as ServicePort[]).find((each) => each.port === port);
        if (!now || !target) return [];
        return endpointsOf(this.store, now).ready.flatMap((pod) => podPort(pod, target) ?? []);
      };
      open.set(port, new TcpProxy(own, backends));
    }
  }

  private close(service: KubernetesObject): void {
    const uid = service.metadata.uid!;
    for (const proxy of this.proxies.get(uid)?.values() ?? []) void proxy.close().then(() => givePortBack(proxy.port));
    this.proxies.delete(uid);
  }
}
