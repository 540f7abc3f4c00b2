import { setTimeout as delay } from "node:timers/promises";
import * as aws from "@pulumi/aws/rds";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import { ReleaseError } from "./release-error";

/** What RDS says about a snapshot. */
export interface SnapshotDescription {
  arn: string;
  /** As RDS calls it: creating, available, failed, … */
  status: string;
  encrypted: boolean;
  /** ISO 8601. */
  createdAt: string;
}

/** Names a snapshot in RDS. */
export interface SnapshotKey {
  kind: "instance" | "cluster";
  identifier: string;
}

/** The migration did not start, because its backup can't be relied upon. */
export class SnapshotError extends ReleaseError {
  override readonly name = "SnapshotError";

  constructor(what: string, next: string) {
    super(
      `${what}\n` +
        "The migration did not start: the database is unchanged, and the app that was serving goes on serving.\n" +
        next,
    );
  }
}

/**
 * How the data sources of the AWS provider say that there is no such snapshot. A host that can't be resolved ("ENOTFOUND") or a
 * profile that is missing ("was not found") says nothing about a snapshot.
 */
const NOT_FOUND =
  /couldn't find resource|query returned no results|no matching .*snapshot|empty result|SnapshotNotFound/i;

/** What RDS says of a snapshot; undefined when it has none of that identifier. */
async function findSnapshot(
  { kind, identifier }: SnapshotKey,
  opts?: pulumi.InvokeOptions,
): Promise<SnapshotDescription | undefined> {
  try {
    if (kind === "instance") {
      const found = await aws.getSnapshot({ dbSnapshotIdentifier: identifier }, opts);
      const { status, encrypted, snapshotCreateTime: createdAt, dbSnapshotArn: arn } = found;
      return { arn, status, encrypted, createdAt };
    }
    const found = await aws.getClusterSnapshot({ dbClusterSnapshotIdentifier: identifier }, opts);
    const { status, storageEncrypted: encrypted, snapshotCreateTime: createdAt, dbClusterSnapshotArn: arn } = found;
    return { arn, status, encrypted, createdAt };
  } catch (error) {
    if (NOT_FOUND.test(String(error))) return undefined;
    throw new SnapshotError(
      `RDS did not say whether there is a snapshot ${identifier}: ${(error as Error).message}`,
      "Correct what it says (region, credentials, rights), then: pulumi up",
    );
  }
}

/** States that end by themselves, in `available` or in something worse. */
const WAITED_FOR = ["creating", "copying", "modifying"];

/** A release whose snapshot failed this often has another problem. */
const TRIES = 5;

/**
 * The snapshot to use for a release: the one that is there, else a new one. RDS never gives an identifier twice, so one
 * that failed, or is being deleted, is left aside and the next is called `…-r2`, `…-r3`.
 *
 * @returns `availableSince` where it was complete before this `up`: when it was begun, as RDS tells no later time
 */
export async function chooseSnapshot(
  { kind, identifier }: SnapshotKey,
  opts?: pulumi.InvokeOptions,
): Promise<{ identifier: string; exists: boolean; availableSince?: string }> {
  const candidates = Array.from({ length: TRIES }, (_, index) =>
    index === 0 ? identifier : `${identifier}-r${index + 1}`,
  );
  let free: string | undefined;
  for (const candidate of candidates) {
    const found = await findSnapshot({ kind, identifier: candidate }, opts);
    if (found?.status === "available") return { identifier: candidate, exists: true, availableSince: found.createdAt };
    if (found && WAITED_FOR.includes(found.status)) return { identifier: candidate, exists: true };
    if (!found) {
      free ??= candidate;
      // The first that was never taken ends the search, but for the case that a failed first one was deleted by hand.
      if (candidate !== identifier) break;
    }
  }
  if (free) return { identifier: free, exists: false };
  throw new SnapshotError(
    `All ${TRIES} snapshots ${identifier}… of this release failed.`,
    "See the instance's events (aws rds describe-events), then raise release.attempt by one and run `up` again.",
  );
}

/** Between two looks at a snapshot that is still being made. */
const POLL_MS = 2000;

/**
 * Waits until the snapshot is `available`. Undefined: it is not there any more, which matters only to a release that has
 * migrations to apply, and that is for the Job to say.
 *
 * @throws {@link SnapshotError} when it failed, is not encrypted where it must be, or took too long
 */
export async function waitUntilAvailable(
  args: SnapshotKey & { timeout: Duration; encryptionRequired: boolean },
  opts?: pulumi.InvokeOptions,
): Promise<SnapshotDescription | undefined> {
  const { identifier, timeout } = args;
  const deadline = Date.now() + timeout.seconds * 1000;
  for (;;) {
    const snapshot = await findSnapshot(args, opts);
    if (!snapshot) return undefined;
    if (snapshot.status === "available") {
      if (!args.encryptionRequired || snapshot.encrypted) return snapshot;
      throw new SnapshotError(
        `Snapshot ${identifier} is not encrypted, and policy.encryption is "required".`,
        "Encrypt the database (restore an encrypted copy of this snapshot), or set policy.encryption to optional.",
      );
    }
    // A preview does not wait: it shows what is known now.
    const waits = WAITED_FOR.includes(snapshot.status);
    if (waits && pulumi.runtime.isDryRun()) return snapshot;
    if (!waits) {
      throw new SnapshotError(
        `Snapshot ${identifier} is "${snapshot.status}", not "available".`,
        "Run the same `up` again: it takes a fresh snapshot.",
      );
    }
    if (Date.now() >= deadline) {
      throw new SnapshotError(
        `Snapshot ${identifier} is still "${snapshot.status}" after ${timeout} (backup.timeout).`,
        "Run the same `up` again: it goes on waiting for this snapshot.",
      );
    }
    await delay(POLL_MS);
  }
}
