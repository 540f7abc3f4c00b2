import { expect, test } from "vitest";
import { parseSettings, type Settings } from "../../../components";
import { adoptionPlan } from "../../../components/adoption/adoption";
import { merged, proposalText } from "../../../components/adoption/proposals";
import type { LiveObject } from "../../../components/live-objects";
import { rolloutManifests } from "../../../components/rollout-gate";
import { applied, DEPLOYMENT, POLICY, SELECTOR, SERVICE } from "./existing-app";

const HISTORY = { fingerprint: "f".repeat(64), migrations: [] };

function settingsOf(app: object = {}, service: object = {}): Settings {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "registry/notes:1.0", ...app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    service,
  });
  expect(problems).toEqual([]);
  return settings!;
}

/** Settings that name everything as the existing app has it. */
const NAMED = { adopt: true, selector: SELECTOR, container: "web", portName: "web", port: 8080 };
const NAMED_SERVICE = { name: "notes-web", type: "NodePort", host: "node", port: 8080, portName: "web" };
const DISCARD = [
  "annotations.prometheus.io/scrape",
  "containers.proxy",
  "containers.web.env.OLD_FLAG",
  "containers.web.envFrom",
  "containers.web.resources.limits.cpu",
  "containers.web.volumeMounts./cache",
  "imagePullSecrets.registry",
  "initContainers.migrate",
  "labels.team",
  "tolerations",
  "volumes.cache",
];

function plan(settings: Settings, objects: readonly LiveObject[], neighbours: readonly LiveObject[] | undefined = []) {
  const manifests = (of: Settings) => rolloutManifests(of, HISTORY);
  const foreign = manifests(settings).flatMap((manifest) => {
    const live = objects.find(
      ({ kind, metadata: { name } }) => kind === manifest.kind && name === manifest.metadata.name,
    );
    return live ? [{ manifest, live }] : [];
  });
  const { obstacles, notes } = adoptionPlan({ settings, foreign, neighbours, manifests });
  return {
    said: obstacles.map(({ what }) => what).join("\n"),
    next: obstacles.map(({ next }) => next),
    notes: notes.join("\n"),
    proposed: merged(obstacles),
  };
}

test("an existing app is refused at first, with every setting that takes it over, read from its objects", async () => {
  const objects = await applied("kubectl-client-side-apply", DEPLOYMENT, SERVICE);
  const { said, next, proposed } = plan(settingsOf(), objects, objects);
  expect(said).toContain(
    "Deployment notes is there already, and Pulumi did not make it (kubectl-client-side-apply did).",
  );
  expect(next[0]).toContain("to leave Deployment notes alone, set app.name to a name that is free");
  expect(proposed).toEqual({
    "app.adopt": true,
    "app.selector": SELECTOR,
    "app.container": "web",
    "app.port": 8080,
    "app.portName": "web",
    "service.name": "notes-web",
    "service.type": "NodePort",
    "service.port": 8080,
    "service.portName": "web",
  });
  // What would be removed is told as it will be with these settings, so that one message tells all.
  expect(said).toContain("    initContainers.migrate\n");
  expect(said).not.toContain("containers.web\n");
  expect(said).not.toContain("old-secret");
});

test("the proposed settings are written as they are in the stack's file", () => {
  expect(proposalText({ "app.adopt": true, "app.pod.metadata.labels": { a: "b" }, "service.port": 8080 })).toBe(
    '  app:\n    adopt: true\n    pod: {"metadata":{"labels":{"a":"b"}}}\n  service:\n    port: 8080',
  );
});

test("what the settings lack is listed by name, and never with its value", async () => {
  const objects = await applied("kubectl-client-side-apply", DEPLOYMENT, SERVICE);
  const { said } = plan(settingsOf(NAMED, NAMED_SERVICE), objects, objects);
  expect(said).toBe(
    "  Deployment notes has what the settings lack, and what the release would remove:\n" +
      `${DISCARD.map((part) => `    ${part}`).join("\n")}\n` +
      "  An init container that migrates must go: it would migrate beside the migration Job.",
  );
});

