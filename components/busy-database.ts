import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import { SnapshotError } from "./snapshot-status";

/** The database whose state keeps RDS from taking a snapshot, and how long to wait for another state. */
export interface BusyDatabase {
  /** The DB identifier of an instance or a cluster. */
  database: pulumi.Input<string>;
  /** How long to wait at most. */
  timeout: Duration;
}

/**
 * How the AWS provider says that RDS takes no snapshot of a database because of the state it is in. The provider itself
 * asks for a cluster's snapshot again for two minutes; some of its versions then tell only that they did
 * (code: terraform-provider-aws, internal/service/rds/cluster_snapshot.go and internal/retry/op.go).
 */
const BUSY =
  /\bInvalidDB(Instance|Cluster)State(Fault)?\b|creating RDS DB Cluster Snapshot .*last state: 'retryableerror'/;

/**
 * Options of a snapshot that make Pulumi ask for it again while RDS refuses it because the database is being backed up or
 * modified. None where the engine calls no such hooks (a Pulumi CLI before 3.217; Pulumi's mocks): the refusal then
 * ends the release, as it does with a CLI before 3.244, which calls them for other errors only.
 *
 * @param name of the snapshot; no two in a program have the same
 */
export function retryWhileBusy(name: string, database: BusyDatabase): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if (!engineCallsErrorHooks()) return {};
  const hook = new pulumi.ErrorHook(`${name}: wait until the database is available`, waitWhileBusy(database));
  return { hooks: { onError: [hook] } };
}

/**
 * Waits a while after a refusal that will pass, then asks for another try.
 *
 * @throws {@link SnapshotError} when the database was still busy after the time-out; takes the place of RDS' refusal
 */
export function waitWhileBusy({ database: given, timeout }: BusyDatabase): pulumi.ErrorHookFunction {
  const timeoutMs = timeout.seconds * 1000;
  let since: number | undefined;
  return async ({ failedOperation, errors: [refusal = ""] }) => {
    if (failedOperation !== "create" || !BUSY.test(refusal)) return false;
    // Known: the refusal is about this very database.
    const database = await new Promise<string>((resolve) => pulumi.output(given).apply(resolve));
    if (since === undefined) {
      since = Date.now();
      // Not by pulumi.log, which holds back what comes after a message about a resource that has no URN yet.
      console.warn(
        `RDS takes no snapshot of ${database} now: it is probably being backed up or modified. The release waits for it, ` +
          `at most ${timeout} (backup.timeout). Database and app are as they were.`,
      );
    }
    const waitedMs = Date.now() - since;
    if (waitedMs >= timeoutMs) {
      throw new SnapshotError(
        `RDS took no snapshot of ${database} for ${timeout} (backup.timeout). It said: ${inOneLine(refusal)}`,
        "When the database is available, run the same `up` again: it takes the snapshot then.",
      );
    }
    await delay(Math.min(pauseMs(waitedMs, timeoutMs), timeoutMs - waitedMs));
    return true;
  };
}

const SHORTEST_PAUSE_MS = 2_000;

/**
 * Until the next try: a third of the wait so far, so that a short one costs little, but never more than a sixtieth of the
 * time-out. With a time-out of up to two days that makes less than 90 tries; Pulumi gives up after 100.
 */
export function pauseMs(waitedMs: number, timeoutMs: number): number {
  return Math.max(SHORTEST_PAUSE_MS, Math.min(waitedMs / 3, timeoutMs / 60));
}

/** As the provider prints it, "1 error occurred:" and line ends are left out. */
function inOneLine(refusal: string): string {
  return refusal
    .replace(/^\s*1 error occurred:\s*\*?/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** What the SDK asked the engine before the program began. It has no public name, but a hook must not be made without it. */
function engineCallsErrorHooks(): boolean {
  const { getStore }: { getStore(): { supportsErrorHooks?: boolean } } = require("@pulumi/pulumi/runtime/state");
  return getStore().supportsErrorHooks === true && "registerErrorHook" in (pulumi.runtime.getMonitor() ?? {});
}
