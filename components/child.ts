import type * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";

/**
 * Returns the options of a component's child. Children don't inherit a component's dependsOn; without their own,
 * `--target` and `--continue-on-error` would ignore the dependency.
 *
 * @param more what the child depends on besides
 */
export function childOf(
  parent: pulumi.Resource,
  opts: pulumi.ComponentResourceOptions | undefined,
  more: readonly pulumi.Resource[] = [],
): { parent: pulumi.Resource; dependsOn: pulumi.Input<pulumi.Resource>[] } {
  return { parent, dependsOn: [...more, ...dependencies(opts)] };
}

/** Returns what a component was told to depend on, as a list. */
export function dependencies(opts: pulumi.ComponentResourceOptions | undefined): pulumi.Input<pulumi.Resource>[] {
  return [opts?.dependsOn ?? []].flat() as pulumi.Input<pulumi.Resource>[];
}

/**
 * Returns the option for a component's children that earlier versions made as children of the component's own parent.
 * The option lets Pulumi find them in the state of a stack that such a version wrote.
 */
export function formerlyBesideParent(opts: pulumi.ComponentResourceOptions | undefined): { aliases?: pulumi.Alias[] } {
  return opts?.parent ? { aliases: [{ parent: opts.parent }] } : {};
}

/**
 * The seconds that Pulumi waits beyond `progressDeadline`. Pulumi only logs Kubernetes' ProgressDeadlineExceeded, so
 * its own time-out is what ends a stuck rollout.
 */
const AWAIT_MARGIN_SECONDS = 30;

/** Returns the time-outs of a Deployment's rollout. */
export function rolloutTimeouts(progressDeadline: Duration): { create: string; update: string } {
  const timeout = progressDeadline.plus(AWAIT_MARGIN_SECONDS).text;
  return { create: timeout, update: timeout };
}
