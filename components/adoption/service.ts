import type { Settings } from "../../settings/schema";
import type { LiveObject } from "../live-objects";
import { type LivePort, serviceSpec } from "./live-shapes";
import { labelsText, type Obstacle, selects } from "./obstacle";

/**
 * Returns why the Service can't be taken over with these settings without losing requests.
 *
 * @param newLabels The labels of the pods of this release.
 * @param inPlace Whether the Deployment behind the Service is taken over too, so that the Service leads to pods of both
 *   versions while they are replaced.
 */
export function serviceObstacles(
  { app, service }: Pick<Settings, "app" | "service">,
  live: LiveObject,
  newLabels: Record<string, string>,
  inPlace: boolean,
): Obstacle[] {
  const { type = "ClusterIP", ports = [], selector = {} } = serviceSpec(live);
  const object = `Service ${live.metadata.name}`;
  const port = servicePort(service, ports);
  const obstacle = (wrong: boolean, what: string, settings: Obstacle["settings"]): Obstacle[] =>
    wrong ? [{ what: `  ${object} ${what}.`, ...(settings && { settings }) }] : [];
  const missing = Object.fromEntries(Object.entries(selector).filter(([label, value]) => newLabels[label] !== value));
  return [
    ...obstacle(type !== service.type, `has the type ${type}, and service.type is ${service.type}`, {
      "service.type": type,
    }),
    ...(port ? portObstacles({ app, service }, port, inPlace, obstacle) : []),
    ...(inPlace && !selects(selector, newLabels)
      ? obstacle(true, `selects pods by ${labelsText(missing)}, which the new pods don't have`, {
          "app.pod.metadata.labels": missing,
        })
      : []),
  ];
}

function portObstacles(
  { app, service }: Pick<Settings, "app" | "service">,
  { name = "", port, targetPort, nodePort }: LivePort,
  inPlace: boolean,
  obstacle: (wrong: boolean, what: string, settings: Obstacle["settings"]) => Obstacle[],
): Obstacle[] {
  return [
    ...obstacle(port !== service.port, `listens on ${port}, and service.port is ${service.port}: it would have both`, {
      "service.port": port,
    }),
    ...obstacle(
      name !== service.portName,
      `calls its port ${JSON.stringify(name)}, and service.portName is ${JSON.stringify(service.portName)}: new connections fail while a port changes its name`,
      { "service.portName": name },
    ),
    ...obstacle(
      nodePort !== undefined && service.nodePort !== undefined && nodePort !== service.nodePort,
      `has the node port ${nodePort}, and service.nodePort is ${service.nodePort}`,
      { "service.nodePort": nodePort ?? null },
    ),
    ...obstacle(
      inPlace && typeof targetPort === "number" && targetPort !== app.port,
      `leads to the port ${targetPort} of the pods, and app.port is ${app.port}`,
      { "app.port": Number(targetPort) },
    ),
    ...obstacle(
      inPlace && typeof targetPort === "string" && targetPort !== app.portName,
      `leads to the port ${targetPort} of the pods, and app.portName is ${app.portName}`,
      { "app.portName": String(targetPort) },
    ),
  ];
}

/** Returns the port of the Service that is the app's: the one with the number of the settings, or else the first. */
function servicePort(
  { port: wanted }: Pick<Settings["service"], "port">,
  ports: readonly LivePort[],
): LivePort | undefined {
  const tcp = ports.filter(({ protocol = "TCP" }) => protocol === "TCP");
  return tcp.find(({ port }) => port === wanted) ?? tcp[0];
}