test.each(["kubectl-client-side-apply", "helm", "Terraform"])(
  "an app that %s made is taken over when the settings name it and what goes",
  async (manager) => {
    const objects = await applied(manager, DEPLOYMENT, SERVICE);
    const { said, notes } = plan(settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE), objects, objects);
    expect(said).toBe("");
    expect(notes).toContain("This release takes over Service notes-web, Deployment notes. Nothing is deleted");
    expect(notes).toContain("It removes, as app.discard says: annotations.prometheus.io/scrape, containers.proxy,");
  },
);

test.each<[string, object, object, string, object]>([
  [
    "selector",
    { selector: { app: "notes" } },
    {},
    "selects its pods by app=notes, tier=web. Kubernetes lets no selector change.",
    { "app.selector": SELECTOR },
  ],
  [
    "container",
    { container: "app" },
    {},
    "has the containers proxy, web, and app.container is app: both would run.",
    { "app.container": "web" },
  ],
  [
    "port",
    { port: 3000 },
    {},
    "listens on 8080, and app.port is 3000: the Service can't lead to both",
    { "app.port": 8080 },
  ],
  ["port's name", { portName: "http" }, {}, "calls its port web, and app.portName is http", { "app.portName": "web" }],
  [
    "Service's type",
    {},
    { type: "ClusterIP" },
    "Service notes-web has the type NodePort, and service.type is ClusterIP",
    { "service.type": "NodePort" },
  ],
  [
    "Service's port",
    {},
    { port: 80 },
    "Service notes-web listens on 8080, and service.port is 80: it would have both",
    { "service.port": 8080 },
  ],
  [
    "Service's port name",
    {},
    { portName: "" },
    'calls its port "web", and service.portName is "": new connections fail',
    { "service.portName": "web" },
  ],
  ["node port", {}, { nodePort: 31_999 }, "and service.nodePort is 31999", {}],
])("another %s than the existing one is refused, with the right setting", async (_, app, service, what, proposed) => {
  const objects = await applied("helm", DEPLOYMENT, SERVICE);
  const [, live] = objects;
  (live!["spec"] as { ports: { nodePort: number }[] }).ports[0]!.nodePort = 30_080;
  const settings = settingsOf(
    { ...NAMED, discard: [...DISCARD, "containers.web"], ...app },
    { ...NAMED_SERVICE, ...service },
  );
  const found = plan(settings, objects, objects);
  expect(found.said).toContain(what);
  expect(found.proposed).toMatchObject(proposed);
});

test("a Deployment that selects by expressions can only be replaced side by side", async () => {
  const selector = {
    matchLabels: { app: "notes" },
    matchExpressions: [{ key: "tier", operator: "In", values: ["web"] }],
  };
  const objects = await applied("helm", { ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, selector } });
  const { said, next } = plan(settingsOf({ ...NAMED, discard: DISCARD }), objects);
  expect(said).toContain("Deployment notes selects its pods by matchExpressions, which app.selector can't say.");
  expect(next[0]).toContain("set app.name to a name that is free");
});

test("a Deployment whose selector is the default one needs no app.selector", async () => {
  const matchLabels = { "app.kubernetes.io/name": "notes", "app.kubernetes.io/component": "app" };
  const template = { ...DEPLOYMENT.spec.template, metadata: { labels: matchLabels } };
  const spec = { ...DEPLOYMENT.spec, selector: { matchLabels }, template };
  const objects = await applied("helm", { ...DEPLOYMENT, spec });
  const { said } = plan(settingsOf({ ...NAMED, selector: undefined, discard: DISCARD }), objects);
  expect(said).toBe("");
});

test("a paused Deployment would never be rolled out", async () => {
  const objects = await applied("helm", { ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, paused: true } });
  const { next } = plan(settingsOf({ ...NAMED, discard: [...DISCARD, "deployment.paused"] }), objects);
  expect(next).toContain("kubectl -n default rollout resume deployments.apps notes");
});

test("what a GitOps controller applies again and again is not taken over", async () => {
  const objects = await applied("argocd-controller", DEPLOYMENT);
  const { said } = plan(settingsOf(), objects);
  expect(said).toBe(
    "  argocd-controller keeps Deployment notes as it is in a repository, and would undo every release.",
  );
});

