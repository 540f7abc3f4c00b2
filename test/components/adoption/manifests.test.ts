import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { App, parseSettings } from "../../../components";
import { PulumiRecorder } from "../../support/pulumi-recorder";

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

/** Declares the app with these settings, and returns it when everything is registered. */
async function declare(app: object, service: object = {}): Promise<App> {
  const { settings } = parseSettings({
    app: { name: "notes", image: "notes:1", ...app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    service,
  });
  const declared = new App("notes", {
    namespace: "default",
    releaseId: "r1",
    settings: settings!.app,
    database: { settings: settings!.database },
    service: settings!.service,
    protect: false,
  });
  await pulumi.runtime.disconnect();
  return declared;
}

const deployment = () => recorder.only("kubernetes:apps/v1:Deployment");
const service = () => recorder.only("kubernetes:core/v1:Service");

test("the selector, the container and its port are called as the existing Deployment calls them", async () => {
  const selector = { app: "notes", tier: "web" };
  await declare({ selector, container: "web", portName: "web" });
  const { spec } = deployment().inputs;
  expect(spec.selector).toEqual({ matchLabels: selector });
  expect(spec.template.metadata.labels).toMatchObject({ ...selector, "app.kubernetes.io/name": "notes" });
  const [container] = spec.template.spec.containers;
  expect(container).toMatchObject({
    name: "web",
    ports: [{ name: "web", containerPort: 3000 }],
    startupProbe: { httpGet: { port: "web" } },
    readinessProbe: { httpGet: { port: "web" } },
    livenessProbe: { tcpSocket: { port: "web" } },
  });
  expect(spec.template.spec.topologySpreadConstraints[0].labelSelector).toEqual({ matchLabels: selector });
  expect(service().inputs["spec"].selector).toEqual(selector);
  expect(recorder.only("kubernetes:policy/v1:PodDisruptionBudget").inputs["spec"].selector).toEqual({
    matchLabels: selector,
  });
});

test("the Service is called, and selects and listens, as the existing one does", async () => {
  await declare(
    { selector: { app: "notes", tier: "web" } },
    {
      name: "notes-web",
      type: "NodePort",
      host: "node",
      selector: { app: "notes" },
      portName: "",
      nodePort: 30_080,
      spec: { sessionAffinity: "ClientIP" },
    },
  );
  const { metadata, spec } = service().inputs;
  expect(metadata.name).toBe("notes-web");
  expect(spec).toEqual({
    type: "NodePort",
    selector: { app: "notes" },
    sessionAffinity: "ClientIP",
    ports: [{ port: 80, targetPort: "http", protocol: "TCP", nodePort: 30_080 }],
  });
});

test("further ports of the Service come after its own", async () => {
  await declare({}, { ports: [{ name: "metrics", port: 9090, targetPort: "metrics" }] });
  expect(service().inputs["spec"].ports).toEqual([
    { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
    { name: "metrics", port: 9090, targetPort: "metrics", protocol: "TCP" },
  ]);
});

test("what is taken over is forced, by a field manager whose name is known before, and the Service comes last", async () => {
  await declare({ adopt: true });
  for (const { inputs } of [deployment(), service(), recorder.only("kubernetes:policy/v1:PodDisruptionBudget")])
    expect(inputs["metadata"].annotations).toMatchObject({
      "pulumi.com/patchForce": "true",
      "pulumi.com/patchFieldManager": "pulumi-release",
    });
  // The Service names the port by its number, so it also finds pods that call the port something else.
  expect(service().inputs["spec"].ports[0].targetPort).toBe(3000);
  expect(service().options.dependsOn.some((urn) => urn.endsWith("Deployment::notes"))).toBe(true);
});

test("without app.adopt nothing is forced, and the Service waits for nothing", async () => {
  await declare({});
  expect(Object.keys(deployment().inputs["metadata"].annotations)).toEqual(["release/manifest"]);
  expect(service().options.dependsOn).toEqual([]);
});

test.each<[string, object, string]>([
  ["the Service's own name", {}, "http://notes.default.svc.cluster.local"],
  ["the name that the Service is given", { name: "web" }, "http://web.default.svc.cluster.local"],
  ["a host with https", { host: "notes.example.com", scheme: "https", port: 443 }, "https://notes.example.com"],
  ["a host with https at another port", { host: "notes.example.com", scheme: "https" }, "https://notes.example.com:80"],
  ["a URL of its own", { url: "https://notes.example.com/app" }, "https://notes.example.com/app"],
  ["a URL in front of a node port", { type: "NodePort", url: "https://n.example.com" }, "https://n.example.com"],
])("the output url is %s", async (_, settings, url) => {
  const declared = await declare({}, settings);
  expect(await new Promise((resolve) => declared.url.apply(resolve))).toBe(url);
});
