import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ReportReader } from "../../components";
import { endOfPodHook, warnOfLingering } from "../../components/job-watch";
import { PulumiRecorder } from "../support/pulumi-recorder";

const READER: ReportReader = { script: "// reader", stack: "test" };
const JOB = { name: "notes-migrate-1", step: "migrate", namespace: "notes", reader: READER } as const;

const warn = vi.fn();
let recorder: PulumiRecorder;
let parent: pulumi.Resource;

beforeEach(async () => {
  vi.spyOn(console, "warn").mockImplementation(warn);
  recorder = new PulumiRecorder();
  await recorder.start();
  parent = new pulumi.ComponentResource("release:index:Test", "parent");
});
afterEach(() => {
  vi.restoreAllMocks();
  warn.mockReset();
});

/** What the cluster has from now on. */
function objects(...found: object[]): void {
  recorder.stdout = JSON.stringify({ objects: found });
}

/** What kubectl was asked for, as the reader got it. */
function asked(): Record<string, unknown>[] {
  return recorder.calls
    .filter(({ token }) => token === "command:local:run")
    .map(({ inputs }) => JSON.parse(inputs["environment"].RELEASE_REPORT));
}

describe("a Job that failed", () => {
  const fail = (error: string) =>
    endOfPodHook(JOB, parent)({ urn: "", id: "", name: "", type: "", failedOperation: "create", errors: [error] });

  test("because its pod was evicted is told with the next command, and is not tried again", async () => {
    const conditions = [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }];
    objects({ kind: "Pod", metadata: { name: "notes-migrate-1-x" }, status: { phase: "Failed", conditions } });
    expect(await fail("BackoffLimitExceeded")).toBe(false);
    expect(asked()).toEqual([
      { namespace: "notes", resources: ["pods"], selector: "batch.kubernetes.io/job-name=notes-migrate-1" },
    ]);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^Job notes-migrate-1 failed\. Its pod was evicted.*\n.*\nNext: run the same `up` again/)],
    ]);
  });

  test("and whose pod is gone is told by its events, not by those of other Jobs", async () => {
    objects();
    expect(await fail("BackoffLimitExceeded")).toBe(false);
    expect(asked().map(({ resources }) => resources)).toEqual([["pods"], ["events"]]);
    expect(warn.mock.calls[0]![0]).toContain("Its pod was deleted while it ran");
  });

  test("by itself, or in a cluster that can't be read, is not commented on", async () => {
    objects({ kind: "Pod", metadata: { name: "notes-migrate-1-x" }, status: { phase: "Failed" } });
    await fail("BackoffLimitExceeded");
    recorder.stdout = JSON.stringify({ unknown: "pods is forbidden" });
    await fail("BackoffLimitExceeded");
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("a Job whose migrator has ended beside a container that goes on", () => {
  const running = { name: "istio-proxy", state: { running: {} } };
  const pod = (migrator: object) => ({
    kind: "Pod",
    metadata: { name: "notes-migrate-1-x" },
    status: { containerStatuses: [{ name: "migrator", state: migrator }, running] },
  });
  const PAUSES = { firstMs: 5, longestMs: 10 };

  test("is named once, with that container", async () => {
    objects(pod({ running: {} }));
    const never = pulumi.output(new Promise(() => {}));
    warnOfLingering(JOB, { begins: pulumi.output(1), ends: never, parent }, PAUSES);
    await vi.waitFor(() => expect(asked().length).toBeGreaterThan(1));
    expect(warn).not.toHaveBeenCalled();
    objects(pod({ terminated: { exitCode: 0 } }));
    await vi.waitFor(() => expect(warn).toHaveBeenCalled());
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^Job notes-migrate-1 can't end: .* istio-proxy goes on.*\n.*\nNext: press Ctrl-C once/)],
    ]);
  });

  test("is not looked at before the Job begins, nor after it has ended", async () => {
    objects(pod({ terminated: { exitCode: 0 } }));
    const never = pulumi.output(new Promise(() => {}));
    let ended = false;
    warnOfLingering(JOB, { begins: never, ends: never, parent }, PAUSES);
    warnOfLingering(
      JOB,
      {
        begins: pulumi.output(1),
        ends: pulumi.output(1).apply(() => {
          ended = true;
        }),
        parent,
      },
      PAUSES,
    );
    await vi.waitFor(() => expect(ended).toBe(true));
    expect(asked()).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
  });
});