test("a Service that asks for a label which the new pods lack is refused", async () => {
  const spec = { ...SERVICE.spec, selector: { team: "notes" } };
  const objects = await applied("helm", DEPLOYMENT, { ...SERVICE, spec });
  const { said, proposed } = plan(settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE), objects, objects);
  expect(said).toContain("Service notes-web selects pods by team=notes, which the new pods don't have.");
  expect(proposed).toEqual({ "app.pod.metadata.labels": { team: "notes" } });
});

test("a NetworkPolicy that would no longer match is refused, until it is discarded by name", async () => {
  const objects = await applied("helm", DEPLOYMENT, SERVICE, POLICY);
  const refused = plan(settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE), objects, objects);
  expect(refused.said).toContain(
    "NetworkPolicy notes-ingress matches the pods of Deployment notes, and not those of this release.",
  );
  expect(refused.proposed).toEqual({ "app.pod.metadata.labels": { team: "notes" } });
  const discard = [...DISCARD, "networkPolicies.notes-ingress"];
  expect(plan(settingsOf({ ...NAMED, discard }, NAMED_SERVICE), objects, objects).said).toBe("");
});

test("another Service that would lose its pods is refused, until it is discarded by name", async () => {
  const internal = {
    ...SERVICE,
    metadata: { name: "internal" },
    spec: { ...SERVICE.spec, selector: { team: "notes" } },
  };
  const objects = await applied("helm", DEPLOYMENT, SERVICE, internal);
  const refused = plan(settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE), objects, objects);
  expect(refused.said).toContain(
    "Service internal matches the pods of Deployment notes, and not those of this release.",
  );
  const discard = [...DISCARD, "services.internal"];
  expect(plan(settingsOf({ ...NAMED, discard }, NAMED_SERVICE), objects, objects).said).toBe("");
});

test("side by side, only the Service is taken over, and the old pods' policies and annotations are told", async () => {
  const objects = await applied("helm", DEPLOYMENT, SERVICE, POLICY);
  const settings = settingsOf({ name: "notes-v2", adopt: true, port: 8080 }, NAMED_SERVICE);
  const { said, notes } = plan(settings, objects, objects);
  expect(said).toContain(
    "NetworkPolicy notes-ingress matches the pods of Deployment notes, and not those of this release.",
  );
  expect(notes).toContain("This release takes over Service notes-web.");
  expect(notes).toContain("have annotations that the new ones lack: prometheus.io/scrape");
});

test("what an existing autoscaler has and the settings can't say is listed too", async () => {
  const autoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "notes", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "notes" },
      minReplicas: 3,
      maxReplicas: 9,
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    },
  };
  const objects = await applied("helm", autoscaler);
  const { said } = plan(settingsOf({ adopt: true, autoscaling: { max: 9, cpuPercent: 80 } }), objects, objects);
  expect(said).toContain("HorizontalPodAutoscaler notes has what the settings lack");
  expect(said).toContain("    autoscaler.behavior");
});

test("pods that end without a pause are told, because they may lose requests once", async () => {
  const deployment = structuredClone(DEPLOYMENT);
  for (const container of deployment.spec.template.spec.containers) delete container.lifecycle;
  const objects = await applied("helm", deployment, SERVICE);
  expect(plan(settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE), objects, objects).notes).toContain(
    "The pods of Deployment notes that run now have no preStop hook",
  );
});

test("objects that can't be listed are a warning with the command to look by oneself", async () => {
  const objects = await applied("helm", DEPLOYMENT, SERVICE);
  const settings = settingsOf({ ...NAMED, discard: DISCARD }, NAMED_SERVICE);
  const manifests = (of: Settings) => rolloutManifests(of, HISTORY);
  const [service, deployment] = manifests(settings);
  const { notes } = adoptionPlan({
    settings,
    foreign: [
      { manifest: deployment!, live: objects[0]! },
      { manifest: service!, live: objects[1]! },
    ],
    neighbours: undefined,
    manifests,
  });
  expect(notes.join("\n")).toContain("kubectl -n default get networkpolicies");
});
