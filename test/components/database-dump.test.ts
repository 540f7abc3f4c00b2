import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { type Live, parseReleaseOutputs, parseSettings, planBackup, Release, stackOutputs } from "../../components";
import { DumpProgramMissing } from "../../components/database-dump";
import { PulumiRecorder } from "../support/pulumi-recorder";

const JOB = "kubernetes:batch/v1:Job";
const KEY = "age1gde3ncmahlqd9gg50tanl99r960llztrhfapnmx853s4tjum03uqfssgdh";
const FINGERPRINT = "f".repeat(64);
const HISTORY = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: FINGERPRINT,
  payload: [Buffer.from("payload")],
};
const BUCKET = { to: "s3://notes-backups/prod", recipients: [KEY], secret: { name: "notes-store" } };

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

async function release(dump: object, { live = {}, dumper = "// dumper" }: { live?: Live; dumper?: string } = {}) {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" } },
    migrations: { directory: "migrations", pod: { spec: { tolerations: [{ key: "jobs", operator: "Exists" }] } } },
    backup: { mode: "dump", image: "postgres:17-alpine", timeout: "2h", dump },
  });
  expect(problems).toEqual([]);
  const of = { settings: settings!, history: HISTORY, migrator: "// migrator" };
  const backup = await planBackup(settings!, HISTORY, { live });
  const made = new Release("notes", { ...of, backup, ...(dumper ? { dumper } : {}) });
  const all = await new Promise<unknown>((resolve) => {
    pulumi.output(stackOutputs(made)).apply(resolve);
  });
  await pulumi.runtime.disconnect();
  return parseReleaseOutputs(all);
}

const job = (component: string) =>
  recorder.all(JOB).find(({ inputs }) => inputs["metadata"].labels["app.kubernetes.io/component"] === component)!;

describe("the Job of a dump", () => {
  test("stands between preflight and migration, and is named by the migrations", async () => {
    await release(BUCKET);
    const { inputs, options } = job("dump");
    expect(inputs["metadata"].name).toBe("notes-dump-ffffffffffff");
    expect(inputs["spec"]).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 2 * 3600 + 120 });
    expect(options.dependsOn.join()).toContain("notes-preflight");
    expect(job("migrate").options.dependsOn.join()).toContain("notes-dump-ffffffffffff");
    const words: string[] = job("migrate").inputs["spec"].template.spec.containers[0].args;
    const at = words.indexOf("--snapshot");
    expect(words.slice(at, at + 4)).toEqual([
      "--snapshot",
      expect.stringContaining("/notes-ffffffffffff"),
      "--backup-kind",
      "dump",
    ]);
  });

  test("makes a parallel dump on a disk of its pod", async () => {
    await release({ ...BUCKET, jobs: 4, scratch: { size: "200Gi", storageClass: "gp3" } });
    const { spec } = job("dump").inputs["spec"].template;
    const [store, client] = spec.containers;
    expect(store.args.join(" ")).toContain("--jobs 4");
    expect(client.command.at(-1)).toContain("--format=directory --jobs=4");
    expect(client.env).toContainEqual({ name: "SCRATCH_FOLDER", value: "/scratch" });
    expect(client.volumeMounts).toContainEqual({ name: "dump-scratch", mountPath: "/scratch" });
    expect(store.volumeMounts).not.toContainEqual({ name: "dump-scratch", mountPath: "/scratch" });
    const [volume] = spec.volumes.filter(({ name }: { name: string }) => name === "dump-scratch");
    expect(volume.ephemeral.volumeClaimTemplate.spec).toEqual({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "gp3",
      resources: { requests: { storage: "200Gi" } },
    });
  });

  test("gets its settings, and no secret but by reference", async () => {
    await release(BUCKET);
    const { spec } = job("dump").inputs["spec"].template;
    const [store, client] = spec.containers;
    expect(client).toMatchObject({ name: "pg-dump", image: "postgres:17-alpine" });
    expect(client.env).toEqual([{ name: "DUMP_FOLDER", value: "/dump" }]);
    const text = store.args.join(" ");
    for (const part of [
      "--to s3://notes-backups/prod",
      `--recipient ${KEY}`,
      "--timeout 2h",
      "--last-migration 1_init",
    ])
      expect(text).toContain(part);
    expect(store.env).toContainEqual({
      name: "AWS_SECRET_ACCESS_KEY",
      valueFrom: { secretKeyRef: { name: "notes-store", key: "AWS_SECRET_ACCESS_KEY" } },
    });
    expect(spec.tolerations).toEqual([{ key: "jobs", operator: "Exists" }]);
    expect(spec.volumes).toContainEqual({ name: "dump-shared", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } });
  });

  test("mounts the volume of a claim, to which its group may write", async () => {
    await release({ claim: "notes-backups" });
    const { spec } = job("dump").inputs["spec"].template;
    expect(spec.securityContext.fsGroup).toBe(spec.securityContext.runAsUser);
    expect(spec.volumes).toContainEqual({ name: "dump-claim", persistentVolumeClaim: { claimName: "notes-backups" } });
    expect(spec.containers[0].volumeMounts).toContainEqual({ name: "dump-claim", mountPath: "/backups" });
    expect(spec.containers[0].args.join(" ")).toContain("--claim notes-backups --claim-folder /backups");
  });

  test("is not waited for by a release of only a new image, whose outputs go on naming the same dump", async () => {
    const id = `${pulumi.getProject()}.${pulumi.getStack()}/notes-ffffffffffff`;
    const times = { createdAt: "2026-11-30T10:00:00Z", completedAt: "2026-11-30T10:05:00Z" };
    const backup = {
      kind: "dump" as const,
      id,
      location: "s3://notes-backups/prod/x",
      ...times,
      checksum: "ab",
      copy: null,
    };
    const live = { fingerprint: FINGERPRINT, attempt: 1, backup };
    expect((await release(BUCKET, { live })).backup).toEqual(backup);
    expect(job("migrate").options.dependsOn.join()).not.toContain("notes-dump");
    expect(job("dump").options.ignoreChanges).toEqual(['spec.template.metadata.annotations["release/id"]']);
  });

  test("needs the program that stores the dump", async () => {
    await expect(release(BUCKET, { dumper: "" })).rejects.toThrow(DumpProgramMissing);
  });
});
