import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listSnapshots, readSnapshot, snapshotFolder, writeSnapshot } from "../../local/cloud/aws/records";
import { connect } from "../../local/cloud/client";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, endedSteps } from "./cli";

/** The number of manual snapshots that a region may have. */
const QUOTA = 100;

describe.sequential("a release whose snapshot was removed", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(2);
  afterAll(() => cli.end(), 60_000);

  beforeAll(async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const [{ kind, identifier } = {} as never] = await listSnapshots(cli.cloudDir());
    const record = readSnapshot(cli.cloudDir(), kind, identifier)!;
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
});
