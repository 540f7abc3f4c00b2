import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { DatabaseNotFound, parseSettings, planBackup, Release, type ReleaseArgs } from "../../components";
import { databaseEndpoints } from "../../components/database-endpoint";
import { PulumiRecorder } from "../support/pulumi-recorder";

const HISTORY = {
  contract: false,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};
const HOST = "example.eu-central-1.rds.amazonaws.com";

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

/** The arguments of a release's two first Jobs, by their verb. */
async function jobs(
  database: object = {},
  more: Pick<ReleaseArgs, "provided"> = {},
  backup: object = {},
): Promise<Record<string, string>> {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" }, ...database },
    migrations: { directory: "migrations" },
    policy: { backup: "optional" },
    backup,
  });
  if (!settings) throw new Error(problems.join());
  const planned = await planBackup(settings, HISTORY);
  const made = new Release("notes", { settings, history: HISTORY, migrator: "", backup: planned, ...more });
  await new Promise((resolve) => made.outputs.apply(resolve));
  await pulumi.runtime.disconnect();
  const all = recorder.all("kubernetes:batch/v1:Job").map(({ inputs }) => inputs["spec"].template.spec.containers[0]);
  return Object.fromEntries(all.map(({ args }) => [args[0], args.join(" ")]));
}

describe("the Jobs are told where RDS has the database that the snapshot is of", () => {
  test("an instance", async () => {
    const endpoint = `--database-endpoint notes-db.${HOST}:5432`;
    expect(await jobs()).toEqual({
      preflight: expect.stringContaining(endpoint),
      deploy: expect.stringContaining(endpoint),
    });
  });

  test("a cluster, by the names that a failover keeps: the writer's and the readers'", async () => {
    const { preflight } = await jobs({ kind: "cluster" });
    expect(preflight).toContain(`--database-endpoint notes-db.${HOST}:5432,ro-notes-db.${HOST}:5432`);
  });

  test("one that the same program makes", async () => {
    const { preflight } = await jobs({}, { provided: { databaseIdentifier: pulumi.output("made-db") } });
    expect(preflight).toContain(`--database-endpoint made-db.${HOST}:5432`);
  });

  test("not where the settings say so for a tunnel: RDS isn't asked, and the report says that it wasn't compared", async () => {
    recorder.missing.add("notes-db");
    const { preflight, deploy } = await jobs({ endpointCheck: "off" });
    expect(preflight).toContain("--check same-database=off");
    expect(`${preflight} ${deploy}`).not.toContain("--database-endpoint");
  });

  test("not where no snapshot is taken", async () => {
    recorder.missing.add("notes-db");
    const { preflight } = await jobs({}, {}, { mode: "none" });
    expect(preflight).not.toMatch(/--database-endpoint|same-database/);
    expect(recorder.calls.filter(({ token }) => token.startsWith("aws:"))).toEqual([]);
  });
});

describe("a database that RDS doesn't have ends the release before anything is touched", () => {
  test("by a wrong identifier or region", async () => {
    recorder.missing.add("notes-db");
    const asked = databaseEndpoints({ kind: "instance", identifier: "notes-db" });
    await expect(asked).rejects.toThrow(DatabaseNotFound);
    await expect(asked).rejects.toThrow(
      /^The snapshot can't be taken: there is no RDS instance notes-db in this account and region\.\nNothing was touched: .*\nCorrect database\.identifier or database\.kind, or aws:region and aws:profile \(aws rds describe-db-instances lists/,
    );
    await pulumi.runtime.disconnect();
  });

  test("by credentials of another account", async () => {
    recorder.refuse("AWS account ID not allowed: 111122223333");
    const asked = databaseEndpoints({ kind: "cluster", identifier: "notes-db" });
    await expect(asked).rejects.toThrow(/^The AWS credentials belong to account 111122223333, which this stack/);
    await expect(asked).rejects.toThrow(/aws sts get-caller-identity/);
    await pulumi.runtime.disconnect();
  });

  test("if RDS can't be asked, its reason is told", async () => {
    recorder.refuse("AccessDenied: not authorized to perform: rds:DescribeDBInstances");
    await expect(databaseEndpoints({ kind: "instance", identifier: "notes-db" })).rejects.toThrow(
      /RDS did not say where RDS instance notes-db is: .*rds:DescribeDBInstances/,
    );
    await pulumi.runtime.disconnect();
  });
});
