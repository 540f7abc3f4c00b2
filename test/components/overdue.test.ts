import type { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { warnWhenOverdue } from "../../components/overdue";
import { Duration } from "../../settings/units";

const DEADLINE = Duration.parse("10m")!;
const OVERDUE_MS = 11 * 60_000;

const warn = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(console, "warn").mockImplementation(warn);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  warn.mockReset();
});

/** A Job, and what ends the wait for it. */
function waitedFor(): { job: Job; done(): void } {
  let done = () => {};
  const id = new Promise<string>((resolve) => {
    done = () => resolve("default/notes-migrate-1");
  });
  return { job: { id: pulumi.output(id) } as unknown as Job, done };
}

/** Outputs pass their values on in a few turns. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a Job that is still waited for after its deadline", () => {
  test("is told of once, with what to look at and what to do", async () => {
    warnWhenOverdue(waitedFor().job, "notes-migrate-1", DEADLINE, pulumi.output(undefined));
    await settled();
    await vi.advanceTimersByTimeAsync(OVERDUE_MS - 1);
    expect(warn).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(OVERDUE_MS);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/deadline of 10m .*kubectl get job notes-migrate-1.*Ctrl-C once.*same `up`/);
  });

  test("is not told of when it ended in time", async () => {
    const { job, done } = waitedFor();
    warnWhenOverdue(job, "notes-migrate-1", DEADLINE, pulumi.output(undefined));
    await settled();
    done();
    await settled();
    await vi.advanceTimersByTimeAsync(2 * OVERDUE_MS);
    expect(warn).not.toHaveBeenCalled();
  });

  test("has time from when what it waits for is done, such as a long snapshot", async () => {
    let taken = () => {};
    const snapshot = new Promise<void>((resolve) => {
      taken = resolve;
    });
    warnWhenOverdue(waitedFor().job, "notes-migrate-1", DEADLINE, pulumi.output(snapshot));
    await settled();
    await vi.advanceTimersByTimeAsync(2 * OVERDUE_MS);
    expect(warn).not.toHaveBeenCalled();
    taken();
    await settled();
    await vi.advanceTimersByTimeAsync(OVERDUE_MS);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
