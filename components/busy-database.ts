import { setTimeout as delay } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import { onError } from "./error-hook";
import { knownValue } from "./known-value";
import { SnapshotError } from "./snapshot-status";

/** A database in a state in which RDS takes no snapshot, and the time to wait for another state. */
export interface BusyDatabase {
  /** The DB identifier of an instance or a cluster. */
  database: pulumi.Input<string>;
  /** The longest time to wait. */
  timeout: Duration;
}

/**
 * Matches the AWS provider's errors that report that RDS takes no snapshot of a database in its present state. For a
 * cluster, the provider itself retries for two minutes; some of its versions then report only that they retried
 * (code: terraform-provider-aws, internal/service/rds/cluster_snapshot.go and internal/retry/op.go).
 */
const BUSY =
  /\bInvalidDB(Instance|Cluster)State(Fault)?\b|creating RDS DB Cluster Snapshot .*last state: 'retryableerror'/;

/** What a snapshot that failed leaves, since RDS' own error doesn't say it. */
const FAILED = [
  "The snapshot was not made, so no migration was begun.",
  "Database and app are as they were.",
  "Next: run the same `up` again. It waits for the snapshot if RDS is still making it, and otherwise takes another one.",
].join("\n");

/**
 * Returns the resource options with which Pulumi retries a snapshot while RDS refuses it because the database is being
 * backed up or modified, and says what any other failure leaves. They are empty if the engine doesn't support error hooks (Pulumi CLI before 3.217, Pulumi's
 * mocks): the refusal then ends the release. It also ends the release with a CLI before 3.244, which calls the hooks
 * for other errors only.
 *
 * @param name The name of the snapshot, which must be unique in the program.
 */
export function retryWhileBusy(name: string, database: BusyDatabase): Pick<pulumi.CustomResourceOptions, "hooks"> {
  return onError(`${name}: wait until the database is available`, waitWhileBusy(database));
}

/**
 * Returns a hook that waits after a temporary refusal and then lets Pulumi retry. After another error it says what is
 * left.
 *
 * @throws {@link SnapshotError} when the database is still busy after the time-out; it replaces RDS' own error
 */
export function waitWhileBusy({ database: given, timeout }: BusyDatabase): pulumi.ErrorHookFunction {
  const timeoutMs = timeout.seconds * 1000;
  let since: number | undefined;
  return async ({ failedOperation, errors: [refusal = ""] }) => {
    if (failedOperation !== "create") return false;
    if (!BUSY.test(refusal)) {
      console.warn(FAILED);
      return false;
    }
    // The value is known by now, because RDS has already answered a request for this database.
    const database = await knownValue(given);
    if (since === undefined) {
      since = Date.now();
      // pulumi.log can't be used here: once it has a message about a resource without a URN, it holds back all later
      // messages.
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
 * Returns the pause before the next try, in milliseconds: a third of the wait so far, but at least 2 s and otherwise at
 * most a sixtieth of the time-out, so that a short wait ends soon after RDS accepts the snapshot. With a time-out of up
 * to two days there are fewer than 90 tries; Pulumi gives up after 100.
 */
export function pauseMs(waitedMs: number, timeoutMs: number): number {
  return Math.max(SHORTEST_PAUSE_MS, Math.min(waitedMs / 3, timeoutMs / 60));
}

/** Returns the provider's error on one line, without its heading "1 error occurred:". */
function inOneLine(refusal: string): string {
  return refusal
    .replace(/^\s*1 error occurred:\s*\*?/, "")
    .replace(/\s+/g, " ")
    .trim();
}
