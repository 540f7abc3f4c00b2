import { afterAll, describe, expect, test } from "vitest";
import { connect } from "../../local/cloud/client";
import { listObjects } from "../../local/cloud/kubernetes";
import type { KubernetesObject } from "../../local/cloud/kubernetes/object";
import { startLoad } from "../../local/demo/load";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, getJson, until } from "./cli";

const SELECTOR = { app: "legacy", tier: "web" };
const LAST = "20260309090000_contract_note_title";

const container = {
  name: "web",
  image: "notes:1.0.0",
  ports: [{ name: "web", containerPort: 3000 }],
  env: [
    { name: "PORT", value: "3000" },
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "url" } } },
    { name: "OLD_FLAG", value: "1" },
  ],
  readinessProbe: { httpGet: { path: "/health", port: "web" }, periodSeconds: 1 },
  livenessProbe: { httpGet: { path: "/health", port: "web" } },
  lifecycle: { preStop: { sleep: { seconds: 1 } } },
};
const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "notes", namespace: "default", labels: { team: "notes" } },
  spec: {
    replicas: 2,
    selector: { matchLabels: SELECTOR },
    template: { metadata: { labels: { ...SELECTOR, team: "notes" } }, spec: { containers: [container] } },
  },
};
const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "notes-web", namespace: "default", annotations: { "example.com/lb": "internal" } },
  spec: { type: "NodePort", selector: { app: "legacy" }, ports: [{ name: "web", port: 80, targetPort: "web" }] },
};

/** An app that kubectl made, on the local cloud. The tests build on each other. */
describe.sequential("an app that kubectl made", { timeout: 600_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli();
  afterAll(() => cli.end(), 60_000);
  const object = (kind: string, name: string): any =>
    listObjects(cli.cloudDir()).find((each) => each.kind === kind && each.metadata.name === name);
  const address = () => `http://127.0.0.1:${object("Service", "notes-web").spec.ports[0].nodePort}`;

  test("is refused at first, and the message has the settings that take it over", async () => {
    // The first release makes the database with all migrations; then only the database is left of it.
    const released = await cli.run("up");
    expect(released.status, released.stderr).toBe(0);
    const destroyed = await cli.run("destroy");
    expect(destroyed.status, destroyed.stdout + destroyed.stderr).toBe(0);
    const cloud = await connect(cli.cloudDir());
    const by = { manager: "kubectl-client-side-apply", operation: "Update" } as const;
    for (const each of [DEPLOYMENT, SERVICE] as KubernetesObject[])
      await cloud.call("kubernetes.apply", { object: each, by });
    await until(
      async () => (await getJson(address(), "/health").catch(() => undefined))?.status === 200,
      "the app answers",
    );
    await cloud.call("kubernetes.scale", {
      reference: { group: "apps", kind: "Deployment", namespace: "default", name: "notes" },
      replicas: 3,
    });

    const { status, stdout, stderr } = await cli.run("preview");
    expect(status).not.toBe(0);
    const said = stdout + stderr;
    expect(said).toContain("Deployment notes is there already, and Pulumi did not make it");
    for (const part of ["adopt: true", 'container: "web"', 'name: "notes-web"', "containers.web.env.OLD_FLAG"])
      expect(said).toContain(part);
  });

  test("is taken over under load, with the pods that it was scaled to, and its Service as it was", async () => {
    cli.set("app.adopt", "true");
    cli.set("app.selector", JSON.stringify(SELECTOR));
    cli.set("app.container", "web");
    cli.set("app.portName", "web");
    cli.set("app.discard", '["containers.web.env.OLD_FLAG"]');
    cli.set("app.pod", '{"metadata": {"labels": {"team": "notes"}}}');
    cli.set("service.name", "notes-web");
    cli.set("service.portName", "web");
    cli.set("review.since", LAST);
    const before = object("Service", "notes-web");
    const load = startLoad({ url: address(), rate: 100 });
    const ran = await cli.run("up");
    await load.stop();
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(load.failures()).toEqual([]);
    const { spec, metadata } = object("Deployment", "notes");
    expect(spec.replicas).toBe(3);
    expect(spec.template.spec.containers).toHaveLength(1);
    expect(spec.template.spec.containers[0].env.map(({ name }: { name: string }) => name)).not.toContain("OLD_FLAG");
    expect(metadata.labels).toMatchObject({ team: "notes", "app.kubernetes.io/managed-by": "pulumi" });
    const after = object("Service", "notes-web");
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.annotations).toMatchObject({ "example.com/lb": "internal" });
    expect(after.spec.ports[0].nodePort).toBe(before.spec.ports[0].nodePort);
  });

  test("is released like any other from then on", async () => {
    cli.set("app.adopt", "false");
    cli.set("app.discard", "[]");
    cli.set("app.image", "notes:1.1.0");
    const ran = await cli.run("up");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect((await getJson(address(), "/health")).body.version).toBe("1.1.0");
    expect(object("Deployment", "notes").spec.replicas).toBe(3);
  });

  test("is replaced side by side under load: the Service is switched when the new pods are ready", async () => {
    const destroyed = await cli.run("destroy");
    expect(destroyed.status, destroyed.stdout + destroyed.stderr).toBe(0);
    const cloud = await connect(cli.cloudDir());
    const by = { manager: "helm", operation: "Update" } as const;
    for (const each of [DEPLOYMENT, SERVICE] as KubernetesObject[])
      await cloud.call("kubernetes.apply", { object: each, by });
    await until(
      async () => (await getJson(address(), "/health").catch(() => undefined))?.status === 200,
      "the app answers",
    );

    cli.set("app.name", "notes-v2");
    cli.set("app.adopt", "true");
    for (const [key, value] of Object.entries({ container: "app", portName: "http" })) cli.set(`app.${key}`, value);
    cli.set("app.selector", '{"app.kubernetes.io/name": "notes-v2", "app.kubernetes.io/component": "app"}');
    const load = startLoad({ url: address(), rate: 100 });
    const ran = await cli.run("up", "--json");
    expect((await getJson(address(), "/health")).body.version).toBe("1.1.0");
    await cloud.call("kubernetes.delete", {
      reference: { group: "apps", kind: "Deployment", namespace: "default", name: "notes" },
    });
    await load.stop();
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(load.failures()).toEqual([]);
    const ended = (kind: string) =>
      ran.steps.findIndex(({ type, status }) => type.endsWith(`:${kind}`) && status === "succeeded");
    expect(ended("Service")).toBeGreaterThan(ended("Deployment"));
    expect(object("Service", "notes-web").spec.selector).toMatchObject({ "app.kubernetes.io/name": "notes-v2" });
  });
});
