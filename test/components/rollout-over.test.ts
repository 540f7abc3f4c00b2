import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from "vitest";
import { parseSettings, type Settings } from "../../components";
import type { LiveObject } from "../../components/live-objects";
import { asApplied, deploymentAsApplied, type LiveRollout, TAKEN_BACK_ANNOTATION } from "../../components/live-rollout";
import { MANIFEST_ANNOTATION, manifestHash } from "../../components/manifest";
import { rolloutManifests } from "../../components/rollout-gate";
import { rolloutOver } from "../../components/rollout-over";
import { PulumiRecorder } from "../support/pulumi-recorder";

const HISTORY = { fingerprint: "f".repeat(64), migrations: [] };
const CHANGED_AT = "2026-11-30T10:00:00Z";

function settings(app: object = {}, workloads: object[] = []): Settings {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:2", ...app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    workloads,
  });
  if (!settings) throw new Error(problems.join("\n"));
  return settings;
}

interface Change {
  manager: string;
  subresource?: string;
  fields: object;
  spec?: object;
  annotations?: Record<string, string>;
}

const IMAGE = {
  "f:template": { "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:image": {} } } } },
};
const hotfix = { template: { spec: { containers: [{ name: "app", image: "notes:hotfix" }] } } };
const scaled = (replicas: number, manager = "kubectl"): Change => ({
  manager,
  subresource: "scale",
  fields: { "f:replicas": {} },
  spec: { replicas },
});

/** The Deployment of the release, as Pulumi made it, and with what somebody has done to it since. */
function pair(of: Settings, name: string, change?: Change) {
  const manifest = rolloutManifests(of, HISTORY).find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === name,
  )!;
  const own = change?.subresource ? {} : { "f:replicas": {} };
  const by = change && {
    manager: change.manager,
    operation: "Update",
    // Kubernetes records no time for the subresource.
    ...(change.subresource ? { subresource: change.subresource } : { time: CHANGED_AT }),
    fieldsV1: {
      "f:spec": change.fields,
      "f:metadata": {
        "f:annotations": Object.fromEntries(Object.keys(change.annotations ?? {}).map((key) => [`f:${key}`, {}])),
      },
    },
  };
  const live = {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      annotations: { [MANIFEST_ANNOTATION]: manifestHash(manifest), ...change?.annotations },
      generation: 7,
      managedFields: [
        { manager: "pulumi-kubernetes-ab12cd34", operation: "Apply", fieldsV1: { "f:spec": own } },
        ...(by ? [by] : []),
      ],
    },
    spec: { ...manifest.spec, ...change?.spec },
  } as unknown as LiveObject;
  return { manifest, live };
}

