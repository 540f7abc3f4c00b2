import { isDeepStrictEqual } from "node:util";
import type { AppSettings } from "../../settings/schema";
import { appSelector } from "../app-manifests";
import type { LiveObject } from "../live-objects";
import { deploymentSpec, type LiveContainer } from "./live-shapes";
import { labelsText, type Obstacle } from "./obstacle";

/**
 * Returns why the app's Deployment can't be taken over with these settings: what a Deployment of another tool is called
 * inside, which Kubernetes lets nobody change, or whose change would stop the pods that run.
 */
export function deploymentObstacles(app: AppSettings, live: LiveObject): Obstacle[] {
  const { selector, paused } = deploymentSpec(live);
  const object = `Deployment ${live.metadata.name}`;
  if (selector.matchExpressions?.length)
    return [
      {
        what: `  ${object} selects its pods by matchExpressions, which app.selector can't say.`,
        next: "set app.name to a name that is free, so that the new pods run beside the old ones until the Service is switched",
      },
    ];
  const labels = selector.matchLabels ?? {};
  return [
    ...(isDeepStrictEqual(labels, appSelector(app))
      ? []
      : [
          {
            what: `  ${object} selects its pods by ${labelsText(labels)}. Kubernetes lets no selector change.`,
            settings: { "app.selector": labels },
          },
        ]),
    ...containerObstacles(app, live),
    ...(paused
      ? [
          {
            what: `  ${object} is paused, so it would never be rolled out.`,
            next: `kubectl -n ${String(live.metadata["namespace"])} rollout resume deployments.apps ${live.metadata.name}`,
          },
        ]
      : []),
  ];
}

function containerObstacles(app: AppSettings, live: LiveObject): Obstacle[] {
  const { containers } = deploymentSpec(live).template.spec;
  const object = `Deployment ${live.metadata.name}`;
  const container = appContainer(app, containers);
  if (!container) return [];
  const named: Obstacle[] =
    container.name === app.container
      ? []
      : [
          {
            what: `  ${object} has ${containers.length === 1 ? "the container" : "the containers"} ${containers.map(({ name }) => name).join(", ")}, and app.container is ${app.container}: both would run.`,
            settings: { "app.container": container.name },
          },
        ];
  const { ports = [] } = container;
  const port = ports.find(({ containerPort }) => containerPort === app.port) ?? ports[0];
  if (!port) return named;
  return [
    ...named,
    ...(port.containerPort === app.port
      ? []
      : [
          {
            what: `  ${object} listens on ${port.containerPort}, and app.port is ${app.port}: the Service can't lead to both while pods of both run.`,
            settings: { "app.port": port.containerPort },
          },
        ]),
    ...(port.name === undefined || port.name === app.portName
      ? []
      : [
          {
            what: `  ${object} calls its port ${port.name}, and app.portName is ${app.portName}: what refers to the name would lose the new pods.`,
            settings: { "app.portName": port.name },
          },
        ]),
  ];
}

/** Finds the container that is the app's: by its name, by its image, or as the first one that has a port. */
export function appContainer(
  app: Pick<AppSettings, "container" | "image">,
  containers: readonly LiveContainer[],
): LiveContainer | undefined {
  const repository = (image: string) => image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return (
    containers.find(({ name }) => name === app.container) ??
    containers.find(({ image }) => repository(image) === repository(app.image)) ??
    containers.find(({ ports }) => ports?.length) ??
    containers[0]
  );
}
