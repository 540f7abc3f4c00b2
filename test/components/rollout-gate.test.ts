import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import { parseSettings, rolloutGate, type Settings } from "../../components";
import type { LiveObject } from "../../components/live-objects";
import { MANIFEST_ANNOTATION, manifestHash } from "../../components/manifest";
import { rolloutManifests } from "../../components/rollout-gate";
import { PulumiRecorder } from "../support/pulumi-recorder";

const HISTORY = { fingerprint: "f".repeat(64) };
const READER = { script: "// reader", stack: "test" };

function settings(image: string, more: object = {}): Settings {
  const parsed = parseSettings({
    app: { name: "notes", image },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "cleanup", schedule: "0 3 * * *" },
    ],
    ...more,
  });
  return parsed.settings!;
}

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

type Changes = Partial<Record<"Service" | "Deployment" | "CronJob" | "PodDisruptionBudget", [string, object, object]>>;

/** The objects of the release of notes:1 as Pulumi made them; one field of each kind named is then set by a manager. */
function cluster(changes: Changes = {}, maker = "pulumi-kubernetes-ab12cd34"): LiveObject[] {
  return rolloutManifests(settings("notes:1"), HISTORY).map((manifest) => {
    const change = changes[manifest.kind as keyof Changes];
    const [manager, fieldsV1, spec] = change ?? ["", {}, {}];
    const managedFields = [
      { manager: maker, operation: "Apply", fieldsV1: { "f:spec": {} } },
      ...(change
        ? [
            {
              manager,
              operation: "Update",
              ...(manager === "kubectl" ? { subresource: "scale" } : {}),
              fieldsV1: { "f:spec": fieldsV1 },
            },
          ]
        : []),
    ];
    return {
      ...manifest,
      metadata: {
        ...manifest.metadata,
        annotations: { ...manifest.metadata.annotations, [MANIFEST_ANNOTATION]: manifestHash(manifest) },
        managedFields,
      },
      spec: { ...manifest.spec, ...spec },
    } as unknown as LiveObject;
  });
}

function gate(live: LiveObject[], of = settings("notes:2")): Promise<void> {
  recorder.stdout = JSON.stringify({ objects: live });
  return rolloutGate(of, HISTORY, READER);
}

test("asks for every object that is applied after the migration, by its kind, group and name", async () => {
  await gate([]);
  const { command, environment } = recorder.calls.find(({ token }) => token === "command:local:run")!.inputs;
  expect(command).toBe("node -");
  expect(JSON.parse(environment.RELEASE_REPORT)).toEqual({
    namespace: "default",
    resources: [
      "services/notes",
      "deployments.apps/notes",
      "poddisruptionbudgets.policy/notes",
      "deployments.apps/notes-mailer",
      "cronjobs.batch/notes-cleanup",
    ],
  });
});

test("is silent on a first release, and on what only Pulumi has changed", async () => {
  await expect(gate([])).resolves.toBeUndefined();
  await expect(gate(cluster())).resolves.toBeUndefined();
});

test("is silent when the release does not change the object that was scaled", async () => {
  const scaled = cluster({ Deployment: ["kubectl", { "f:replicas": {} }, { replicas: 7 }] });
  await expect(gate(scaled, settings("notes:1"))).resolves.toBeUndefined();
});

test("refuses to release over what was scaled by hand or by an autoscaler, with the setting that ends it", async () => {
  const scaled = cluster({ Deployment: ["kubectl", { "f:replicas": {} }, { replicas: 7 }] });
  const refused = await gate(scaled).catch((error: Error) => error.message);
  expect(refused).toBe(
    "The rollout of this release would fail, after the migration:\n" +
      "  Deployment notes: kubectl (scale) changed spec.replicas: it is 7, and this release sets 2.\n" +
      "  Deployment notes-mailer: kubectl (scale) changed spec.replicas: it is 7, and this release sets 1.\n" +
      "Nothing was touched: the database and the app are as they were.\n" +
      "Next: set app.replicas to 7, as many as run now; set workloads[0].replicas to 7, as many as run now. Then run the same command again.",
  );
  const setToSeven = { app: { name: "notes", image: "notes:2", replicas: 7 }, workloads: [] };
  await expect(gate(scaled, settings("notes:2", setToSeven))).resolves.toBeUndefined();
});

