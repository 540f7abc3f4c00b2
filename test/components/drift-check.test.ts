import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { parseSettings, Release, type Settings } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

const CRON_JOB = "kubernetes:batch/v1:CronJob";
const RULE = { object: "index public.tmp_*", reason: "made by $(DATABASE_URL)" };

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

function settings(drift: object, more: Record<string, unknown> = {}): Settings {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" } },
    migrations: { directory: "migrations", serviceAccount: "migrator" },
    policy: { backup: "optional" },
    backup: { mode: "none" },
    drift,
    ...more,
  });
  if (!settings) throw new Error(problems.join("\n"));
  return settings;
}

async function release(of: Settings) {
  const migrations = [{ name: "1_init", sql: "", checksum: "" }];
  const history = { contract: false, migrations, fingerprint: "f".repeat(64), payload: [Buffer.from("payload")] };
  new Release("notes", { settings: of, history, migrator: "// migrator", signer: "// signer" });
  await pulumi.runtime.disconnect();
  const [preflight] = recorder
    .all("kubernetes:batch/v1:Job")
    .filter(({ inputs }) => inputs["metadata"].name.includes("preflight"));
  return { preflight: preflight!.inputs["spec"].template.spec.containers[0].args as string[] };
}

/** The CronJob, with its pod and container. */
function cronJob() {
  const { inputs, options } = recorder.only(CRON_JOB);
  const { template, ...job } = inputs["spec"].jobTemplate.spec;
  return { inputs, options, job, pod: template.spec, container: template.spec.containers[0] };
}

test("drift.schedule makes a CronJob whose Job is tried once, is bounded, and has no credentials of the cluster", async () => {
  const { preflight } = await release(settings({ schedule: "30 6 * * *", ignore: [RULE], deadline: "5m" }));
  const { inputs, options, job, pod, container } = cronJob();
  expect(inputs["metadata"]).toMatchObject({ name: "notes-drift", namespace: "default" });
  expect(inputs["spec"]).toMatchObject({
    schedule: "30 6 * * *",
    concurrencyPolicy: "Forbid",
    successfulJobsHistoryLimit: 1,
    failedJobsHistoryLimit: 3,
    startingDeadlineSeconds: 3600,
  });
  expect(job).toEqual({ backoffLimit: 0, activeDeadlineSeconds: 300 });
  expect(pod).toMatchObject({ automountServiceAccountToken: false, restartPolicy: "Never" });
  // Kubernetes would put the connection string where the reason has its name.
  const ignored = ["--ignore", "index public.tmp_*=made by $$(DATABASE_URL)"];
  expect(container.args.slice(0, 3)).toEqual(["drift", "--payload", expect.any(String)]);
  expect(container.args).toEqual(expect.arrayContaining(ignored));
  expect(preflight).toEqual(expect.arrayContaining(ignored));
  expect(container.env).toContainEqual({
    name: "DATABASE_URL",
    valueFrom: { secretKeyRef: { name: "notes-database", key: "direct-url" } },
  });
  expect(pod.volumes[0].projected.sources).toHaveLength(2);
  expect(options.dependsOn.join()).toContain("notes-migrate");
});

test("drift.secret gives the CronJob a role of its own, also where the migration logs in by IAM", async () => {
  const database = {
    identifier: "notes-db",
    auth: "iam",
    host: "a.b.eu-central-1.rds.amazonaws.com",
    name: "notes",
    user: "notes_migrator",
  };
  await release(settings({ schedule: "@daily", secret: { name: "notes-drift" } }, { database }));
  const { pod, container } = cronJob();
  expect(container.env).toEqual([
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-drift", key: "url" } } },
  ]);
  expect(container.args).not.toContain("iam");
  expect(pod.serviceAccountName).toBeUndefined();
});

test("without drift.schedule there is no CronJob", async () => {
  await release(settings({ ignore: [RULE] }));
  expect(recorder.all(CRON_JOB)).toEqual([]);
});
