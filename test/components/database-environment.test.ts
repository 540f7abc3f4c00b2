import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { parseSettings, Release } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

const HISTORY = { contract: false, migrations: [], fingerprint: "f".repeat(64), payload: [Buffer.from("payload")] };

/** Declares a release with these settings of the database, and returns the specs of its pods. */
async function pods(database: object, more: { migrations?: object; databaseSecret?: pulumi.Input<string> } = {}) {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", ...database },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    migrations: { directory: "migrations", ...more.migrations },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "nightly", schedule: "@daily" },
    ],
  });
  expect(problems).toEqual([]);
  const provided = more.databaseSecret === undefined ? {} : { databaseSecret: more.databaseSecret };
  new Release("notes", { settings: settings!, history: HISTORY, migrator: "// migrator", provided });
  await pulumi.runtime.disconnect();
  const jobs = recorder.all("kubernetes:batch/v1:Job").map(({ inputs }) => inputs["spec"].template.spec);
  const deployments = recorder.all("kubernetes:apps/v1:Deployment").map(({ inputs }) => inputs["spec"].template.spec);
  const cron = recorder.only("kubernetes:batch/v1:CronJob").inputs["spec"].jobTemplate.spec.template.spec;
  return { jobs, app: [...deployments, cron] };
}

const connection = ({ containers: [{ env }] }: any) =>
  env.filter(({ name }: { name: string }) => /^(PG|DATABASE_URL|NOTES_URL)/.test(name));
const fromSecret = (name: string, secret: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

describe("the connection reaches every pod", () => {
  test("as one variable where the Secret holds URLs", async () => {
    const { jobs, app } = await pods({ secret: { name: "notes-database" }, env: "NOTES_URL" });
    for (const pod of app) expect(connection(pod)).toEqual([fromSecret("NOTES_URL", "notes-database", "url")]);
    for (const pod of jobs)
      expect(connection(pod)).toEqual([fromSecret("DATABASE_URL", "notes-database", "direct-url")]);
    expect(app).toHaveLength(3);
    expect(jobs).toHaveLength(2);
    for (const pod of app) expect(pod.volumes).toBeUndefined();
  });

  test("as libpq's variables where the Secret holds the parts", async () => {
    const { jobs, app } = await pods({
      secret: { name: "notes-app", passwordKey: "password", hostKey: "host" },
      name: "no$(PGPASSWORD)tes",
      parameters: { schema: "notes", sslmode: "require" },
      migration: { host: "db.internal", port: 5433, secret: { name: "notes-migration" } },
    });
    for (const pod of app)
      expect(connection(pod)).toEqual([
        fromSecret("PGHOST", "notes-app", "host"),
        { name: "PGPORT", value: "5432" },
        fromSecret("PGUSER", "notes-app", "username"),
        fromSecret("PGPASSWORD", "notes-app", "password"),
        // Kubernetes would put the password into the name.
        { name: "PGDATABASE", value: "no$$(PGPASSWORD)tes" },
      ]);
    for (const pod of jobs) {
      expect(connection(pod)).toEqual([
        { name: "PGHOST", value: "db.internal" },
        { name: "PGPORT", value: "5433" },
        fromSecret("PGUSER", "notes-migration", "username"),
        fromSecret("PGPASSWORD", "notes-migration", "password"),
        { name: "PGDATABASE", value: "no$$(PGPASSWORD)tes" },
      ]);
      expect(pod.containers[0].args.join(" ")).toContain("--parameter schema=notes --parameter sslmode=require");
    }
  });

  test("as a read-only volume of the CSI driver and the file's path", async () => {
    const { jobs, app } = await pods({
      file: { secretProviderClass: "notes-app", path: "app.json", folder: "/mnt/db" },
      host: "db.internal",
      env: "NOTES_URL",
      migration: { file: { secretProviderClass: "notes-migration" } },
    });
    const volume = (secretProviderClass: string) => ({
      name: "database",
      csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass } },
    });
    const mount = { name: "database", mountPath: "/mnt/db", readOnly: true };
    for (const pod of app) {
      expect(connection(pod)).toEqual([
        { name: "NOTES_URL_FILE", value: "/mnt/db/app.json" },
        { name: "PGHOST", value: "db.internal" },
      ]);
      expect(pod.volumes).toEqual([volume("notes-app")]);
      expect(pod.containers[0].volumeMounts).toEqual([mount]);
    }
    for (const pod of jobs) {
      expect(connection(pod)[0]).toEqual({ name: "DATABASE_URL_FILE", value: "/mnt/db/app.json" });
      expect(pod.volumes).toContainEqual(volume("notes-migration"));
      expect(pod.containers[0].volumeMounts).toContainEqual(mount);
    }
  });

  test("from a Secret that another resource makes, but for a Secret of the migration's own", async () => {
    const secret = { name: "unused", passwordKey: "password", hostKey: "host", nameKey: "dbname" };
    const { jobs, app } = await pods(
      { secret, migration: { secret: { name: "notes-migration" } } },
      { databaseSecret: pulumi.output("made") },
    );
    for (const pod of app) expect(connection(pod)).toContainEqual(fromSecret("PGPASSWORD", "made", "password"));
    for (const pod of jobs)
      expect(connection(pod)).toContainEqual(fromSecret("PGPASSWORD", "notes-migration", "password"));
  });

  test("of the app's own command, with the options before the command", async () => {
    const secret = { name: "notes-app", passwordKey: "password", hostKey: "host", nameKey: "dbname" };
    const migrations = { runner: "command" };
    const { jobs } = await pods({ secret, parameters: { schema: "notes" } }, { migrations });
    const { args } = jobs.at(-1)!.containers[0];
    expect(args.indexOf("--parameter")).toBeGreaterThan(0);
    expect(args.indexOf("--parameter")).toBeLessThan(args.indexOf("--"));
  });
});