test("tells how to scale up again what was scaled to nothing", async () => {
  const scaled = cluster({ Deployment: ["kubectl", { "f:replicas": {} }, { replicas: 0 }] });
  await expect(gate(scaled, settings("notes:2", { workloads: [] }))).rejects.toThrow(
    "kubectl -n default scale deployments.apps notes --replicas=2",
  );
});

test.each<[string, Changes, string]>([
  [
    "the Service's type",
    { Service: ["kubectl-edit", { "f:type": {} }, { type: "NodePort" }] },
    "Service notes: kubectl-edit changed spec.type.",
  ],
  [
    "the CronJob's schedule",
    { CronJob: ["kubectl-patch", { "f:schedule": {} }, { schedule: "@daily" }] },
    "CronJob notes-cleanup: kubectl-patch changed spec.schedule: it is @daily, and this release sets 0 3 * * *.",
  ],
  [
    "the budget",
    { PodDisruptionBudget: ["kubectl-edit", { "f:maxUnavailable": {} }, { maxUnavailable: 0 }] },
    "PodDisruptionBudget notes: kubectl-edit changed spec.maxUnavailable: it is 0, and this release sets 1.",
  ],
])(
  "refuses to release over %s that somebody changed, with the command that hands the field back",
  async (_, changes, what) => {
    const live = cluster(changes);
    // As of an older version of the program, so that this release changes every object.
    for (const { metadata } of live) metadata.annotations = {};
    const refused = await gate(live).catch((error: Error) => error.message);
    expect(refused).toContain(what);
    expect(refused).toContain('--patch=\'[{"op":"test","path":"/metadata/managedFields/1/manager"');
  },
);

test("never shows the value of a variable that somebody has set", async () => {
  const fields = {
    "f:template": {
      "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:env": { 'k:{"name":"PORT"}': { "f:value": {} } } } } },
    },
  };
  const template = { spec: { containers: [{ name: "app", env: [{ name: "PORT", value: "s3cret" }] }] } };
  const refused = await gate(cluster({ Deployment: ["kubectl-set", fields, { template }] })).catch(
    (error: Error) => error.message,
  );
  expect(refused).toContain('kubectl-set changed spec.template.spec.containers[name="app"].env[name="PORT"].value.');
  expect(refused).not.toContain("s3cret");
});

test("refuses to mix its pods with those of a Deployment that Pulumi did not make", async () => {
  const refused = await gate(cluster({}, "helm").slice(1, 2)).catch((error: Error) => error.message);
  expect(refused).toContain("Deployment notes is there already, and Pulumi did not make it (helm did).");
  expect(refused).toContain(
    "set app.name to a name that is free; to have it replaced, kubectl -n default delete deployments.apps notes",
  );
});

test("takes over a Service that has the same values already", async () => {
  await expect(gate(cluster({}, "helm").slice(0, 1))).resolves.toBeUndefined();
});

test.each([
  ["kubectl is missing", JSON.stringify({ unknown: "kubectl is not on PATH" }), "kubectl is not on PATH"],
  ["the answer is no JSON", "", "Unexpected end of JSON input"],
])("says that it is unknown, and goes on, where %s", async (_, stdout, why) => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  recorder.stdout = stdout;
  await rolloutGate(settings("notes:2"), HISTORY, READER);
  expect(warn.mock.calls[0]![0]).toContain(`It is unknown whether the cluster will accept the rollout: ${why}.`);
  vi.restoreAllMocks();
});
