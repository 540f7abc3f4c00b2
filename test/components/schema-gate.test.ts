import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { parseSettings, Release, rolloutGate, SchemaGateMissing } from "../../components";
import { manifestHash } from "../../components/manifest";
import { rolloutManifests } from "../../components/rollout-gate";
import { PulumiRecorder } from "../support/pulumi-recorder";

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

const migration = (name: string, sql = "") => ({ name, sql, checksum: "" });
const HISTORY = {
  contract: true,
  migrations: [
    ...Array.from({ length: 20 }, (_, index) => migration(`${index + 10}_a`)),
    migration("30_$(PGPASSWORD)"),
    migration("31_drop", "-- release: contract\nDROP TABLE a;"),
  ],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};
const PROGRAM = "// the program";

function settings(app: object = { schemaGate: true }, database: object = { secret: { name: "notes-database" } }) {
  const parsed = parseSettings({
    app: { name: "notes", image: "notes:1", ...app },
    database: { identifier: "notes-db", ...database },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    migrations: { directory: "migrations", image: "node:stock" },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "nightly", schedule: "@daily" },
    ],
  });
  expect(parsed.problems).toEqual([]);
  return parsed.settings!;
}

async function release(of = settings(), history = HISTORY, schemaGate: string | undefined = PROGRAM) {
  new Release("notes", { settings: of, history, migrator: "// migrator", schemaGate });
  await pulumi.runtime.disconnect();
  const deployments = recorder.all("kubernetes:apps/v1:Deployment");
  const cron = recorder.only("kubernetes:batch/v1:CronJob");
  const specs = deployments.map(({ inputs }) => inputs["spec"].template.spec);
  return { deployments, pods: [...specs, cron.inputs["spec"].jobTemplate.spec.template.spec] };
}

const gateFiles = () =>
  recorder.all("kubernetes:core/v1:ConfigMap").filter(({ inputs }) => inputs["metadata"].name.includes("schema-gate"));

describe("the schema gate", () => {
  test("is in no pod by default", async () => {
    const { pods } = await release(settings({}));
    for (const pod of pods) expect(pod.initContainers).toBeUndefined();
    expect(gateFiles()).toEqual([]);
  });

  test("stands before the app and every workload, with the app's own connection, and what comes before the rollout", async () => {
    const { pods } = await release();
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      const [gate] = pod.initContainers;
      expect(pod.initContainers).toHaveLength(1);
      expect(gate).toMatchObject({ name: "schema-gate", image: "node:stock" });
      expect(gate.env).toEqual([
        { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "url" } } },
      ]);
      const awaited = gate.args.filter((_: string, index: number) => gate.args[index - 1] === "--for");
      // The last 20 without the contract migration; Kubernetes would replace $(PGPASSWORD) in an argument.
      expect(awaited).toHaveLength(20);
      expect(awaited[0]).toBe("11_a");
      expect(awaited.at(-1)).toBe("30_$$(PGPASSWORD)");
      expect(gate.args.slice(-2)).toEqual(["--wait-timeout", "2m"]);
      expect(gate.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
      expect(pod.volumes).toEqual([
        { name: "schema-gate", configMap: { name: gateFiles()[0]!.inputs["metadata"].name } },
      ]);
    }
  });

  test("has a ConfigMap that stays when another takes its place, and that no release with the same program changes", async () => {
    const { deployments } = await release();
    const [files] = gateFiles();
    expect(files).toMatchObject({
      inputs: { immutable: true, data: { "schema-gate.cjs": PROGRAM } },
      options: { retainOnDelete: true },
    });
    expect(gateFiles()).toHaveLength(1);
    // The Deployment waits for it, and takes none of its outputs: a replacement would delete the Deployment.
    for (const { options } of deployments) {
      expect(options.dependsOn.some((urn) => urn.includes("notes-schema-gate"))).toBe(true);
      expect(Object.values(options.propertyDependencies).flat()).toEqual([]);
    }
    recorder = new PulumiRecorder();
    await recorder.start();
    const more = { ...HISTORY, fingerprint: "e".repeat(64), migrations: [...HISTORY.migrations, migration("32_b")] };
    await release(settings(), more);
    expect(gateFiles()).toMatchObject([{ name: files!.name, inputs: files!.inputs }]);
  });

  test("finds its connection as the app does, in parts and in files, whatever the app's variable is called", async () => {
    const secret = { name: "notes-app", passwordKey: "password", hostKey: "host", nameKey: "dbname" };
    const split = await release(settings({ schemaGate: true }, { secret, parameters: { schema: "notes" } }));
    const [gate] = split.pods[0].initContainers;
    expect(gate.env.map(({ name }: { name: string }) => name)).toEqual([
      "PGHOST",
      "PGPORT",
      "PGUSER",
      "PGPASSWORD",
      "PGDATABASE",
    ]);
    expect(gate.args.slice(-2)).toEqual(["--parameter", "schema=notes"]);
    recorder = new PulumiRecorder();
    await recorder.start();
    const file = { secretProviderClass: "notes-app" };
    const { pods } = await release(settings({ schemaGate: true }, { file, env: "NOTES_URL" }));
    for (const { initContainers, containers, volumes } of pods) {
      expect(initContainers[0].env).toEqual([{ name: "DATABASE_URL_FILE", value: "/run/database/url" }]);
      const mount = { name: "database", mountPath: "/run/database", readOnly: true };
      expect(initContainers[0].volumeMounts).toContainEqual(mount);
      expect(containers[0].volumeMounts).toEqual([mount]);
      expect(volumes.map(({ name }: { name: string }) => name)).toEqual(["schema-gate", "database"]);
    }
  });

  test("is part of what the rollout gate compares", async () => {
    const of = settings();
    const { deployments } = await release(of);
    const [, expected] = rolloutManifests(of, HISTORY, PROGRAM);
    expect(deployments[0]!.inputs["metadata"].annotations["release/manifest"]).toBe(manifestHash(expected!));
  });

  test("waits for nothing where there are no migrations", async () => {
    const { pods } = await release(settings(), { ...HISTORY, contract: false, migrations: [] });
    expect(pods[0].initContainers).toBeUndefined();
  });

  test("ends a program without it before anything is registered, with what to write", async () => {
    const of = settings();
    const args = { settings: of, history: HISTORY, migrator: "// migrator" };
    expect(() => new Release("notes", args)).toThrow(SchemaGateMissing);
    await expect(rolloutGate(of, HISTORY, { script: "", stack: "test" })).rejects.toThrow(
      /inputs that prepareRelease\(\) returns/,
    );
    expect(recorder.registrations).toEqual([]);
  });
});
