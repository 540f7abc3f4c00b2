import type { Settings } from "../../settings/schema";
import type { LiveObject } from "../live-objects";
import type { Manifest } from "../manifest";
import { deploymentSpec, podLabels, serviceSpec } from "./live-shapes";
import { type Obstacle, selects } from "./obstacle";

/** What an adoption looks at besides the objects of the release, in kubectl's notation. */
export const NEIGHBOURS = [
  "services",
  "deployments.apps",
  "networkpolicies.networking.k8s.io",
  "poddisruptionbudgets.policy",
  "horizontalpodautoscalers.autoscaling",
].join(",");

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
interface Peers {
  from?: { podSelector?: LabelSelector }[];
  to?: { podSelector?: LabelSelector }[];
}
interface PolicySpec {
  podSelector?: LabelSelector;
  ingress?: Peers[];
  egress?: Peers[];
}

/** The Deployment whose pods the release replaces, and the pods that it puts in their place. */
export interface Replacement {
  old: LiveObject;
  manifest: Manifest;
}

/** Returns the labels and annotations of the pods that a Deployment's manifest makes. */
export function podMetadata({ spec }: Manifest): {
  labels: Record<string, string>;
  annotations: Record<string, string>;
} {
  const { metadata } = (spec as { template: { metadata: Partial<ReturnType<typeof podMetadata>> } }).template;
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}

/**
 * Returns the NetworkPolicies and the Services that match the old pods and would not match the new ones, unless they are
 * discarded.
 *
 * @param own The name of the release's own Service, which is not meant.
 */
export function lostSelectors(
  { old, manifest }: Replacement,
  neighbours: readonly LiveObject[],
  { discard, own }: { discard: readonly string[]; own: string },
): Obstacle[] {
  const before = podLabels(old);
  const { labels: after } = podMetadata(manifest);
  return neighbours.flatMap((neighbour): Obstacle[] => {
    const { kind, metadata } = neighbour;
    const part = `${DISCARDED_AS[kind]}.${metadata.name}`;
    if (!(kind in DISCARDED_AS) || discard.includes(part) || (kind === "Service" && metadata.name === own)) return [];
    const selectors =
      kind === "Service"
        ? [{ matchLabels: serviceSpec(neighbour).selector ?? {} }].filter(({ matchLabels }) => !isEmpty(matchLabels))
        : selectorsOf(neighbour["spec"] as object as PolicySpec);
    const lost = selectors.filter((selector) => matches(selector, before) && !matches(selector, after));
    if (lost.length === 0) return [];
    const missing = Object.assign({}, ...lost.map(({ matchLabels }) => matchLabels)) as Record<string, string>;
    return [
      {
        what: `  ${kind} ${metadata.name} matches the pods of Deployment ${old.metadata.name}, and not those of this release.`,
        next: `give the pods the labels that ${kind} ${metadata.name} asks for, or put ${part} into app.discard`,
        settings: { "app.pod.metadata.labels": missing },
      },
    ];
  });
}

/** How app.discard names the kinds. */
const DISCARDED_AS: Record<string, string> = { NetworkPolicy: "networkPolicies", Service: "services" };

function isEmpty(labels: object): boolean {
  return Object.keys(labels).length === 0;
}

function selectorsOf({ podSelector = {}, ingress = [], egress = [] }: PolicySpec): LabelSelector[] {
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  return [podSelector, ...peers.flatMap((peer) => peer.podSelector ?? [])];
}

function matches({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Record<string, string>): boolean {
  return (
    selects(matchLabels, labels) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      return (operator === "In") === (value !== undefined && values.includes(value));
    })
  );
}

/** Returns the autoscalers of other names that would go on scaling a Deployment which the release's own one scales. */
export function autoscalerObstacles({ app }: Pick<Settings, "app">, neighbours: readonly LiveObject[]): Obstacle[] {
  if (app.autoscaling === undefined) return [];
  return neighbours.flatMap((autoscaler): Obstacle[] => {
    const { name, namespace } = autoscaler.metadata;
    if (autoscaler.kind !== "HorizontalPodAutoscaler" || name === app.name) return [];
    const { scaleTargetRef } = autoscaler["spec"] as { scaleTargetRef?: { kind: string; name: string } };
    if (scaleTargetRef?.kind !== "Deployment" || scaleTargetRef.name !== app.name) return [];
    return [
      {
        what: `  HorizontalPodAutoscaler ${name} scales Deployment ${app.name}, and app.autoscaling would make a second one.`,
        next: `set app.replicas to "external" in place of app.autoscaling, or: kubectl -n ${String(namespace)} delete horizontalpodautoscalers.autoscaling ${name}`,
      },
    ];
  });
}

/** Returns what nobody is refused for, but should know: budgets that are there twice, and annotations that are lost. */
export function neighbourNotes({ old, manifest }: Replacement, neighbours: readonly LiveObject[]): string[] {
  const { labels, annotations } = podMetadata(manifest);
  const budgets = neighbours.filter(
    ({ kind, metadata, ...budget }) =>
      kind === "PodDisruptionBudget" &&
      metadata.name !== manifest.metadata.name &&
      matches(((budget as Record<string, unknown>)["spec"] as { selector?: LabelSelector }).selector ?? {}, labels),
  );
  const before = Object.keys(deploymentSpec(old).template.metadata?.annotations ?? {});
  const lost = before.filter((each) => !(each in annotations) && !each.startsWith("kubectl.kubernetes.io/"));
  return [
    ...budgets.map(
      ({ metadata: { name, namespace } }) =>
        `PodDisruptionBudget ${name} selects the pods too, and Kubernetes evicts no pod that two budgets select.\n` +
        `Next, after the release: kubectl -n ${String(namespace)} delete poddisruptionbudgets.policy ${name}`,
    ),
    ...(lost.length > 0 && old.metadata.name !== manifest.metadata.name
      ? [
          `The pods of Deployment ${old.metadata.name} have annotations that the new ones lack: ${lost.join(", ")}.\n` +
            "Next: put what is still needed into app.pod.metadata.annotations.",
        ]
      : []),
  ];
}

/** Finds the Services that lead to a Deployment's pods. */
export function servicesOf(deployment: LiveObject, neighbours: readonly LiveObject[]): LiveObject[] {
  const labels = podLabels(deployment);
  return neighbours.filter((each) => {
    if (each.kind !== "Service") return false;
    const { selector = {} } = serviceSpec(each);
    return !isEmpty(selector) && selects(selector, labels);
  });
}

/** Finds the Deployments that a Service leads to. */
export function deploymentsOf(service: LiveObject, neighbours: readonly LiveObject[]): LiveObject[] {
  const { selector = {} } = serviceSpec(service);
  return neighbours.filter(
    (each) => each.kind === "Deployment" && !isEmpty(selector) && selects(selector, podLabels(each)),
  );
}
