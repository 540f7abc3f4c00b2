import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import { type AppArgs, appManifests, serviceName } from "./app-manifests";
import { childOf, rolloutTimeouts } from "./child";
import { asApplied, deploymentAsApplied } from "./live-rollout";
import { awaitedAddress, loadBalancerAddress } from "./load-balancer";
import { serviceUrl } from "./service-url";

/**
 * The app consists of a Deployment, the Service in front of it, a PodDisruptionBudget if it may have more than one pod,
 * and a HorizontalPodAutoscaler if the settings ask for one. By default the Deployment is updated pod by pod and never
 * has fewer ready pods than before.
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
    const { namespace, settings, service, protect, live } = args;
    const manifests = appManifests(args);
    const child = childOf(this, opts);

    const deployment = deploymentAsApplied(manifests.deployment, settings, "app", live);
    this.deployment = new Deployment(name, deployment.manifest, {
      ...child,
      protect,
      customTimeouts: rolloutTimeouts(settings.progressDeadline),
      ...args.wayBack?.hooks("rollout", `Deployment ${manifests.deployment.metadata.name}`),
      ignoreChanges: deployment.ignoreChanges,
    });
    // An existing Service may select pods of another tool. It goes on serving them until the new ones are rolled out.
    const afterRollout = settings.adopt ? childOf(this, opts, [this.deployment]) : child;
    this.service = new Service(name, asApplied(manifests.service, live), { ...afterRollout, protect });
    if (manifests.budget) new PodDisruptionBudget(name, asApplied(manifests.budget, live), child);
    if (manifests.autoscaler)
      new HorizontalPodAutoscaler(name, asApplied(manifests.autoscaler, live), childOf(this, opts, [this.deployment]));

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
