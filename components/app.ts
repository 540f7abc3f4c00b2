import type { types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { type AppArgs, appManifests } from "./app-manifests";
import { childOf, rolloutTimeouts } from "./child";
import { stamped } from "./manifest";

/**
 * The app consists of a Deployment, the Service in front of it and, if it has more than one pod, a
 * PodDisruptionBudget. The Deployment is updated pod by pod and never has fewer ready pods than `replicas`.
 *
 * The component must not use an output of the migration's objects as an input. When one of those is replaced, the
 * engine would see the Deployment's inputs as unknown and delete it before the migration runs
 * (pulumi-kubernetes#1567). `dependsOn` is safe.
 */
export class App extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  readonly service: Service;
  /** The URL of the app, `http://host[:port]`. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:App", name, {}, opts);
    const { namespace, settings, service, protect } = args;
    const manifests = appManifests(args);
    const child = childOf(this, opts);

    this.service = new Service(name, stamped(manifests.service), { ...child, protect });
    this.deployment = new Deployment(name, stamped(manifests.deployment), {
      ...child,
      protect,
      customTimeouts: rolloutTimeouts(settings.progressDeadline),
    });
    if (manifests.budget) new PodDisruptionBudget(name, stamped(manifests.budget), child);

    this.url = pulumi
      .all([namespace, this.service.spec, this.service.status])
      .apply(([known, spec, status]) => serviceUrl(settings.name, known, service, spec, status));
    this.registerOutputs({ url: this.url });
  }
}

function serviceUrl(
  name: string,
  namespace: string,
  settings: Settings["service"],
  spec: types.output.core.v1.ServiceSpec,
  status: types.output.core.v1.ServiceStatus | undefined,
): string {
  const at = (host: string, port: number) => `http://${host}${port === 80 ? "" : `:${port}`}`;
  if (settings.type === "NodePort") return at(settings.host!, spec.ports[0]!.nodePort);
  const ingress = status?.loadBalancer?.ingress?.[0];
  const host = settings.host ?? ingress?.hostname ?? ingress?.ip ?? `${name}.${namespace}.svc.cluster.local`;
  return at(host, settings.port);
}
