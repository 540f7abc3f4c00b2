import { beforeEach, describe, expect, test } from "vitest";
import { chooseSnapshot, SnapshotError, waitUntilAvailable } from "../../components/snapshot-status";
import { Duration } from "../../settings/units";
import { PulumiRecorder } from "../support/pulumi-recorder";

const KEY = { kind: "instance", identifier: "notes-db-1" } as const;
const ARGS = { ...KEY, timeout: Duration.ofSeconds(0), encryptionRequired: false };

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

describe("a snapshot counts only when it is available", () => {
  test("and then tells when it was taken", async () => {
    recorder.snapshots = { "notes-db-1": { status: "available", createdAt: "2026-11-21T03:00:00Z" } };
    expect((await waitUntilAvailable(ARGS))?.createdAt).toBe("2026-11-21T03:00:00Z");
  });

  test.each([
    ["creating", /still "creating" after 0s \(backup\.timeout\)/],
    ["copying", /still "copying" after 0s/],
    ["modifying", /still "modifying" after 0s/],
    ["failed", /is "failed", not "available"/],
    ["deleting", /is "deleting"/],
  ])("not while it is %s", async (status, message) => {
    recorder.snapshots = { "notes-db-1": { status } };
    await expect(waitUntilAvailable(ARGS)).rejects.toThrow(message);
    await expect(waitUntilAvailable(ARGS)).rejects.toThrow(
      /The migration did not start: the database is unchanged, and the app that was serving goes on serving\.\nRun/,
    );
  });

  test("and one that was deleted is none, which only the Job can judge", async () => {
    expect(await waitUntilAvailable(ARGS)).toBeUndefined();
  });

  test("and it is waited for while it is being made", async () => {
    recorder.snapshots = { "notes-db-1": { status: "creating" } };
    const waiting = waitUntilAvailable({ ...ARGS, timeout: Duration.ofSeconds(60) });
    recorder.snapshots = { "notes-db-1": { status: "available" } };
    expect((await waiting)?.status).toBe("available");
  });

  test("unencrypted only where that is allowed", async () => {
    recorder.snapshots = { "notes-db-1": { status: "available", encrypted: false } };
    expect((await waitUntilAvailable(ARGS))?.encrypted).toBe(false);
    await expect(waitUntilAvailable({ ...ARGS, encryptionRequired: true })).rejects.toThrow(/policy\.encryption/);
  });
});

describe("a preview", () => {
  test("does not wait for a snapshot that is being made", async () => {
    await recorder.start(true);
    recorder.snapshots = { "notes-db-1": { status: "creating" } };
    expect((await waitUntilAvailable(ARGS))?.status).toBe("creating");
  });
});

describe("the choice of a snapshot", () => {
  test("does not take an error for an absence", async () => {
    recorder.refuse("AccessDenied: not authorized to perform rds:DescribeDBSnapshots");
    await expect(chooseSnapshot(KEY)).rejects.toThrow(/AccessDenied/);
  });

  test("finds the good one again when a failed one before it was deleted by hand", async () => {
    recorder.snapshots = { "notes-db-1-r2": { status: "available" } };
    expect(await chooseSnapshot(KEY)).toMatchObject({ identifier: "notes-db-1-r2", exists: true });
  });

  test("takes another name beside one that is being deleted, and waits for one that is being made", async () => {
    recorder.snapshots = { "notes-db-1": { status: "deleting" } };
    expect(await chooseSnapshot(KEY)).toEqual({ identifier: "notes-db-1-r2", exists: false });
    for (const status of ["creating", "copying", "modifying"]) {
      recorder.snapshots = { "notes-db-1": { status } };
      expect(await chooseSnapshot(KEY)).toEqual({ identifier: "notes-db-1", exists: true });
    }
  });

  test("tells how old one is that was complete before", async () => {
    recorder.snapshots = { "notes-db-1": { status: "available", createdAt: "2026-11-21T03:00:00Z" } };
    expect((await chooseSnapshot(KEY)).availableSince).toBe("2026-11-21T03:00:00Z");
  });

  test("is a SnapshotError when every try failed", async () => {
    const failed = { status: "failed" };
    const names = ["notes-db-1", ...[2, 3, 4, 5].map((index) => `notes-db-1-r${index}`)];
    recorder.snapshots = Object.fromEntries(names.map((each) => [each, failed]));
    await expect(chooseSnapshot(KEY)).rejects.toThrow(SnapshotError);
  });
});
