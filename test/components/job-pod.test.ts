import { describe, expect, test } from "vitest";
import { endOfPod, lingeringContainers } from "../../components/job-pod";
import { endedText, lingeringText } from "../../components/job-watch";
import type { LiveObject } from "../../components/live-objects";

const FAILED = "Job failed: BackoffLimitExceeded";

/** A pod of the Job as `kubectl get` prints it. */
const pod = (status: Record<string, any>): LiveObject => ({
  kind: "Pod",
  metadata: { name: "notes-migrate-1" },
  status,
});
const disrupted = (reason: string, message = "") =>
  pod({ phase: "Failed", conditions: [{ type: "DisruptionTarget", status: "True", reason, message }] });

describe("the pod of a failed Job", () => {
  test.each([
    [
      "evicted through the API",
      disrupted("EvictionByEvictionAPI", "Eviction API: evicting"),
      "as when a node is drained",
    ],
    [
      "preempted",
      disrupted("PreemptionByScheduler", "x: preempting to accommodate a higher priority pod"),
      "higher priority",
    ],
    ["evicted for a taint", disrupted("DeletionByTaintManager"), "its node got a taint that it doesn't tolerate"],
    ["lost with its node", disrupted("DeletionByPodGC"), "lost with its node"],
    ["evicted by its node", disrupted("TerminationByKubelet"), "evicted by its node"],
    [
      "evicted by a node without memory",
      pod({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
      "Its pod was evicted by its node: The node was low on resource: memory.",
    ],
  ])("that was %s is told as such", (_, ended, what) => {
    expect(endOfPod([ended], [], FAILED)?.what).toContain(what);
  });

  test("that is gone was deleted, unless the Job itself deleted it at its deadline", () => {
    expect(endOfPod([], [], FAILED)?.what).toMatch(/deleted while it ran: by an eviction/);
    expect(endOfPod([], [], "[DeadlineExceeded] Job was active longer than specified deadline")).toBeUndefined();
    expect(endOfPod([], [], "jobs.batch is forbidden")).toBeUndefined();
    expect(endOfPod([], [], `${FAILED} FAILED (stopped): Stopped by SIGTERM`)).toBeDefined();
    expect(endOfPod([], [], `${FAILED} FAILED (statement-failed): Migration a failed.`)).toBeUndefined();
  });

  test.each([
    [
      "Preempted",
      "Preempted by pod 7f3a on node node1",
      "A pod of higher priority took the place of its pod: Preempted by",
    ],
    ["TaintManagerEviction", "Marking for deletion Pod a/b", "its node got a taint"],
    [
      "Evicted",
      "The node had condition: [DiskPressure].",
      "evicted by its node: The node had condition: [DiskPressure].",
    ],
  ])("that is gone left an event %s, which says why", (reason, message, what) => {
    const event = (of: string): LiveObject => ({ kind: "Event", metadata: { name: of }, reason: of, message });
    expect(endOfPod([], [event("Killing"), event(reason)], FAILED)?.what).toContain(what);
    expect(endOfPod([], [event("Killing")], FAILED)?.what).toMatch(/as when a node is drained, or by hand/);
  });

  test("is not told of when the migrator ended by itself", () => {
    const conditions = [{ type: "Ready", status: "False", reason: "PodFailed" }];
    expect(endOfPod([pod({ phase: "Failed", conditions })], [], FAILED)).toBeUndefined();
    expect(endOfPod([{ kind: "Pod", metadata: { name: "x" } }], [], FAILED)).toBeUndefined();
  });

  test("is told of with the state of database and app, and one next command", () => {
    const trouble = { what: "Its pod was evicted.", before: "do this" };
    expect(endedText("notes-migrate-1", "migrate", trouble)).toBe(
      "Job notes-migrate-1 failed. Its pod was evicted.\n" +
        "The statement that ran was cancelled; migrations that were finished stay applied. The app that was serving goes on serving.\n" +
        "Next: do this; then run the same `up` again: it goes on from what is there.",
    );
    expect(endedText("notes-preflight-1", "preflight", trouble)).toContain("database and app are as they were");
  });
});

describe("a container beside the migrator", () => {
  const statuses = (migrator: object, other: object) => [
    pod({
      containerStatuses: [
        { name: "migrator", state: migrator },
        { name: "istio-proxy", state: other },
      ],
      initContainerStatuses: [{ name: "native", state: { running: {} } }],
    }),
  ];

  test("keeps the Job from ending when it goes on after the migrator", () => {
    expect(lingeringContainers(statuses({ terminated: { exitCode: 0 } }, { running: {} }))).toEqual(["istio-proxy"]);
  });

  test("is no trouble while the migrator runs, or when it has ended too", () => {
    expect(lingeringContainers(statuses({ running: {} }, { running: {} }))).toEqual([]);
    expect(lingeringContainers(statuses({ terminated: {} }, { terminated: {} }))).toEqual([]);
    expect(lingeringContainers([])).toEqual([]);
  });

  test("is named with what to do", () => {
    expect(lingeringText("notes-preflight-1", "preflight", ["istio-proxy"])).toMatch(
      /^Job notes-preflight-1 can't end: its migrator has ended, and istio-proxy goes on .*\nNothing was changed\..*\nNext: press Ctrl-C once .*migrations\.mesh/,
    );
  });
});
