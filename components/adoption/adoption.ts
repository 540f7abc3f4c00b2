import type { Settings } from "../../settings/schema";
import { serviceName } from "../app-manifests";
import type { LiveObject } from "../live-objects";
import type { Manifest } from "../manifest";
import { appContainer, deploymentObstacles } from "./deployment";
import { removedParts } from "./differences";
import { gitOpsController, isForeign, makersOf } from "./foreign";
import { deploymentSpec } from "./live-shapes";
import {
  autoscalerObstacles,
  deploymentsOf,
  lostSelectors,
  neighbourNotes,
  podMetadata,
  type Replacement,
  servicesOf,
} from "./neighbours";
import type { Obstacle, Pair } from "./obstacle";
import { merged, withSettings } from "./proposals";
import { serviceObstacles } from "./service";

/** What an adoption looks at. */
export interface AdoptionScene {
  settings: Settings;
  /** The objects of the release that exist and that somebody else made. */
  foreign: readonly Pair[];
  /** The other objects of the namespace; undefined if they can't be listed. */
  neighbours: readonly LiveObject[] | undefined;
  /** The manifests of the release with the given settings. */
  manifests: (settings: Settings) => Manifest[];
}

/** What stands in the way of an adoption, and what a person should know of it. */
export interface AdoptionPlan {
  obstacles: Obstacle[];
  notes: string[];
}

/**
 * Decides whether the release can take over the objects that another tool made. Without `app.adopt` it can't, and the
 * plan says which settings it takes.
 */
export function adoptionPlan(scene: AdoptionScene): AdoptionPlan {
  const { settings, foreign } = scene;
  const own = foreign.filter(({ manifest }) => isOfApp(settings, manifest));
  const others = foreign.filter((each) => !own.includes(each)).map(strangerObstacle);
  const kept = own.flatMap(({ live }) => gitOpsObstacle(live));
  if (own.length === 0 || kept.length > 0) return { obstacles: [...others, ...kept], notes: [] };

  const named = namingObstacles(scene, own);
  const proposed = settings.app.adopt ? named : [...own.map((each) => adoptObstacle(settings, each)), ...named];
  // What is removed is told by the manifest that the settings proposed so far make.
  const corrected = withSettings(settings, merged(proposed));
  const replacement = replacementOf({ ...scene, settings: corrected }, own);
  const { discard } = settings.app;
  const obstacles = [
    ...others,
    ...proposed,
    ...own.flatMap(({ manifest, live }) =>
      removalObstacle(manifest.kind === "Deployment" ? (replacement?.manifest ?? manifest) : manifest, live, discard),
    ),
    ...(replacement
      ? lostSelectors(replacement, scene.neighbours ?? [], {
          discard,
          own: serviceName(corrected.app, corrected.service),
        })
      : []),
    ...autoscalerObstacles(settings, scene.neighbours ?? []),
  ];
  return {
    obstacles,
    notes: [
      ...takeoverNotes(own, scene),
      ...pauseNotes(settings, own),
      ...(replacement ? neighbourNotes(replacement, scene.neighbours ?? []) : []),
    ],
  };
}

function isOfApp({ app, service }: Settings, { kind, metadata: { name } }: Manifest): boolean {
  return kind === "Service" ? name === serviceName(app, service) : name === app.name && kind !== "CronJob";
}

function namingObstacles({ settings, neighbours = [], manifests }: AdoptionScene, own: readonly Pair[]): Obstacle[] {
  const { app, service } = settings;
  const deployment = own.find(({ manifest }) => manifest.kind === "Deployment");
  const ofDeployment = deployment ? deploymentObstacles(app, deployment.live) : [];
  const corrected = withSettings(settings, merged(ofDeployment));
  const labels = podMetadata(deploymentManifest(manifests(corrected), app.name)).labels;
  const found = own.find(({ manifest }) => manifest.kind === "Service")?.live;
  const ofService = found ? serviceObstacles(corrected, found, labels, deployment !== undefined) : [];
  const elsewhere = deployment && !found ? servicesOf(deployment.live, neighbours) : [];
  return [
    ...ofDeployment,
    ...ofService,
    ...(elsewhere[0] && !app.adopt
      ? [
          {
            what: `  Service ${elsewhere[0].metadata.name} leads to its pods, and service.name is ${serviceName(app, service)}.`,
            settings: { "service.name": elsewhere[0].metadata.name },
          },
          ...serviceObstacles(corrected, elsewhere[0], labels, true),
        ]
      : []),
  ];
}

