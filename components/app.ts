import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import { type AppArgs, appManifests, serviceName } from "./app-manifests";
import { childOf, rolloutTimeouts } from "./child";
import { awaitedAddress, loadBalancerAddress } from "./load-balancer";
import { stamped } from "./manifest";
import { serviceUrl } from "./service-url";

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
  /** The URL of the app, `http[s]://host[:port]` or the setting `service.url`. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:App", name, {}, opts);
    const { namespace, settings, service, protect } = args;
    const manifests = appManifests(args);
    const child = childOf(this, opts);

    this.deployment = new Deployment(name, stamped(manifests.deployment), {
      ...child,
      protect,
      customTimeouts: rolloutTimeouts(settings.progressDeadline),
    });
    // An existing Service may select pods of another tool. It goes on serving them until the new ones are rolled out.
    const afterRollout = settings.adopt ? childOf(this, opts, [this.deployment]) : child;
    this.service = new Service(name, stamped(manifests.service), { ...afterRollout, protect });
    if (manifests.budget) new PodDisruptionBudget(name, stamped(manifests.budget), child);

    const reached = serviceName(settings, service);
    const balancer = pulumi
      .all([this.service.status, namespace, this.deployment.id])
      .apply(
        ([status, known]) =>
          loadBalancerAddress(status) ?? awaitedAddress(reached, known, service, args.reader, { parent: this }),
      );
    this.url = pulumi
      .all([namespace, this.service.spec, balancer])
      .apply(([known, spec, address]) => serviceUrl(reached, known, service, spec, address));
    this.registerOutputs({ url: this.url });
  }
}