let warn: MockInstance;
beforeEach(async () => {
  await new PulumiRecorder().start();
  warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => void vi.restoreAllMocks());

const said = () => warn.mock.calls.map(([message]) => message as string).join("\n---\n");
const marker = (rollout: LiveRollout) => rollout.get("Deployment/notes")?.takenBack;

test("is silent about what nobody else has changed", () => {
  const of = settings();
  expect(rolloutOver(of, [pair(of, "notes")])).toEqual(
    new Map([["Deployment/notes", { replicas: { count: 2, own: true }, takenBack: undefined }]]),
  );
  expect(warn).not.toHaveBeenCalled();
});

test("tells of a changed image who changed it, when, and what the rollout sets again", () => {
  const of = settings();
  const rollout = rolloutOver(of, [pair(of, "notes", { manager: "kubectl-set", fields: IMAGE, spec: hotfix })]);
  expect(said()).toBe(
    "Others have changed what this stack sets. The rollout sets it again:\n" +
      `  Deployment notes: kubectl-set at ${CHANGED_AT} changed spec.template.spec.containers[name="app"].image: it is notes:hotfix, and this release sets notes:2.\n` +
      "Nothing was touched yet: the database and the app are as they were.\n" +
      "Next: to keep such a value, put it into the settings before you run `up`.",
  );
  expect(marker(rollout)).toBe(CHANGED_AT);
});

test("a rollout that was undone is made again, although the settings are unchanged", () => {
  const of = settings();
  const undone = {
    manager: "kubectl-rollout",
    fields: IMAGE,
    spec: hotfix,
    annotations: { [MANIFEST_ANNOTATION]: "older" },
  };
  const rollout = rolloutOver(of, [pair(of, "notes", undone)]);
  expect(said()).toContain("notes:hotfix");
  expect(said()).not.toContain(MANIFEST_ANNOTATION);
  expect(marker(rollout)).toBe(CHANGED_AT);
});

test("what was taken back once stays marked, so that the next up has nothing to do", () => {
  const of = settings();
  const quiet = pair(of, "notes");
  quiet.live.metadata.annotations![TAKEN_BACK_ANNOTATION] = "2026-11-29T08:00:00Z";
  expect(marker(rolloutOver(of, [quiet]))).toBe("2026-11-29T08:00:00Z");
  expect(warn).not.toHaveBeenCalled();
});

test("keeps pods that a person has added, and names both ways out", () => {
  const of = settings({ replicas: 3 });
  const rollout = rolloutOver(of, [pair(of, "notes", scaled(5))]);
  expect(said()).toBe(
    "Deployment notes has 5 pods, set by kubectl (scale), and app.replicas is 3.\n" +
      "The rollout keeps the 5 pods: it never removes pods that somebody else has added.\n" +
      "Next: to keep them, set app.replicas to 5; to go back to 3: kubectl -n default scale deployments.apps notes --replicas=3",
  );
  expect(marker(rollout)).toBeUndefined();
});

test("keeps an autoscaler's pods, and names the setting that leaves the number to it", () => {
  const of = settings({}, [{ kind: "worker", name: "mailer" }]);
  rolloutOver(of, [pair(of, "notes-mailer", scaled(4, "kube-controller-manager"))]);
  expect(said()).toContain("set by kube-controller-manager (scale)");
  expect(said()).toContain('set workloads[0].replicas to "external", because an autoscaler sets the number');
});

test("adds pods again that a person has removed", () => {
  const of = settings({ replicas: 3 });
  const rollout = rolloutOver(of, [pair(of, "notes", scaled(1))]);
  expect(said()).toContain("kubectl (scale) changed spec.replicas: it is 1, and this release sets 3.");
  expect(marker(rollout)).toBe("generation 7");
  // Somebody removes them a second time. Another mark makes Pulumi apply the Deployment again.
  const again = pair(of, "notes", scaled(1));
  again.live.metadata.generation = 9;
  again.live.metadata.annotations![TAKEN_BACK_ANNOTATION] = "generation 7";
  expect(marker(rolloutOver(of, [again]))).toBe("generation 9");
});

test("does not apply an unchanged Deployment again after each time that an autoscaler has lowered its number", () => {
  const of = settings({ replicas: 3 });
  const rollout = rolloutOver(of, [pair(of, "notes", scaled(1, "kube-controller-manager"))]);
  expect(said()).toContain("changed spec.replicas: it is 1, and this release sets 3.");
  expect(marker(rollout)).toBeUndefined();
});

test("says nothing of a number that is left to an autoscaler, unless it is 0", () => {
  const of = settings({ replicas: "external" });
  rolloutOver(of, [pair(of, "notes", scaled(7, "kube-controller-manager"))]);
  expect(warn).not.toHaveBeenCalled();
  rolloutOver(of, [pair(of, "notes", scaled(0))]);
  expect(said()).toContain("Deployment notes has 0 pods, and app.replicas leaves the number to somebody else");
});

test("says before a rollout without the old version that requests will fail, and not when nothing is rolled out", () => {
  const of = settings({ strategy: "recreate", downtime: "accepted" });
  const unchanged = pair(of, "notes");
  rolloutOver(of, [unchanged]);
  expect(warn).not.toHaveBeenCalled();
  unchanged.live.metadata.annotations![MANIFEST_ANNOTATION] = "older";
  rolloutOver(of, [unchanged]);
  expect(said()).toContain(
    'app.strategy is "recreate": requests fail from the moment the old pods of Deployment notes end',
  );
});

test("says of an object that is taken over only that its pods are kept, not that its maker changed it", () => {
  const of = settings({ replicas: 3 });
  const change = { ...scaled(5), fields: { "f:replicas": {}, ...IMAGE }, spec: { replicas: 5, ...hotfix } };
  const foreign = pair(of, "notes", change);
  foreign.live.metadata.managedFields!.shift();
  const rollout = rolloutOver(of, [foreign]);
  expect(said()).toContain("The rollout keeps the 5 pods");
  expect(said()).not.toContain("Others have changed");
  expect(rollout.get("Deployment/notes")).toMatchObject({ replicas: { count: 5, own: false }, foreign: true });
});

test("never shows the value of a variable that somebody has set", () => {
  const fields = {
    "f:template": {
      "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:env": { 'k:{"name":"PORT"}': { "f:value": {} } } } } },
    },
  };
  const spec = { template: { spec: { containers: [{ name: "app", env: [{ name: "PORT", value: "s3cret" }] }] } } };
  const of = settings();
  rolloutOver(of, [pair(of, "notes", { manager: "kubectl-set", fields, spec })]);
  expect(said()).toContain('changed spec.template.spec.containers[name="app"].env[name="PORT"].value.');
  expect(said()).not.toContain("s3cret");
});

test("without a look at the cluster no object takes back what others have changed", () => {
  const [service] = rolloutManifests(settings(), HISTORY);
  const annotations = (live: LiveRollout | undefined) => asApplied(service!, live).metadata.annotations;
  expect(annotations(undefined)).not.toHaveProperty(["pulumi.com/patchForce"]);
  expect(annotations(new Map())).toHaveProperty(["pulumi.com/patchForce"], "true");
});

test.each<[what: string, app: object, live: LiveRollout | undefined, replicas: number | undefined, ignored: boolean]>([
  ["a new Deployment has the settings' number", { replicas: 3 }, new Map(), 3, false],
  [
    "a new Deployment with an autoscaler starts with its least",
    { autoscaling: { min: 4, max: 9, cpuPercent: 70 } },
    new Map(),
    4,
    true,
  ],
  ["a new Deployment with a number of its own starts with 2", { replicas: "external" }, new Map(), 2, true],
  [
    "without a look at the cluster an autoscaler's number is left alone too",
    { replicas: "external" },
    undefined,
    2,
    true,
  ],
  ["an existing one with an autoscaler gets no number", { replicas: "external" }, existing(5, false), undefined, true],
  ["one that somebody has scaled up gets no number", { replicas: 3 }, existing(5, false), undefined, true],
  ["one with fewer pods gets the settings' number", { replicas: 3 }, existing(2, false), 3, false],
])("%s", (_, app, live, replicas, ignored) => {
  const of = settings(app);
  const manifest = rolloutManifests(of, HISTORY)[1] as Parameters<typeof deploymentAsApplied>[0];
  const { manifest: applied, ignoreChanges } = deploymentAsApplied(manifest, of.app, "app", live);
  expect(applied.spec.replicas).toBe(replicas);
  expect(ignoreChanges).toEqual(ignored ? ["spec.replicas"] : []);
});

function existing(count: number, own: boolean): LiveRollout {
  return new Map([["Deployment/notes", { replicas: { count, own } }]]);
}
