import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, running, stopCloud } from "../../../../local/cloud/client";
import { listPods, logs } from "../../../../local/cloud/kubernetes";
import type { KubernetesObject } from "../../../../local/cloud/kubernetes/object";
import { createKubernetesProvider } from "../../../../local/cloud/kubernetes/provider";
import { waitUntil } from "../../../../local/cloud/process";
import { InitError, type Properties, type Provider, UNKNOWN } from "../../../../local/cloud/provider";
import { commandLines, processesNaming } from "../processes-naming";
import { deployment, images, job, WEB_SERVICE } from "./cluster";

const urnOf = (type: string, name: string) => `urn:pulumi:local::release::release:index:Release$${type}::${name}`;
const JOB = urnOf("kubernetes:batch/v1:Job", "migrate");
const WEB = urnOf("kubernetes:apps/v1:Deployment", "web");
const MAP = urnOf("kubernetes:core/v1:ConfigMap", "files");
const SECRET = urnOf("kubernetes:core/v1:Secret", "database");

describe("Pulumi's Kubernetes provider over the local cloud", () => {
  let cloudDir: string;
  let provider: Provider;

  beforeEach(() => {
    cloudDir = join(mkdtempSync(join(tmpdir(), "provider ")), "cloud");
    mkdirSync(cloudDir);
    writeFileSync(join(cloudDir, "images.json"), JSON.stringify(images(cloudDir)));
    provider = createKubernetesProvider(cloudDir);
  });
  afterEach(async () => {
    await stopCloud(cloudDir);
    rmSync(join(cloudDir, ".."), { recursive: true, force: true });
  });

  const check = async (urn: string, news: object, olds?: Properties) =>
    (await provider.check({ urn, news: news as Properties, ...(olds ? { olds } : {}) })).inputs;
  const create = async (urn: string, manifest: object, timeout = 20, signal?: AbortSignal) =>
    provider.create({
      urn,
      inputs: await check(urn, manifest),
      timeout,
      preview: false,
      ...(signal ? { signal } : {}),
    });
  const failure = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(InitError);
    return error as InitError;
  };

  test("names what the program leaves unnamed, once", async () => {
    const first = await check(MAP, { data: { a: "1" } });
    const metadata = first["metadata"] as Properties;
    expect(first).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } });
    expect(metadata).toMatchObject({ namespace: "default", annotations: { "pulumi.com/autonamed": "true" } });
    expect(metadata["name"]).toMatch(/^files-[0-9a-f]{8}$/);
    expect(await check(MAP, { data: { a: "2" } }, first)).toMatchObject({ metadata, data: { a: "2" } });
    expect((await check(MAP, { metadata: { name: "mine" } }))["metadata"]).toEqual({
      name: "mine",
      namespace: "default",
    });
    expect(await check(urnOf("kubernetes:core/v1:Namespace", "n"), { metadata: { name: "n" } })).toMatchObject({
      metadata: { name: "n" },
    });
  });

  test("previews without a background process, and shows what it knows", async () => {
    const inputs = await check(WEB, deployment("1"));
    const preview = await provider.create({ urn: WEB, inputs, timeout: 0, preview: true });
    expect(preview).toEqual({ id: "", outputs: inputs });
    const olds = { ...inputs, status: { readyReplicas: 2 } };
    const update = { urn: WEB, id: "default/web", oldInputs: inputs, olds, timeout: 0, preview: true };
    expect(await provider.update({ ...update, inputs })).toMatchObject({
      spec: inputs["spec"],
      status: { readyReplicas: 2 },
    });
    expect(await provider.update({ ...update, inputs: { ...inputs, spec: UNKNOWN } })).toMatchObject({ spec: UNKNOWN });
    const state = { urn: WEB, id: "default/web", inputs, olds };
    expect(await provider.read(state)).toBeUndefined();
    await provider.delete({ ...state, timeout: 0 });
    await provider.diff({ ...state, oldInputs: inputs, news: inputs, ignoreChanges: [] });
    expect(await running(cloudDir)).toBe(false);
    expect(readdirSync(cloudDir)).toEqual(["images.json"]);
  });

  test("creates a Job when it has succeeded, with its status", async () => {
    const { id, outputs } = await create(JOB, job("migrate", "echo migrated"));
    expect(id).toBe("default/migrate");
    expect(outputs).toMatchObject({ metadata: { name: "migrate", namespace: "default" }, status: { succeeded: 1 } });
    const lines = [];
    for await (const { text } of logs(cloudDir, "migrate")) lines.push(text);
    expect(lines).toEqual(["migrated"]);
  });

  test("tells why a Job failed, in the program's own words, and keeps it", async () => {
    const error = await failure(create(JOB, job("migrate", 'echo "ERROR: column does not exist"; exit 1')));
    expect(error.id).toBe("default/migrate");
    expect(error.outputs).toMatchObject({ metadata: { name: "migrate" }, status: { failed: 1 } });
    expect(error.reasons[0]).toBe(
      `resource "${JOB}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: Resource 'migrate' was created but failed to initialize`,
    );
    expect(error.reasons.at(-1)).toBe("[BackoffLimitExceeded] Job has reached the specified backoff limit");
    expect(error.reasons.join("\n")).toMatch(/\[Pod migrate-[a-z0-9]{5}\]: \[Error\] ERROR: column does not exist/);

    const inputs = await check(JOB, job("migrate", "exit 1"));
    const again = await failure(provider.read({ urn: JOB, id: error.id, inputs, olds: error.outputs }));
    expect(again.reasons[0]).toBe("Resource 'migrate' was created but failed to initialize");
    expect(again.reasons.at(-1)).toContain("[BackoffLimitExceeded]");
  });

  test("only waits again for a failed Job that is updated, and does not run it a second time", async () => {
    const runs = join(cloudDir, "runs");
    const manifest = job("migrate", `echo x >> '${runs}'; exit 1`);
    const { id, outputs } = await failure(create(JOB, manifest));
    const oldInputs = await check(JOB, manifest);
    const inputs = await check(JOB, job("migrate", `echo x >> '${runs}'; exit 1`, { activeDeadlineSeconds: 60 }));
    const update = provider.update({ urn: JOB, id, inputs, oldInputs, olds: outputs, timeout: 20, preview: false });
    expect((await failure(update)).reasons[0]).toMatch(
      /^the Kubernetes API server reported that "default\/migrate" failed/,
    );
    expect(readFileSync(runs, "utf8")).toBe("x\n");
  });

  test("takes a Job over that a killed command has left, without a second pod", async () => {
    const manifest = job("migrate", `while [ ! -e '${cloudDir}/go' ]; do sleep 0.05; done`);
    const inputs = await check(JOB, manifest);
    await (await connect(cloudDir)).call("kubernetes.apply", { object: inputs as KubernetesObject });
    const created = create(JOB, manifest);
    expect(await waitUntil(() => listPods(cloudDir).some(({ status }) => status?.phase === "Running"), 10_000)).toBe(
      true,
    );
    writeFileSync(join(cloudDir, "go"), "");
    expect((await created).outputs).toMatchObject({ status: { succeeded: 1 } });
    expect(listPods(cloudDir)).toHaveLength(1);
  });

  test("refuses to take anything over when it is told to", async () => {
    await create(MAP, { metadata: { name: "files" }, data: { a: "1" } });
    provider = createKubernetesProvider(cloudDir, { upsertExistingObjects: false });
    await expect(create(MAP, { metadata: { name: "files" }, data: { a: "2" } })).rejects.toThrow(
      `resource "${MAP}" was not successfully created by the Kubernetes API server: configmaps "files" already exists`,
    );
  });

  test("reports a rollout that never ends after its time-out, and which pod is to blame", async () => {
    await create(WEB, deployment("1"));
    const oldInputs = await check(WEB, deployment("1"));
    const inputs = await check(WEB, deployment("2-unready"));
    const olds = (await provider.read({ urn: WEB, id: "default/web", inputs: oldInputs, olds: oldInputs }))!.outputs;
    const update = { urn: WEB, id: "default/web", inputs, oldInputs, olds, timeout: 2, preview: false };
    const { reasons, outputs } = await failure(provider.update(update));
    expect(reasons[0]).toBe(
      `the Kubernetes API server reported that "default/web" failed to fully initialize or become live: 'web' timed out waiting to be Ready`,
    );
    expect(reasons.at(-1)).toMatch(/^\[Pod web-[a-z0-9]{10}-[a-z0-9]{5}\]: containers with unready status: \[main\]$/);
    expect(outputs).toMatchObject({ status: { readyReplicas: 2, updatedReplicas: 1 } });
  });

  test("stops waiting when the person asks to stop, and the cloud goes on", async () => {
    const stop = new AbortController();
    const created = create(JOB, job("migrate", "sleep 1000"), 60, stop.signal);
    expect(await waitUntil(() => listPods(cloudDir).some(({ status }) => status?.phase === "Running"), 10_000)).toBe(
      true,
    );
    stop.abort();
    const { reasons, outputs } = await failure(created);
    expect(reasons[0]).toContain('Resource operation was cancelled for "migrate"');
    expect(outputs).toMatchObject({ status: { active: 1 } });
    expect(listPods(cloudDir)[0]?.status?.phase).toBe("Running");
  });

  test("knows that an object deleted by hand is gone", async () => {
    const { id, outputs } = await create(MAP, { metadata: { name: "files" }, data: { a: "1" } });
    const state = { urn: MAP, id, inputs: { data: { a: "1" } }, olds: outputs };
    expect(await provider.read(state)).toMatchObject({ id, inputs: { data: { a: "1" } } });
    await provider.delete({ ...state, timeout: 0 });
    expect(await provider.read(state)).toBeUndefined();
    await provider.delete({ ...state, timeout: 0 });
  });

  test("keeps objects of kinds that it does not run", async () => {
    const urn = urnOf("kubernetes:policy/v1:PodDisruptionBudget", "web");
    const { id, outputs } = await create(urn, { metadata: { name: "web" }, spec: { maxUnavailable: 1 } });
    expect(id).toBe("default/web");
    expect(outputs).toMatchObject({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      spec: { maxUnavailable: 1 },
    });
  });

  test("keeps a Service's port for its life, and gives it to nobody else", async () => {
    const urn = urnOf("kubernetes:core/v1:Service", "web");
    const { outputs } = await create(urn, WEB_SERVICE);
    const portOf = (object: Properties) =>
      ((object["spec"] as KubernetesObject)["ports"] as { nodePort: number }[])[0]!.nodePort;
    const inputs = await check(urn, { ...WEB_SERVICE, metadata: { name: "web", labels: { a: "b" } } });
    const update = { urn, id: "default/web", inputs, oldInputs: inputs, olds: outputs, timeout: 20, preview: false };
    expect(portOf(await provider.update(update))).toBe(portOf(outputs));
    const thief = {
      ...WEB_SERVICE,
      metadata: { name: "thief" },
      spec: { ...WEB_SERVICE["spec"], ports: [{ port: 80, nodePort: portOf(outputs) }] },
    };
    await expect(create(urn, thief)).rejects.toThrow("provided port is already allocated");
  });

  test("has a secret in its own file and nowhere else, also while a program uses it", async () => {
    const canary = "canary-7c1f";
    const { outputs } = await create(SECRET, { metadata: { name: "database" }, stringData: { url: canary } });
    expect(outputs).toMatchObject({ data: { url: Buffer.from(canary).toString("base64") }, type: "Opaque" });
    expect(outputs["stringData"]).toBeUndefined();
    const secretKeyRef = { name: "database", key: "url" };
    const container = {
      env: [{ name: "DATABASE_URL", valueFrom: { secretKeyRef } }],
      volumeMounts: [{ name: "keys", mountPath: "/keys" }],
    };
    const pod = { volumes: [{ name: "keys", secret: { secretName: "database" } }] };
    const script = `[ "$DATABASE_URL" = "$(cat /keys/url)" ] && while [ ! -e '${cloudDir}/go' ]; do sleep 0.05; done`;
    const created = create(JOB, job("migrate", script, {}, container, pod));
    expect(await waitUntil(() => listPods(cloudDir).some(({ status }) => status?.phase === "Running"), 10_000)).toBe(
      true,
    );
    const forms = [canary, Buffer.from(canary).toString("base64")];
    // A draft may have become the file itself since it was listed; then that file is listed too.
    const written = () => filesBelow(cloudDir).filter((file) => !file.endsWith(".tmp"));
    const holders = () => written().filter((file) => forms.some((form) => readFileSync(file).includes(form)));
    const own = join(cloudDir, "kubernetes", "secrets");
    expect(holders().length).toBe(2);
    expect(holders().every((file) => file.startsWith(`${own}/`) && (statSync(file).mode & 0o777) === 0o600)).toBe(true);
    expect(commandLines().filter(({ command }) => command.includes(canary))).toEqual([]);
    writeFileSync(join(cloudDir, "go"), "");
    await created;
    expect(holders()).toEqual([join(own, "default", "database.json")]);
  });

  test("refuses a ConfigMap that a real cluster would refuse for its size", async () => {
    const bytes = (length: number) => ({ a: Buffer.alloc(length).toString("base64") });
    await create(MAP, { metadata: { name: "fits" }, binaryData: bytes(1024 * 1024) });
    await expect(create(MAP, { metadata: { name: "big" }, binaryData: bytes(1024 * 1024 + 1) })).rejects.toThrow(
      'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes',
    );
  });

  test("keeps an immutable ConfigMap as it is", async () => {
    const inputs = await check(MAP, { metadata: { name: "files" }, data: { a: "1" }, immutable: true });
    const { id, outputs } = await create(MAP, inputs);
    const changed = { ...inputs, data: { a: "2" } };
    const update = { urn: MAP, id, inputs: changed, oldInputs: inputs, olds: outputs, timeout: 0, preview: false };
    await expect(provider.update(update)).rejects.toThrow(
      "data: Forbidden: field is immutable when `immutable` is set",
    );
  });

  test("leaves nothing running and nothing on the disk when its folder is deleted", async () => {
    await create(WEB, deployment("1"));
    expect(podProcesses(cloudDir).length).toBe(2);
    rmSync(cloudDir, { recursive: true });
    expect(await waitUntil(() => processesNaming(cloudDir).length === 0, 20_000)).toBe(true);
    expect(existsSync(cloudDir)).toBe(false);
  });

  test("leaves nothing running after kill -9 of the background process at any instant", async () => {
    const client = async () => connect(cloudDir);
    // Milliseconds after the API has taken the objects: before, while and after their processes start.
    for (const delay of [0, 5, 20, 80, 320]) {
      const name = `run-${delay}`;
      const script = `echo started >> '${cloudDir}/${name}'; while :; do sleep 0.05; done`;
      const cloud = await client();
      const { pid } = JSON.parse(readFileSync(join(cloudDir, "daemon.json"), "utf8")) as { pid: number };
      await cloud.call("kubernetes.apply", { object: deployment(String(delay)) });
      await cloud.call("kubernetes.apply", { object: job(name, script) });
      await new Promise((passed) => setTimeout(passed, delay));
      process.kill(pid, "SIGKILL");
      await stopCloud(cloudDir);
      expect(processesNaming(cloudDir)).toEqual([]);
      const reference = { group: "batch", kind: "Job", namespace: "default", name };
      await (await client()).call("kubernetes.awaitReady", { reference, timeoutSeconds: 1 });
      const starts = existsSync(join(cloudDir, name)) ? readFileSync(join(cloudDir, name), "utf8") : "";
      expect(["", "started\n"]).toContain(starts);
      await (await client()).call("kubernetes.delete", { reference });
    }
  });

  test("cleans up what a killed background process left, and brings the app back", async () => {
    await create(WEB, deployment("1"));
    const before = podProcesses(cloudDir);
    expect(before.length).toBe(2);
    const { pid } = JSON.parse(readFileSync(join(cloudDir, "daemon.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    const client = await connect(cloudDir);
    const reference = { group: "apps", kind: "Deployment", namespace: "default", name: "web" };
    expect(await client.call("kubernetes.awaitReady", { reference, timeoutSeconds: 20 })).toMatchObject({
      outcome: "ready",
    });
    const after = podProcesses(cloudDir);
    expect(after.length).toBe(2);
    expect(after.some((pid) => before.includes(pid))).toBe(false);
  });

  test("leaves no process when the cloud is stopped, also after the background process was killed", async () => {
    await create(WEB, deployment("1"));
    const { pid } = JSON.parse(readFileSync(join(cloudDir, "daemon.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    expect(podProcesses(cloudDir).length).toBe(2);
    await stopCloud(cloudDir);
    expect(podProcesses(cloudDir)).toEqual([]);
    expect(existsSync(join(cloudDir, "daemon.json"))).toBe(false);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The server's processes; the cloud's folder is on their command line. */
function podProcesses(cloudDir: string): number[] {
  return commandLines()
    .filter(({ command }) => command.endsWith(`server.mjs ${cloudDir}`))
    .map(({ pid }) => pid);
}
