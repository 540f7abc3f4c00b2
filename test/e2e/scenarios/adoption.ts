import assert from "node:assert/strict";
import { startLoad } from "../../../local/demo/load";
import { applyExistingApp, grantAdoption, POD, removeExistingApp, SELECTOR, sidecar, WEB } from "../existing-app";
import { failed, serves, succeeded, until } from "../expect";
import { kubectl, list } from "../kubectl";
import { startNewConnections } from "../new-connections";
import { image, type Scenario } from "../scenario";
import type { World } from "../world";

/** That many requests more come after each step, so that what it broke late is found too. */
const AFTERWARDS = 300;

/** An app that kubectl or Helm made becomes one that this program releases. */
export const adoption: Scenario[] = [
  {
    name: "an existing app is refused at preview, and the message has every setting that takes it over",
    async play(world) {
      await emptied(world);
      await grantAdoption(world);
      await applyExistingApp(world, { preStop: true });
      const release = await world.run("preview", "preview");
      failed(release);
      assert.match(
        release.said,
        /Deployment notes is there already, and Pulumi did not make it \(kubectl-client-side-apply did\)/,
      );
      for (const line of [
        "adopt: true",
        'selector: {"app":"legacy-notes","tier":"web"}',
        'container: "web"',
        'portName: "web"',
        'name: "notes-web"',
      ])
        assert.ok(release.said.includes(line), `"${line}" is not in: ${release.said}`);
      for (const part of ["initContainers.migrate", "containers.proxy", "containers.web.env.OLD_FLAG", "tolerations"])
        assert.ok(release.said.includes(`    ${part}`), `${part} is not in: ${release.said}`);
      return undefined;
    },
  },
  {
    name: "an adopted app needs to be told which migrations its database has",
    async play(world) {
      inPlace(world);
      const release = await world.run("preview", "preview");
      failed(release);
      assert.match(release.said, /review\.since/);
      return undefined;
    },
  },
  {
    name: "an existing app is taken over in place under load, and not a request is lost",
    async play(world) {
      inPlace(world);
      await since(world);
      // A role that may patch has the API server check a preview, which would refuse what two tools have set.
      succeeded(await world.run("preview", "up"));
      const service = await object(world, "service", "notes-web");
      const { answered } = await underLoad(world, "notes-web", async () => {
        succeeded(await world.run("up", "up"));
      });
      const { spec, metadata } = await object(world, "deployment", "notes");
      assert.equal(spec.replicas, 4, "somebody had scaled it to 4");
      const containers = spec.template.spec.containers.map(({ name }: { name: string }) => name);
      assert.deepEqual(containers.sort(), ["proxy", "web"]);
      assert.equal(spec.template.spec.initContainers, undefined);
      assert.equal(spec.template.metadata.labels.team, "notes");
      assert.deepEqual(spec.template.spec.tolerations, POD.spec.tolerations);
      const web = spec.template.spec.containers.find(({ name }: { name: string }) => name === "web");
      assert.deepEqual(web.envFrom, WEB.envFrom);
      assert.ok(!web.env.some(({ name }: { name: string }) => name === "OLD_FLAG"));
      assert.equal(metadata.labels.team, "notes", "labels of the object itself stay");
      const after = await object(world, "service", "notes-web");
      assert.equal(after.metadata.uid, service.metadata.uid);
      assert.equal(after.spec.ports[0].nodePort, service.spec.ports[0].nodePort);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      return `${answered} requests, 0 failed`;
    },
  },
  {
    name: "the next release of an adopted app changes only what its settings change, also without app.adopt",
    async play(world) {
      inPlace(world);
      for (const key of ["app.adopt", "app.discard", "review.since"]) world.set(key, undefined);
      world.set("app.image", image("1.1.0"));
      const { answered } = await underLoad(world, "notes-web", async () => {
        const release = await world.run("up", "up");
        succeeded(release);
        await serves(release, "1.1.0");
      });
      const { spec } = await object(world, "deployment", "notes");
      assert.equal(spec.replicas, 4);
      assert.equal(spec.template.spec.containers.length, 2);
      await emptied(world);
      return `${answered} requests, 0 failed`;
    },
  },
  {
    name: "an existing app whose pods end at once is replaced side by side, and not a request is lost",
    async play(world) {
      await emptied(world);
      await applyExistingApp(world, { preStop: false });
      sideBySide(world);
      await since(world);
      const { answered } = await underLoad(world, "notes-web", async (afterwards) => {
        const release = await world.run("up", "up");
        succeeded(release);
        await serves(release, "1.1.0");
        assert.equal((await list(world.namespace, "deployments")).length, 2, "the old app is still there");
        // Kept connections still lead to the old pods. They end as the app drains them.
        await afterwards();
        await kubectl(["delete", "deployment", "notes", "--namespace", world.namespace, "--timeout=100s"]);
      });
      const { spec } = await object(world, "service", "notes-web");
      assert.deepEqual(spec.selector, { "app.kubernetes.io/name": "notes-v2", "app.kubernetes.io/component": "app" });
      await emptied(world);
      return `${answered} requests, 0 failed`;
    },
  },
  {
    name: "a foreign Deployment of the same names is taken over when the settings say so, and only then",
    async play(world) {
      await emptied(world);
      await helmInstall(world);
      const refused = await world.run("preview", "preview");
      failed(refused);
      assert.match(refused.said, /Pulumi did not make it \(helm did\)/);
      world.set("app.adopt", "true");
      await since(world);
      const { answered } = await underLoad(world, "notes", async () => {
        succeeded(await world.run("up", "up"));
      });
      await emptied(world);
      return `${answered} requests, 0 failed`;
    },
  },
  {
    name: "a load balancer's own address is in the output after the first release",
    async play(world) {
      await emptied(world);
      world.set("service", '{"type": "LoadBalancer", "scheme": "https", "port": 443}');
      const release = await world.run("up", "up", {
        at: ({ type, status }) => status === "succeeded" && type.endsWith(":Deployment"),
        async act() {
          // This cluster has no controller that would give it one.
          const status = JSON.stringify({ status: { loadBalancer: { ingress: [{ hostname: "lb.example.com" }] } } });
          const words = ["patch", "service", "notes", "--subresource=status", "--type=merge", `--patch=${status}`];
          await kubectl([...words, "--namespace", world.namespace]);
        },
      });
      succeeded(release);
      assert.equal(release.result.outputs["url"], "https://lb.example.com");
      world.set("service", undefined);
      await emptied(world);
      return undefined;
    },
  },
];

