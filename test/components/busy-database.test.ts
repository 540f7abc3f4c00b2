import type { ErrorHookArgs } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DatabaseSnapshot, SnapshotError } from "../../components";
import { pauseMs, waitWhileBusy } from "../../components/busy-database";
import { Duration } from "../../settings/units";
import { PulumiRecorder } from "../support/pulumi-recorder";

/** Returns an error in the form in which Pulumi's bridge hands on those of the AWS provider. */
const printed = (text: string) => `1 error occurred:\n\t* ${text}\n\n`;
const refused = (what: string, action: string, problem: string) =>
  printed(
    `creating RDS ${what} (notes-db-1): operation error RDS: ${action}, https response error StatusCode: 400, ` +
      `RequestID: 5f1c, ${problem}`,
  );
const INSTANCE = refused(
  "DB Snapshot",
  "CreateDBSnapshot",
  "InvalidDBInstanceState: Cannot create a snapshot because the database instance notes-db is not currently in the available state.",
);
const CLUSTER = refused(
  "DB Cluster Snapshot",
  "CreateDBClusterSnapshot",
  "InvalidDBClusterStateFault: DB cluster notes-db is not currently in the available state.",
);
const CLUSTER_ASKED_FOR_TWO_MINUTES = printed(
  "creating RDS DB Cluster Snapshot (notes-db-1): timeout while waiting for state to become 'success' " +
    "(last state: 'retryableerror', timeout: 2m0s)",
);

const failed = (error: string, failedOperation = "create"): ErrorHookArgs => ({
  urn: "",
  id: "",
  name: "notes-db-1",
  type: "aws:rds/snapshot:Snapshot",
  failedOperation,
  errors: [error],
});

const wait = (seconds: number) => waitWhileBusy({ database: "notes-db", timeout: Duration.ofSeconds(seconds) });

const warn = vi.spyOn(console, "warn");
beforeEach(() => {
  warn.mockImplementation(() => {});
});
afterEach(() => warn.mockReset());

describe("a database that is being backed up or modified", () => {
  test("is waited for until the time-out, which ends the release with a message in three parts", async () => {
    const hook = wait(1);
    expect(await hook(failed(INSTANCE))).toBe(true);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/no snapshot of notes-db now.*at most 1s/s));
    const timedOut = hook(failed(INSTANCE));
    await expect(timedOut).rejects.toThrow(SnapshotError);
    await expect(timedOut).rejects.toThrow(
      /^RDS took no snapshot of notes-db for 1s \(backup\.timeout\)\. It said: creating RDS DB Snapshot .*not currently in the available state\.\nThe migration did not start: the database is unchanged, .*\nWhen the database is available, run the same `up` again: it takes the snapshot then\.$/,
    );
  });

  test.each([
    ["an instance", INSTANCE],
    ["a cluster", CLUSTER],
    ["a cluster that the provider has asked about for two minutes", CLUSTER_ASKED_FOR_TWO_MINUTES],
  ])("is known by RDS' refusal: %s", async (_, refusal) => {
    await expect(Promise.resolve(wait(0)(failed(refusal)))).rejects.toThrow("took no snapshot of notes-db");
  });
});

describe("nothing else is tried again", () => {
  test.each([
    [
      "a name that is taken",
      refused("DB Snapshot", "CreateDBSnapshot", "DBSnapshotAlreadyExists: Cannot create the snapshot because …"),
    ],
    ["no such instance", refused("DB Snapshot", "CreateDBSnapshot", "DBInstanceNotFound: DBInstance notes not found.")],
    ["the quota", refused("DB Snapshot", "CreateDBSnapshot", "SnapshotQuotaExceeded: Cannot create more than 100")],
    ["a missing right", refused("DB Snapshot", "CreateDBSnapshot", "api error AccessDenied: not authorized")],
    [
      "a cluster's snapshot in another state",
      refused("DB Cluster Snapshot", "CreateDBClusterSnapshot", "InvalidDBClusterSnapshotStateFault: it is deleting"),
    ],
    [
      "a snapshot that did not become available in time",
      printed(
        "waiting for RDS DB Snapshot (notes-db-1) create: timeout while waiting for state to become 'available' " +
          "(last state: 'creating', timeout: 3h0m0s)",
      ),
    ],
  ])("%s", async (_, error) => {
    expect(await wait(60)(failed(error))).toBe(false);
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(
        /not made, so no migration was begun\.\nDatabase and app are as they were\.\nNext: run the same `up`/,
      ),
    );
  });

  test("an update or a deletion", async () => {
    expect(await wait(60)(failed(INSTANCE, "update"))).toBe(false);
    expect(await wait(60)(failed(INSTANCE, "delete"))).toBe(false);
  });
});

test.each(["1s", "10s", "2m", "10m", "3h", "1d", "2d"])("a time-out of %s takes less than 95 tries", (text) => {
  const timeoutMs = Duration.parse(text)!.seconds * 1000;
  let tries = 1;
  for (let waited = 0; waited < timeoutMs; waited += pauseMs(waited, timeoutMs)) tries += 1;
  expect(tries).toBeLessThan(95);
});

describe("the snapshot's hook", () => {
  const snapshot = async (recorder: PulumiRecorder) => {
    new DatabaseSnapshot("notes-db-1", {
      kind: "instance",
      database: "notes-db",
      identifier: "notes-db-1",
      exists: false,
      timeout: Duration.ofSeconds(1),
      encryptionRequired: false,
      tags: {},
    });
    await pulumi.runtime.disconnect();
    return recorder.only("aws:rds/snapshot:Snapshot").options.onError;
  };

  test("is registered with the engine", async () => {
    const recorder = new PulumiRecorder();
    await recorder.start();
    const registered = recorder.acceptErrorHooks();
    expect(await snapshot(recorder)).toEqual(["notes-db-1: wait until the database is available"]);
    expect(registered).toEqual(["notes-db-1: wait until the database is available"]);
  });

  test("is left out where the engine knows no such hooks: Pulumi's mocks, and a CLI before 3.217", async () => {
    const recorder = new PulumiRecorder();
    await recorder.start();
    expect(await snapshot(recorder)).toEqual([]);

    const old = new PulumiRecorder();
    await old.start();
    old.acceptErrorHooks();
    // What the SDK notes when such a CLI says that it has not this feature.
    require("@pulumi/pulumi/runtime/state").getStore().supportsErrorHooks = false;
    expect(await snapshot(old)).toEqual([]);
  });
});
