import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import { parseSettings, rolloutGate, type Settings } from "../../components";
import type { LiveObject } from "../../components/live-objects";
import type { LiveRollout } from "../../components/live-rollout";
import { MANIFEST_ANNOTATION, manifestHash } from "../../components/manifest";
import { rolloutManifests } from "../../components/rollout-gate";
import { PulumiRecorder } from "../support/pulumi-recorder";

const HISTORY = { fingerprint: "f".repeat(64), migrations: [] };
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

function gate(live: LiveObject[], of = settings("notes:2")): Promise<LiveRollout | undefined> {
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
      "configmaps/notes-restore-check",
    ],
  });
});

test("is silent on a first release, and on what only Pulumi has changed", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  expect((await gate([]))?.size).toBe(0);
  expect((await gate(cluster()))?.size).toBe(5);
  expect(warn).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test("warns when the last check that restored a backup failed or is old, and not when it is right", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const checked = (result: string, at: Date) => {
    const data = { backup: "dump notes-1", at: at.toISOString(), seconds: "18", result, reason: "no key" };
    return { kind: "ConfigMap", metadata: { name: "notes-restore-check" }, data };
  };
  await gate([checked("restored", new Date())]);
  expect(warn).not.toHaveBeenCalled();
  await gate([checked("failed", new Date())]);
  expect(warn).toHaveBeenLastCalledWith(
    expect.stringMatching(/could not restore dump notes-1: no key\.\n(.*\n)Next: .* check --stack/),
  );
  await gate([checked("restored", new Date(Date.now() - 40 * 86_400_000))]);
  expect(warn).toHaveBeenLastCalledWith(expect.stringContaining("40 days ago"));
  vi.restoreAllMocks();
});

test("goes on over what others have changed, and says what the rollout sets again", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const edited = cluster({ CronJob: ["kubectl-patch", { "f:schedule": {} }, { schedule: "@daily" }] });
  const rollout = await gate(edited);
  expect(warn.mock.calls[0]![0]).toContain("CronJob notes-cleanup: kubectl-patch changed spec.schedule");
  expect([...rollout!.keys()]).toEqual([
    "Service/notes",
    "Deployment/notes",
    "PodDisruptionBudget/notes",
    "Deployment/notes-mailer",
    "CronJob/notes-cleanup",
  ]);
  vi.restoreAllMocks();
});

test("refuses to change a Deployment that Pulumi did not make, and proposes the settings that take it over", async () => {
  const refused = await gate(cluster({}, "helm").slice(1, 2)).catch((error: Error) => error.message);
  expect(refused).toContain("Deployment notes is there already, and Pulumi did not make it (helm did).");
  expect(refused).toContain(
    "Nothing was touched: the database and the app are as they were.\nNext: to leave Deployment notes alone",
  );
  expect(refused).toContain(
    "put what stands below into the settings of this stack. Then run the same command again.\n  app:\n    adopt: true",
  );
});

test("hands an existing app over when the settings take it over, and only in up", async () => {
  const { selector } = cluster()[1]!["spec"] as { selector: { matchLabels: object } };
  const adopting = settings("notes:2", {
    app: { name: "notes", image: "notes:2", adopt: true, selector: selector.matchLabels },
  });
  const handedOver = () =>
    recorder.calls.filter(({ inputs }) => /"handOver"/.test(inputs["environment"]?.RELEASE_REPORT));
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const foreign = cluster({}, "helm").slice(0, 2);
  expect((await gate(foreign, adopting))?.size).toBe(2);
  expect(JSON.parse(handedOver()[0]!.inputs["environment"].RELEASE_REPORT)).toEqual({
    namespace: "default",
    handOver: { to: "pulumi-release", resources: ["services/notes", "deployments.apps/notes"] },
  });
  expect(warn.mock.calls.join()).toContain("This release takes over Service notes, Deployment notes.");
  recorder = new PulumiRecorder();
  await recorder.start(true);
  await gate(foreign, adopting);
  expect(handedOver()).toEqual([]);
  vi.restoreAllMocks();
});

test("refuses to take over what it can't look at", async () => {
  recorder.stdout = JSON.stringify({ unknown: "kubectl is not on PATH" });
  const adopting = settings("notes:2", { app: { name: "notes", image: "notes:2", adopt: true } });
  await expect(rolloutGate(adopting, HISTORY, READER)).rejects.toThrow(
    "It is unknown what the app that app.adopt takes over is like: kubectl is not on PATH.",
  );
});

test("takes over a Service that has the same values already", async () => {
  expect((await gate(cluster({}, "helm").slice(0, 1)))?.size).toBe(1);
});

test.each([
  ["kubectl is missing", JSON.stringify({ unknown: "kubectl is not on PATH" }), "kubectl is not on PATH"],
  ["the answer is no JSON", "", "Unexpected end of JSON input"],
])("says that it is unknown, and goes on, where %s", async (_, stdout, why) => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  recorder.stdout = stdout;
  expect(await rolloutGate(settings("notes:2"), HISTORY, READER)).toBeUndefined();
  expect(warn.mock.calls[0]![0]).toContain(`It is unknown whether the cluster will accept the rollout: ${why}.`);
  vi.restoreAllMocks();
});
