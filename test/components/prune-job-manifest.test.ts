import { expect, test } from "vitest";
import { parseSettings } from "../../components";
import { storeCredentials } from "../../components/dump-pod";
import { pruneJobManifest } from "../../components/prune-job-manifest";

function pod(dump: object): any {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { secret: { name: "notes-database" } },
    migrations: { directory: "migrations", serviceAccount: "backups" },
    backup: { mode: "dump", image: "postgres:17-alpine", dump },
  });
  if (!settings) throw new Error(problems.join());
  const { app, migrations, backup } = settings;
  const job = pruneJobManifest({
    ...{ name: "notes-ops-prune-1", namespace: "shop", app: app.name, component: "ops", settings: migrations },
    ...{
      env: storeCredentials(backup.dump!),
      claim: backup.dump!.claim,
      arguments: ["--plan"],
      file: "program",
      deadline: migrations.deadline,
    },
  });
  return job.spec.template;
}

test("the Job that removes dumps has the keys of the store by its Secret, and nothing of the database", () => {
  const { spec } = pod({ to: "s3://notes-backups/prod", secret: { name: "notes-store" } });
  const reference = (key: string) => ({ name: key, valueFrom: { secretKeyRef: { name: "notes-store", key } } });
  expect(spec.containers).toHaveLength(1);
  expect(spec.containers[0].env).toEqual(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(reference));
  expect(JSON.stringify(spec)).not.toContain("notes-database");
  expect(spec).toMatchObject({ serviceAccountName: "backups", automountServiceAccountToken: false });
});

test("the Job that removes dumps mounts the volume on which they are", () => {
  const { spec } = pod({ claim: "notes-backups" });
  expect(spec.volumes).toContainEqual({ name: "dump-claim", persistentVolumeClaim: { claimName: "notes-backups" } });
  expect(spec.containers[0].volumeMounts).toContainEqual({ name: "dump-claim", mountPath: "/backups" });
});
