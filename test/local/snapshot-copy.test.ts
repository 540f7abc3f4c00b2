import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { instanceFolder, listSnapshots, readInstance, writeInstance } from "../../local/cloud/aws/records";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps, getJson } from "./cli";

const KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";

describe.sequential("a stack whose snapshots are copied to another region", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(1);
  cli.set("aws:region", "eu-central-1");
  cli.set("backup.copy.region", "eu-west-1");
  afterAll(() => cli.end(), 60_000);
  const found = async () =>
    (await listSnapshots(cli.cloudDir())).map(({ status, copy }) => `${copy?.region ?? "own region"} ${status}`);

  test("has the new version serving where the copy fails, and its outputs say so", async () => {
    const faults = join(cli.stateDir, "release/local/cloud");
    const first = cli.start("up", "--json");
    const begun = cli.finish(first);
    // The cloud's folder is made by the command itself.
    while (first.exitCode === null) {
      try {
        writeFileSync(join(faults, "faults.json"), '["snapshot-copy-fails"]');
        break;
      } catch {
        await new Promise(setImmediate);
      }
    }
    const ran = await begun;
    expect(ran.status, ran.stdout + ran.stderr).toBe(1);
    expect(endedSteps(ran, "SnapshotCopy")).toMatchObject([{ status: "failed" }]);
    expect(ran.stdout + ran.stderr).toContain("the snapshot itself is complete in its own region");
    const { url, backup } = await cli.outputs();
    expect((await getJson(url as string, "/health")).status).toBe(200);
    expect(backup).toMatchObject({ kind: "snapshot", copy: { region: "eu-west-1" } });
    expect(await found()).toEqual(["own region available", "eu-west-1 failed"]);
    writeFileSync(join(faults, "faults.json"), "[]");
  });

  test("has the copy after the same command again, under another name", async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(endedSteps(ran, "Job").filter(({ op }) => op !== "same")).toEqual([]);
    expect(await found()).toEqual(["own region available", "eu-west-1 failed", "eu-west-1 available"]);
    const { backup } = await cli.outputs();
    expect(backup).toMatchObject({ copy: { id: expect.stringMatching(/^notes-db-.*-r2$/) } });
    const again = await cli.run("up", "--json");
    expect(again.steps).toEqual([]);
  });

  test("releases no migration where the database has another key than the settings name", async () => {
    const record = readInstance(cli.cloudDir(), "instance", "notes-db")!;
    expect(instanceFolder(cli.cloudDir(), "instance", "notes-db")).toContain("notes-db");
    writeInstance(cli.cloudDir(), { ...record, encrypted: true, kmsKeyId: KEY });
    cli.set("backup.kmsKey", `${KEY}0`);
    cli.addMigration("20270101000000_next", "CREATE TABLE next (id int);\n");
    const ran = await cli.run("up");
    expect(ran.status).toBe(1);
    expect(ran.stdout + ran.stderr).toContain(`is encrypted with ${KEY}, and backup.kmsKey is ${KEY}0`);
    expect(await found()).toHaveLength(3);
  });
});
