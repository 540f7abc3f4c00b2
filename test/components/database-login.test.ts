import { beforeEach, describe, expect, test } from "vitest";
import { parseSettings, Release, type Settings } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";
import { HISTORY, releasePods } from "../support/release-pods";

const HOST = "notes-db.c1a2b3.eu-west-1.rds.amazonaws.com";
const IAM = { auth: "iam", host: HOST, name: "notes", user: "notes_app", migration: { user: "notes_migration" } };
const JOBS = ["notes-preflight", "notes-migrate", "notes-contract"];
const APP = ["notes", "notes-mailer", "notes-digest"];

function settings(database: object, migrations: object = {}): Settings {
  const parsed = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", ...database },
    migrations: { directory: "migrations", ...migrations },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    workloads: [
      { kind: "worker", name: "mailer" },
      { kind: "cron", name: "digest", schedule: "@daily" },
    ],
  });
  if (!parsed.settings) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

/** The specifications of a release's pods, by the name of their Deployment, CronJob or Job without the release's id. */
async function podsOf(of: Settings, signer?: string): Promise<Record<string, any>> {
  const templates = await releasePods(recorder, { settings: of, signer });
  return Object.fromEntries(Object.entries(templates).map(([name, { spec }]) => [name, spec]));
}

const files = () =>
  recorder
    .all("kubernetes:core/v1:ConfigMap")
    .map(({ inputs }) => Object.keys({ ...inputs["data"], ...inputs["binaryData"] }).join());

const variables = ({ containers: [{ env }] }: any): Record<string, string> =>
  Object.fromEntries(env.map(({ name, value }: any) => [name, value]));

describe("database.ca", () => {
  const reference = { name: "database-ca", key: "bundle.pem" };
  const items = [{ key: "bundle.pem", path: "ca.crt" }];

  test.each([
    [{ configMap: reference }, { configMap: { name: "database-ca", items } }],
    [{ secret: reference }, { secret: { secretName: "database-ca", items } }],
  ])("%o is mounted read-only into every pod of a release, and its file is named", async (ca, volume) => {
    const pods = await podsOf(settings({ secret: { name: "notes-database" }, ca }, { runner: "migrator" }));
    expect(Object.keys(pods).sort()).toEqual([...APP, ...JOBS].sort());
    for (const pod of Object.values(pods)) {
      expect(pod.volumes).toContainEqual({ name: "database-ca", ...volume });
      expect(pod.containers[0].volumeMounts).toContainEqual({
        name: "database-ca",
        mountPath: "/run/database-ca",
        readOnly: true,
      });
      expect(variables(pod)["PGSSLROOTCERT"]).toBe("/run/database-ca/ca.crt");
    }
  });

  test("is in the app image's own command too", async () => {
    const command = { runner: "command" };
    const release = settings({ secret: { name: "notes-database" }, ca: { configMap: reference } }, command);
    const { "notes-migrate": pod } = await podsOf({ ...release, workloads: [] });
    expect(variables(pod)).toMatchObject({ HOME: "/tmp", PGSSLROOTCERT: "/run/database-ca/ca.crt" });
    expect(pod.volumes.map(({ name }: any) => name)).toEqual(["release", "database-ca", "writable"]);
  });

  test("left out adds nothing", async () => {
    for (const pod of Object.values(await podsOf(settings({ secret: { name: "notes-database" } })))) {
      expect(variables(pod)).not.toHaveProperty("PGSSLROOTCERT");
      expect(JSON.stringify(pod)).not.toContain("database-ca");
    }
  });
});

describe("database.auth: iam", () => {
  test("gives every pod host, port, role and database, and no password", async () => {
    const pods = await podsOf(settings(IAM), "// signer");
    for (const [name, pod] of Object.entries(pods)) {
      const PGUSER = JOBS.includes(name) ? "notes_migration" : "notes_app";
      expect(variables(pod)).toMatchObject({ PGHOST: HOST, PGPORT: "5432", PGDATABASE: "notes", PGUSER });
      expect(JSON.stringify(pod)).not.toMatch(/PGPASSWORD|secretKeyRef|DATABASE_URL/);
    }
    for (const job of JOBS) expect(pods[job].containers[0].args.join(" ")).toContain("--auth iam");
  });

  test("puts the signer beside the migrator, in a ConfigMap of its own that the Jobs mount", async () => {
    const pods = await podsOf(settings(IAM), "// signer");
    expect(files()).toEqual(["migrator.cjs", "rds-signer.cjs", "payload-0"]);
    for (const job of JOBS) expect(pods[job].volumes[0].projected.sources).toHaveLength(3);
  });

  test("refuses a program that passes no signer, and takes none without it", async () => {
    const made = () => new Release("notes", { settings: settings(IAM), history: HISTORY, migrator: "// migrator" });
    expect(made).toThrow(/passes no `signer`, which makes the tokens\.\nNothing was touched/);
    expect(recorder.registrations).toEqual([]);
    await podsOf(settings({ secret: { name: "notes-database" } }), "// signer");
    expect(files()).toEqual(["migrator.cjs", "payload-0"]);
  });
});

test("migrations.connectWait reaches each Job", async () => {
  const pods = await podsOf(settings({ secret: { name: "a" } }, { connectWait: "2m" }));
  for (const job of JOBS) expect(pods[job].containers[0].args.join(" ")).toContain("--connect-wait 2m");
});
