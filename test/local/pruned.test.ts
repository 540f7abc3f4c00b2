import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needed } from "../../local/cloud/aws/permissions";
import {
  listSnapshots,
  readSnapshot,
  type SnapshotRecord,
  snapshotFolder,
  writeSnapshot,
} from "../../local/cloud/aws/records";
import { connect } from "../../local/cloud/client";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps, ownHistory } from "./cli";

/** The number of manual snapshots that a region may have. */
const QUOTA = 100;

describe.sequential("a release whose snapshot was removed", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(2);
  /** The snapshot of the first release. */
  let taken: SnapshotRecord;
  afterAll(() => cli.end(), 60_000);

  beforeAll(async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const [{ kind, identifier } = {} as never] = await listSnapshots(cli.cloudDir());
    const record = readSnapshot(cli.cloudDir(), kind, identifier)!;
    taken = record;
    const cloud = await connect(cli.cloudDir());
    await cloud.call("aws.deleteSnapshot", { kind, identifier });
    // No further snapshot can be taken.
    for (let n = 0; n < QUOTA; n++) {
      const other = `other-${n}`;
      mkdirSync(snapshotFolder(cli.cloudDir(), kind, other), { recursive: true });
      writeSnapshot(cli.cloudDir(), { ...record, identifier: other, source: "other", tags: {} });
    }
  }, 300_000);

  test("is followed by a release of only a new image, also after a refresh, which takes none", async () => {
    const refreshed = await cli.run("refresh");
    expect(refreshed.status, refreshed.stderr).toBe(0);
    cli.set("app.image", "notes:1.1.0");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(endedSteps(ran, "Snapshot")).toEqual([]);
    expect(endedSteps(ran, "Deployment")).toMatchObject([{ op: "update", status: "succeeded" }]);
    expect(await cli.outputs()).toMatchObject({ image: "notes:1.1.0", snapshot: null, backup: null, restore: null });
  });

  test("is followed by a release with a migration, which takes one, and removes old ones when it is complete", async () => {
    for (const { kind, identifier } of await listSnapshots(cli.cloudDir()))
      rmSync(snapshotFolder(cli.cloudDir(), kind, identifier), { recursive: true });
    const migrations = "0123456789ab".padEnd(64, "0");
    for (const [identifier, days, stack] of [
      ["notes-db-0123456789ab", 40, "local"],
      ["notes-db-0123456789ab-2", 20, "local"],
      ["notes-db-0123456789ab-3", 50, "other"],
    ] as const) {
      const createTime = new Date(Date.now() - days * 24 * 3_600_000).toISOString();
      const tags = { project: "release", stack, app: "notes", migrations };
      mkdirSync(snapshotFolder(cli.cloudDir(), "instance", identifier), { recursive: true });
      writeSnapshot(cli.cloudDir(), { ...taken, identifier, createTime, tags });
    }
    cli.set("backup.keep.days", "30");
    cli.addMigration(ownHistory()[2]!);
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(endedSteps(ran, "Snapshot")).toMatchObject([{ op: "create", status: "succeeded" }]);
    expect(ran.stdout).toContain("Removed 1 old backup: notes-db-0123456789ab");
    const { snapshot } = (await cli.outputs()) as { snapshot: { id: string } };
    const left = (await listSnapshots(cli.cloudDir())).map(({ identifier }) => identifier);
    expect(left).toEqual(["notes-db-0123456789ab-3", "notes-db-0123456789ab-2", snapshot.id]);
  });

  test("completes although old ones can't be removed, and says so with the command", async () => {
    const granted = Object.values(needed).flatMap((actions) => actions.map((action) => `rds:${action}`));
    writeFileSync(join(cli.cloudDir(), "granted.json"), JSON.stringify(granted));
    cli.set("backup.keep.days", "10");
    cli.set("release.attempt", "2");
    const ran = await cli.run("up");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(
      /Old backups were not all removed: .*RDS refused DeleteDBSnapshot: .*\n.*The release is complete/,
    );
    expect(ran.stdout).toMatch(
      /Next: give the rights that docs\/backup.md lists, then: npm run local -- ops .*prune --stack local\n/,
    );
    expect(await cli.outputs()).toMatchObject({ attempt: 2 });
    expect((await cli.run("destroy")).status).toBe(0);
  });
});
