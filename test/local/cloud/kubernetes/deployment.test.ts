import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serviceUrl } from "../../../../local/cloud/kubernetes";
import type { KubernetesObject } from "../../../../local/cloud/kubernetes/object";
import { startOf } from "../../../../local/cloud/process";
import { deployment, TestCluster, WEB_SERVICE } from "./cluster";

describe("a Deployment", () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.end());

  const roll = async (object: KubernetesObject, timeout?: number) =>
    cluster.awaitReady(await cluster.apply(object), timeout);
  const url = () => serviceUrl(cluster.cloudDir, "default", "web")!;
  const answer = async (path = "/") =>
    (await (await fetch(url() + path, { headers: { connection: "close" } })).json()) as {
      version: string;
      pod: string;
      pid: number;
    };
  const images = () => [...new Set(cluster.pods().map(({ spec }) => spec.containers[0]!.image))].sort();

  test("serves through its Service as soon as it is ready, every pod in turn", async () => {
    await cluster.apply(WEB_SERVICE);
    const { outcome, object } = await roll(deployment("1"));
    expect(outcome).toBe("ready");
    expect(object?.["status"]).toMatchObject({
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
    expect(object?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("1");
    const answers = [await answer(), await answer(), await answer(), await answer()];
    expect(new Set(answers.map(({ pod }) => pod))).toEqual(
      new Set(cluster.pods().map(({ metadata }) => metadata.name)),
    );
  });

  test("loses no request in a rolling update under load", async () => {
    await cluster.apply(WEB_SERVICE);
    await roll(deployment("1"));
    let loading = true;
    let answered = 0;
    const failed: object[] = [];
    const load = (async () => {
      // At least 10,000 requests, and until both updates are over.
      while (loading || answered < 10_000) {
        const batch = [join(__dirname, "fixtures/load.mjs"), url(), "2000", "20"];
        const result = JSON.parse((await promisify(execFile)(process.execPath, batch)).stdout);
        answered += result.answered;
        failed.push(result.failed);
      }
    })();
    const versions: string[] = [];
    for (const version of ["2", "3"]) {
      expect((await roll(deployment(version))).outcome).toBe("ready");
      versions.push((await answer()).version);
    }
    // The old pods, too, have ended before the load does.
    await cluster.until(() => images().join() === "server:3", "only new pods are left");
    loading = false;
    await load;
    expect(versions).toEqual(["2", "3"]);
    expect(Object.assign({}, ...failed)).toEqual({});
    expect(answered).toBe(failed.length * 2_000);
  });

  test("keeps the old version serving when the new one never becomes ready", async () => {
    await cluster.apply(WEB_SERVICE);
    await roll(deployment("1"));
    const { outcome, reasons } = await roll(deployment("2-unready", { progressDeadlineSeconds: 1 }), 3);
    expect(outcome).toBe("timed-out");
    expect((await answer()).version).toBe("1");
    expect(cluster.pods().filter(({ spec }) => spec.containers[0]!.image === "server:1")).toHaveLength(2);
    const stuck = cluster.pods().find(({ spec }) => spec.containers[0]!.image === "server:2-unready")!;
    expect(reasons).toEqual([
      expect.stringMatching(/^\[ProgressDeadlineExceeded\] ReplicaSet "web-[a-z0-9]{10}" has timed out progressing\.$/),
      "Minimum number of Pods to consider the application live was not attained",
      `[Pod ${stuck.metadata.name}]: containers with unready status: [main]`,
    ]);
  });

  test("finishes after a stuck rollout when a good version follows", async () => {
    await cluster.apply(WEB_SERVICE);
    await roll(deployment("1"));
    await roll(deployment("2-unready"), 1);
    expect((await roll(deployment("3"))).outcome).toBe("ready");
    await cluster.until(() => images().join() === "server:3", "only the new pods are left");
  });

  test("goes back to an earlier version by its old ReplicaSet", async () => {
    await roll(deployment("1"));
    await roll(deployment("2"));
    const { object } = await roll(deployment("1"));
    expect(object?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
  });

  test("does nothing when the same is applied again", async () => {
    await roll(deployment("1"));
    const before = cluster.pods().map(({ metadata }) => metadata.uid);
    const again = await roll(deployment("1"));
    expect(again.object?.metadata.generation).toBe(1);
    expect(cluster.pods().map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  test("is scaled up and down", async () => {
    const { object } = await roll(deployment("1"));
    const reference = { group: "apps", kind: "Deployment", namespace: "default", name: "web" };
    await cluster.methods.scale({ reference, replicas: 3 });
    await cluster.until(() => cluster.get(object!)?.["status"].readyReplicas === 3, "three are ready");
    await cluster.methods.scale({ reference, replicas: 1 });
    await cluster.until(() => cluster.pods().length === 1, "one is left");
  });

  test("stops all old pods before a new one starts with the strategy Recreate", async () => {
    const strategy = { type: "Recreate" };
    await roll(deployment("1", { strategy }));
    let together = false;
    const applied = await cluster.apply(deployment("2", { strategy }));
    const rolled = cluster.awaitReady(applied);
    await cluster.until(() => {
      if (images().length > 1) together = true;
      return images().join() === "server:2";
    }, "the new pods replace the old");
    expect((await rolled).outcome).toBe("ready");
    expect(together).toBe(false);
  });

  test("makes a new pod for one that is deleted by hand", async () => {
    await roll(deployment("1"));
    const [victim] = cluster.pods();
    await cluster.delete(victim as unknown as KubernetesObject);
    await cluster.until(
      () =>
        cluster.pods().length === 2 && !cluster.pods().some(({ metadata }) => metadata.uid === victim!.metadata.uid),
      "two pods again",
    );
  });

  test("restarts a program that crashes, with a growing pause", async () => {
    const crash = {
      image: "shell",
      args: ["echo down; exit 9"],
      readinessProbe: undefined,
      terminationMessagePolicy: "FallbackToLogsOnError",
    };
    const { outcome, reasons } = await roll(deployment("1", { replicas: 1 }, crash), 2);
    expect(outcome).toBe("timed-out");
    await cluster.until(
      () => (cluster.pods()[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3,
      "three restarts",
    );
    expect(reasons).toContain("Minimum number of live Pods was not attained");
    expect(reasons.join("\n")).toMatch(/container "main" terminated at .* \(Error: exit code 9\)\ndown/);
  });

  test("restarts a program that is no longer alive, and lets no request reach one that is not ready", async () => {
    await cluster.apply(WEB_SERVICE);
    const sick = join(cluster.cloudDir, "sick");
    const probe = { httpGet: { path: "/health", port: 3000 }, periodSeconds: 1, failureThreshold: 1 };
    const env = [
      { name: "PORT", value: "3000" },
      { name: "FAIL_HEALTH_FILE", value: sick },
      { name: "DRAIN_MILLISECONDS", value: "10" },
    ];
    const container = { env, readinessProbe: probe, livenessProbe: { ...probe, failureThreshold: 2 } };
    await roll(deployment("1", { replicas: 1 }, container));
    const { pid } = await answer();
    writeFileSync(sick, "");
    await expect(
      cluster.until(() => cluster.pods()[0]?.status?.containerStatuses?.[0]?.ready === false, "it is not ready"),
    ).resolves.toBeUndefined();
    await expect(answer()).rejects.toThrow();
    await cluster.until(() => (cluster.pods()[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1, "a restart");
    expect(startOf(pid)).toBeUndefined();
    rmSync(sick);
    await cluster.until(() => cluster.pods()[0]?.status?.containerStatuses?.[0]?.ready === true, "ready again");
    expect((await answer()).pid).not.toBe(pid);
  });

  test("waits for a slow start by its startup probe before anything else counts", async () => {
    const go = join(cluster.cloudDir, "go");
    const exec = (file: string) => ({ exec: { command: ["test", "-e", file] }, periodSeconds: 1 });
    const container = {
      startupProbe: { ...exec(go), failureThreshold: 30 },
      livenessProbe: { ...exec(go), failureThreshold: 1 },
    };
    const object = await cluster.apply(deployment("1", { replicas: 1 }, container));
    await cluster.until(
      () => cluster.pods()[0]?.status?.containerStatuses?.[0]?.state.running !== undefined,
      "it runs",
    );
    expect(cluster.pods()[0]?.status?.containerStatuses?.[0]).toMatchObject({ started: false, ready: false });
    writeFileSync(go, "");
    expect((await cluster.awaitReady(object)).outcome).toBe("ready");
    expect(cluster.pods()[0]?.status?.containerStatuses?.[0]).toMatchObject({ started: true, restartCount: 0 });
  });

  test("is served by a Service of any type, and of a port without a name", async () => {
    for (const type of ["ClusterIP", "LoadBalancer"]) {
      const service = { ...WEB_SERVICE, metadata: { name: type.toLowerCase() } };
      await cluster.apply({
        ...service,
        spec: { type, selector: { app: "web" }, ports: [{ port: 80, targetPort: 3000 }] },
      });
    }
    await roll(deployment("1", { replicas: 1 }, { livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 1 } }));
    for (const name of ["clusterip", "loadbalancer"]) {
      const response = await fetch(serviceUrl(cluster.cloudDir, "default", name)!);
      expect(await response.json()).toMatchObject({ version: "1" });
    }
    const balancer = cluster.get({ ...WEB_SERVICE, metadata: { name: "loadbalancer" } });
    expect(balancer?.["status"].loadBalancer.ingress).toEqual([{ ip: "127.0.0.1" }]);
  });

  test("runs its preStop hook before it is told to end", async () => {
    const told = join(cluster.cloudDir, "told");
    const script = `trap "echo TERM >> '${told}'; exit 0" TERM; while :; do sleep 0.05; done`;
    const hook = { preStop: { exec: { command: ["/bin/sh", "-c", `echo preStop >> '${told}'`] } } };
    const container = { image: "shell", args: [script], readinessProbe: undefined, lifecycle: hook };
    const { object } = await roll(deployment("1", { replicas: 1 }, container));
    await cluster.delete(object!);
    expect(readFileSync(told, "utf8")).toBe("preStop\nTERM\n");
  });

  test("goes with its namespace", async () => {
    const namespace = await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    const object = deployment("1");
    const inTeam = await cluster.apply({ ...object, metadata: { ...object.metadata, namespace: "team" } });
    expect((await cluster.awaitReady(inTeam)).outcome).toBe("ready");
    await cluster.delete(namespace);
    expect(cluster.get(inTeam)).toBeUndefined();
    expect(cluster.processes()).toEqual([]);
    await expect(cluster.apply({ ...object, metadata: { ...object.metadata, namespace: "team" } })).rejects.toThrow(
      'namespaces "team" not found',
    );
  });

  test("leaves no process behind when it is deleted", async () => {
    const { object } = await roll(deployment("1"));
    expect(cluster.processes().length).toBeGreaterThan(0);
    await cluster.delete(object!);
    expect(cluster.pods()).toEqual([]);
    expect(cluster.processes()).toEqual([]);
  });

  test("comes back under the same address when the cluster starts again", async () => {
    await cluster.apply(WEB_SERVICE);
    const { object } = await roll(deployment("1"));
    const before = url();
    await cluster.restart();
    await cluster.until(() => cluster.get(object!)?.["status"].readyReplicas === 2, "both pods are back");
    expect((await cluster.awaitReady(object!)).outcome).toBe("ready");
    expect(url()).toBe(before);
    expect((await answer()).version).toBe("1");
  });

  test("refuses a manifest whose selector misses its own pods", async () => {
    await expect(cluster.apply(deployment("1", { selector: { matchLabels: { app: "other" } } }))).rejects.toThrow(
      /Deployment.apps "web" is invalid: spec.template.metadata.labels: .*`selector` does not match template `labels`/,
    );
  });

  test("must satisfy Pod Security where its namespace enforces it", async () => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "strict", labels } });
    const inStrict = (container: object) => {
      const object = deployment("1", {}, container);
      return { ...object, metadata: { ...object.metadata, namespace: "strict" } };
    };
    await expect(cluster.apply(inStrict({}))).rejects.toThrow(
      /violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "main" must set securityContext.allowPrivilegeEscalation=false\), unrestricted capabilities/,
    );
    const securityContext = {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    };
    await cluster.apply(inStrict({ securityContext }));
  });
});