/** The Deployment whose pods are replaced: the one that is taken over, or the one that the Service leads to until now. */
function replacementOf(
  { settings, neighbours = [], manifests }: AdoptionScene,
  own: readonly Pair[],
): Replacement | undefined {
  const manifest = deploymentManifest(manifests(settings), settings.app.name);
  const deployment = own.find((each) => each.manifest.kind === "Deployment");
  if (deployment) return { old: deployment.live, manifest };
  const service = own.find((each) => each.manifest.kind === "Service");
  const [old] = service ? deploymentsOf(service.live, neighbours).filter(isForeign) : [];
  return old && { old, manifest };
}

function deploymentManifest(manifests: readonly Manifest[], app: string): Manifest {
  return manifests.find(({ kind, metadata: { name } }) => kind === "Deployment" && name === app)!;
}

function adoptObstacle({ app }: Settings, { manifest, live }: Pair): Obstacle {
  const name = manifest.kind === "Service" && manifest.metadata.name !== app.name ? "service.name" : "app.name";
  return {
    what: existsAlready(manifest, live),
    next: `to leave ${manifest.kind} ${manifest.metadata.name} alone, set ${name} to a name that is free; to take it over without stopping it, set what stands below`,
    settings: { "app.adopt": true },
  };
}

function strangerObstacle({ manifest, live }: Pair): Obstacle {
  const { kind, metadata } = manifest;
  return {
    what: existsAlready(manifest, live),
    next: `to keep ${kind} ${metadata.name}, give the workload in the settings a name that is free; to have it replaced, kubectl -n ${String(metadata.namespace)} delete ${kind.toLowerCase()} ${metadata.name}`,
  };
}

function existsAlready({ kind, metadata }: Manifest, live: LiveObject): string {
  const makers = makersOf(live).join(", ");
  return `  ${kind} ${metadata.name} is there already, and Pulumi did not make it${makers ? ` (${makers} did)` : ""}.`;
}

function gitOpsObstacle(live: LiveObject): Obstacle[] {
  const controller = gitOpsController(live);
  if (controller === undefined) return [];
  const object = `${live.kind} ${live.metadata.name}`;
  return [
    {
      what: `  ${controller} keeps ${object} as it is in a repository, and would undo every release.`,
      next: `take ${object} out of that repository without deleting it (for Argo CD, Prune=false; for Flux, prune: disabled)`,
    },
  ];
}

/** Nothing that matters is removed from a Service, which keeps all its fields, or from a budget, which is set anew. */
function removedFrom({ manifest, live }: Pair): string[] {
  return ["Deployment", "HorizontalPodAutoscaler"].includes(manifest.kind) ? removedParts(manifest, live) : [];
}

function removalObstacle(wanted: Manifest, live: LiveObject, discard: readonly string[]): Obstacle[] {
  const parts = removedFrom({ manifest: wanted, live }).filter((part) => !discard.includes(part));
  if (parts.length === 0) return [];
  const first = parts.some((part) => part.startsWith("initContainers."))
    ? "\n  An init container that migrates must go: it would migrate beside the migration Job."
    : "";
  return [
    {
      what: `  ${live.kind} ${live.metadata.name} has what the settings lack, and what the release would remove:\n${parts.map((part) => `    ${part}`).join("\n")}${first}`,
      next: "put what the pods still need into app.env, app.resources or app.pod, and the names of the rest into app.discard",
    },
  ];
}

function takeoverNotes(own: readonly Pair[], { neighbours, settings }: AdoptionScene): string[] {
  const taken = own.map(({ manifest: { kind, metadata } }) => `${kind} ${metadata.name}`).join(", ");
  const removed = own.flatMap(removedFrom);
  return [
    `This release takes over ${taken}. Nothing is deleted, and pods are replaced one by one.` +
      (removed.length > 0 ? `\nIt removes, as app.discard says: ${removed.join(", ")}.` : ""),
    ...(neighbours === undefined
      ? [
          "It is unknown which NetworkPolicies, budgets and autoscalers the old pods have: they can't be listed.\n" +
            `Next: look by yourself: kubectl -n ${settings.namespace} get networkpolicies,poddisruptionbudgets,horizontalpodautoscalers`,
        ]
      : []),
  ];
}

/** A warning about pods that end at once, while proxies still send requests to them. */
function pauseNotes({ app }: Settings, own: readonly Pair[]): string[] {
  const deployment = own.find(({ manifest }) => manifest.kind === "Deployment");
  if (!deployment) return [];
  const container = appContainer(app, deploymentSpec(deployment.live).template.spec.containers);
  if (!container || container.lifecycle?.preStop) return [];
  return [
    `The pods of Deployment ${app.name} that run now have no preStop hook: requests that reach one as it ends may be lost, once.\n` +
      "Next, to lose none: set app.name to a name that is free, so that the Service is switched to pods beside them\n" +
      '(docs/into-your-cluster.md, "Side by side").',
  ];
}
