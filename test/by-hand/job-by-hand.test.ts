import { afterAll, expect, test } from "vitest";
import { configMapsByHand, type JobByHand, jobByHand } from "../../by-hand/job-by-hand";
import { readCommandStack } from "../../by-hand/stack";
import { commonArguments } from "../../components/migrator-arguments";
import { migratorJobManifest } from "../../components/migrator-job-manifest";
import { checksumOf } from "../../migrations/history/history";
import { readCommand } from "../../ops/options";
import { opsRun } from "../../ops/run";
import { projectFolder, removeFolders } from "./project";

afterAll(removeFolders);

const SETTINGS = {
  namespace: "shop",
  migrations: {
    directory: "migrations",
    image: "registry/node:22",
    deadline: "20m",
    serviceAccount: "migrator",
    lockTimeout: "3s",
    runAsUser: 1234,
  },
  review: {
    refuse: ["destructive"],
    acknowledgements: [
      { migration: "1_a", finding: "drop-column a.b", checksum: "12345678", reason: "costs $(SECRET)" },
    ],
  },
};

function args(...words: string[]): JobByHand {
  const directory = projectFolder({ prod: SETTINGS });
  const command = readCommand([...words, "--stack", "prod"], ["prod"]);
  const sql = "SELECT 1;";
  const program = { migrator: "code", payload: [Buffer.from("one"), Buffer.from("two")] };
  const file = command.file === undefined ? undefined : { name: command.file, sql, checksum: checksumOf(sql) };
  return { ...opsRun(command, readCommandStack(directory, "prod", command), program, file), name: "notes-ops-1" };
}

const jobOf = (given: JobByHand): any => JSON.parse(JSON.stringify(jobByHand(given)));

test("the Job of ops is the one that a release's step has, but for its verb, its labels and a TTL", () => {
  const given = args("status");
  const job = jobOf(given);
  const { app, database, migrations, namespace } = given.stack.settings;
  const step: any = migratorJobManifest({
    ...{ name: "notes-ops-1", namespace, app: app.name, component: "ops", settings: migrations },
    database: { settings: database },
    deadline: migrations.deadline,
    arguments: ["status", ...commonArguments("prod", migrations), "--rerun", "npm run ops -- status --stack prod"],
    files: ["notes-ops-1-migrator", "notes-ops-1-payload-0", "notes-ops-1-payload-1"],
  });
  expect(job.metadata.labels).toEqual({ ...step.metadata.labels, "release/ops": "status" });
  expect(job.spec).toEqual({ ...JSON.parse(JSON.stringify(step.spec)), ttlSecondsAfterFinished: 3600 });
  expect(job.spec).toMatchObject({ activeDeadlineSeconds: 1200, backoffLimit: 0 });
  const { serviceAccountName, securityContext, containers } = job.spec.template.spec;
  expect([serviceAccountName, securityContext.runAsUser]).toEqual(["migrator", 1234]);
  const [container] = containers;
  expect(container.image).toBe("registry/node:22");
  expect(container.args.slice(-2)).toEqual(["--rerun", "npm run ops -- status --stack prod"]);
  expect(container.args).toEqual(expect.arrayContaining(["--stack", "prod", "--lock-timeout", "3s"]));
  expect(container.env).toEqual([
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "direct-url" } } },
  ]);
});

test("revert gets its migration, the stack's gate, and the command that writes the new one in the checkout", () => {
  const [container] = jobOf(args("revert", "1_a", "--plan")).spec.template.spec.containers;
  expect(container.args.slice(0, 4)).toEqual(["revert", "1_a", "--refuse", "destructive"]);
  const text = container.args.join(" ");
  expect(text).toContain(
    "--runner migrator --write-command npm run migrator -- revert 1_a --write --migrations migrations --plan",
  );
  expect(text).toContain("--rerun npm run ops -- revert 1_a --plan --stack prod");
});

test("sql gets its file, the stack's gate and the acknowledgements that were typed, in which nothing is expanded", () => {
  const given = args("sql", "it's.sql", "--acknowledge", '{"reason":"$(DATABASE_URL)"}');
  const [container] = jobOf(given).spec.template.spec.containers;
  expect(container.args.slice(0, 4)).toEqual(["sql", "/release/statement.sql", "--file-name", "it's.sql"]);
  const text = container.args.join("\n");
  expect(text).toContain("--refuse\ndestructive");
  expect(text).toContain("costs $$(SECRET)");
  expect(text).toContain("$$(DATABASE_URL)");
  expect(text.replaceAll("$$", "")).not.toContain("$(");
  expect(text).toContain("npm run ops -- sql 'it'\\''s.sql' --acknowledge");
});

test("the ConfigMaps have the migrator, the SQL and the file, and belong to the Job", () => {
  const { items }: any = configMapsByHand(args("sql", "fix.sql"), "uid-1");
  expect(items.map(({ metadata }: any) => metadata.name)).toEqual([
    "notes-ops-1-migrator",
    "notes-ops-1-payload-0",
    "notes-ops-1-payload-1",
    "notes-ops-1-sql",
  ]);
  for (const { metadata, immutable } of items) {
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: "batch/v1", kind: "Job", name: "notes-ops-1", uid: "uid-1" },
    ]);
    expect(immutable).toBe(true);
  }
  expect(items[0].data).toEqual({ "migrator.cjs": "code" });
  const status = args("status");
  const iam: any = configMapsByHand({ ...status, program: { ...status.program, signer: "signs" } }, "uid-1");
  expect(iam.items[1].data).toEqual({ "rds-signer.cjs": "signs" });
  expect(items[1].binaryData).toEqual({ "payload-0": Buffer.from("one").toString("base64") });
  expect(items[3].data).toEqual({ "statement.sql": "SELECT 1;" });
});