/** Leaves nothing in the namespace of the stack and of the existing app, and the settings as of the first release. */
async function emptied(world: World): Promise<void> {
  for (const key of ["app", "service"])
    for (const name of ["adopt", "discard", "selector", "container", "pod", "portName", "name"])
      world.set(`${key}.${name}`, undefined);
  world.set("review.since", undefined);
  world.set("app.image", image("1.0.0"));
  succeeded(await world.run("destroy", "up"));
  await removeExistingApp(world);
}

function inPlace(world: World): void {
  world.set("app.adopt", "true");
  world.set("app.selector", JSON.stringify(SELECTOR));
  world.set("app.container", "web");
  world.set("app.portName", "web");
  world.set("app.discard", '["initContainers.migrate", "containers.web.env.OLD_FLAG"]');
  const containers = [{ name: "web", ...WEB }, sidecar()];
  world.set("app.pod", JSON.stringify({ metadata: POD.metadata, spec: { ...POD.spec, containers } }));
  world.set("service.name", "notes-web");
  world.set("service.portName", "web");
}

function sideBySide(world: World): void {
  world.set("app.name", "notes-v2");
  world.set("app.image", image("1.1.0"));
  world.set("app.adopt", "true");
  world.set("app.pod", JSON.stringify({ metadata: POD.metadata }));
  world.set("service.name", "notes-web");
  world.set("service.portName", "web");
}

/** Names the last migration that the database has. */
async function since(world: World): Promise<void> {
  world.set("review.since", (await world.applied()).sort().at(-1));
}

/** A Deployment and a Service that another tool made with the names of the release. */
async function helmInstall(world: World): Promise<void> {
  const { namespace } = world;
  const labels = { "app.kubernetes.io/name": "notes", "app.kubernetes.io/component": "app" };
  const own = { ...labels, team: "notes" };
  const container = {
    name: "app",
    image: image("1.0.0"),
    ports: [{ name: "http", containerPort: 3000 }],
    env: [{ name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "url" } } }],
    readinessProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 1 },
    livenessProbe: { exec: { command: ["true"] } },
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } };
  const template = { metadata: { labels }, spec: { securityContext, containers: [container] } };
  const metadata = { name: "notes", namespace, labels: own };
  const items = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { type: "NodePort", selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    },
  ];
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["create", "--field-manager=helm", "--filename", "-"], list);
  await kubectl(["rollout", "status", "deployment", "notes", "--timeout=110s", "--namespace", namespace]);
}

/** Does something while requests come on kept and on new connections; fails if one of them got no answer. */
async function underLoad(
  world: World,
  service: string,
  act: (afterwards: () => Promise<void>) => Promise<void>,
): Promise<{ answered: number }> {
  const [node] = await list("default", "nodes");
  const { address } = node.status.addresses.find((each: { type: string }) => each.type === "InternalIP");
  const { nodePort } = (await object(world, "service", service)).spec.ports[0];
  const url = `http://${address}:${nodePort}`;
  const kept = startLoad({ url, connections: 5, rate: 30 });
  const fresh = startNewConnections(`${url}/notes`);
  const afterwards = async () => {
    const before = kept.counts().answered;
    await until(() => kept.counts().answered > before + AFTERWARDS, 120);
  };
  try {
    await until(() => kept.counts().answered > 100 && fresh.counts().answered > 50, 60);
    await act(afterwards);
    await afterwards();
  } finally {
    await Promise.all([kept.stop(), fresh.stop()]);
  }
  assert.deepEqual([...kept.failures(), ...fresh.failures()], []);
  return { answered: kept.counts().answered + fresh.counts().answered };
}

async function object(world: World, kind: string, name: string): Promise<any> {
  return JSON.parse(await kubectl(["get", kind, name, "--namespace", world.namespace, "--output", "json"]));
}
