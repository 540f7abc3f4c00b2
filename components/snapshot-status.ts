import { setTimeout as delay } from "node:timers/promises";
import * as aws from "@pulumi/aws/rds";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";
import { accountRefused } from "./account-refused";
import { ReleaseError } from "./release-error";
import { candidates, TRIES } from "./release-id";

/** The description of a snapshot that RDS returns. */
export interface SnapshotDescription {
  arn: string;
  /** The status in RDS' words: creating, available, failed, … */
  status: string;
  encrypted: boolean;
  /** The ARN of the key that it is encrypted with; empty if it is not encrypted. */
  kmsKey: string;
  /** The time at which RDS began the snapshot (ISO 8601). */
  createdAt: string;
}

/** The key of a snapshot in RDS. */
export interface SnapshotKey {
  kind: "instance" | "cluster";
  identifier: string;
}

/** This error reports that the migration did not start, because its backup can't be relied on. */
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
 * Matches the errors with which the AWS provider reports that a snapshot doesn't exist. It must not match a host that
 * can't be resolved ("ENOTFOUND") or a missing profile ("was not found"), which leave that unknown.
 */
const NOT_FOUND =
  /couldn't find resource|query returned no results|no matching .*snapshot|empty result|SnapshotNotFound/i;

/**
 * Returns RDS' description of a snapshot, or undefined if there is none with that identifier.
 *
 * @throws {@link SnapshotError} when RDS can't be queried
 * @throws AccountRefused when the credentials belong to another account than the stack's settings allow
 */
export async function findSnapshot(
  { kind, identifier }: SnapshotKey,
  opts?: pulumi.InvokeOptions,
): Promise<SnapshotDescription | undefined> {
  try {
    if (kind === "instance") {
      const found = await aws.getSnapshot({ dbSnapshotIdentifier: identifier }, opts);
      const { status, encrypted, kmsKeyId: kmsKey, snapshotCreateTime: createdAt, dbSnapshotArn: arn } = found;
      return { arn, status, encrypted, kmsKey, createdAt };
    }
    const found = await aws.getClusterSnapshot({ dbClusterSnapshotIdentifier: identifier }, opts);
    const { status, storageEncrypted: encrypted, kmsKeyId: kmsKey, snapshotCreateTime: createdAt } = found;
    return { arn: found.dbClusterSnapshotArn, status, encrypted, kmsKey, createdAt };
  } catch (error) {
    if (NOT_FOUND.test(String(error))) return undefined;
    const refused = accountRefused(error);
    if (refused) throw refused;
    throw new SnapshotError(
      `RDS did not say whether there is a snapshot ${identifier}: ${(error as Error).message}`,
      "Correct what it says (region, credentials, rights), then: pulumi up",
    );
  }
}

/** The states that end by themselves, in `available` or in a failure. */
export const WAITED_FOR: readonly string[] = ["creating", "copying", "modifying"];

/**
 * Chooses the snapshot for a release: the existing one, or else a new one. An identifier that a failed snapshot, or one
 * that is being deleted, still has can't be used again. The next snapshot is then named `…-r2`, `…-r3` and so on.
 *
 * @returns The snapshot. `availableSince` is set if it was complete before this `up`; it is the time at which the
 *   snapshot was begun, because RDS reports no later time.
 * @throws {@link SnapshotError} when RDS can't be queried, or when all snapshots of this release have failed
 */
export async function chooseSnapshot(
  { kind, identifier }: SnapshotKey,
  opts?: pulumi.InvokeOptions,
): Promise<{ identifier: string; exists: boolean; availableSince?: string }> {
  let free: string | undefined;
  for (const candidate of candidates(identifier)) {
    const found = await findSnapshot({ kind, identifier: candidate }, opts);
    if (found?.status === "available") return { identifier: candidate, exists: true, availableSince: found.createdAt };
    if (found && WAITED_FOR.includes(found.status)) return { identifier: candidate, exists: true };
    if (!found) {
      free ??= candidate;
      // The first identifier that is not in use ends the search. Only if it is the very first, the search goes on,
      // because somebody may have deleted a failed first snapshot by hand.
      if (candidate !== identifier) break;
    }
  }
  if (free) return { identifier: free, exists: false };
  throw new SnapshotError(
    `All ${TRIES} snapshots ${identifier}… of this release failed.`,
    "See the instance's events (aws rds describe-events), then raise release.attempt by one and run `up` again.",
  );
}

/**
 * Finds the snapshot of a release that needs none. Any one that is not `available` counts as none, and it is no error if
 * all of them have failed or were removed.
 *
 * @returns what {@link chooseSnapshot} returns of an existing snapshot, or undefined if there is none
 * @throws {@link SnapshotError} when RDS can't be queried
 */
export async function findAvailable(
  { kind, identifier }: SnapshotKey,
  opts?: pulumi.InvokeOptions,
): Promise<{ identifier: string; exists: boolean; availableSince: string } | undefined> {
  for (const candidate of candidates(identifier)) {
    const found = await findSnapshot({ kind, identifier: candidate }, opts);
    if (found?.status === "available") return { identifier: candidate, exists: true, availableSince: found.createdAt };
    if (!found && candidate !== identifier) return undefined;
  }
  return undefined;
}

/** Returns the rest of a sentence about what is encrypted with another key than the settings name. */
export function encryptedWith(key: string, wanted: string): string {
  return `is ${key ? `encrypted with ${key}` : "not encrypted"}, and backup.kmsKey is ${wanted}.`;
}

/** What to do about another key. */
export const OTHER_KEY =
  "Correct backup.kmsKey, or move the database to that key (restore a copy of a snapshot that is encrypted with it), and run the same `up` again.";

/** The time between two queries for a snapshot that is still being made, in milliseconds. */
const POLL_MS = 2000;

/** A snapshot that is waited for, and the conditions that it must meet. */
export interface AwaitedSnapshot extends SnapshotKey {
  /** The longest time to wait. */
  timeout: Duration;
  /** Whether it must be encrypted at rest. */
  encryptionRequired: boolean;
  /** The ARN of the key that it must be encrypted with; default: any, or none. */
  kmsKey?: string | undefined;
  /** Its name in messages; default: `Snapshot` and its identifier. */
  title?: string;
  /** Makes the error; default: a {@link SnapshotError}, which says that the migration did not start. */
  fail?: (what: string, next: string) => ReleaseError;
}

/**
 * Waits until the snapshot is `available`.
 *
 * @returns undefined if the snapshot doesn't exist any more. Only a release with pending migrations needs it, and the
 *   migration Job checks that.
 * @throws {@link SnapshotError} when it failed, took too long, or is not encrypted as the settings require
 */
export async function waitUntilAvailable(
  args: AwaitedSnapshot,
  opts?: pulumi.InvokeOptions,
): Promise<SnapshotDescription | undefined> {
  const { identifier, timeout, kmsKey, fail = (what, next) => new SnapshotError(what, next) } = args;
  const { title = `Snapshot ${identifier}` } = args;
  const deadline = Date.now() + timeout.seconds * 1000;
  for (;;) {
    const snapshot = await findSnapshot(args, opts);
    if (!snapshot) return undefined;
    if (snapshot.status === "available") {
      if (args.encryptionRequired && !snapshot.encrypted) {
        throw fail(
          `${title} is not encrypted, and policy.encryption is "required".`,
          "Encrypt the database (restore an encrypted copy of this snapshot), or set policy.encryption to optional.",
        );
      }
      if (kmsKey === undefined || snapshot.kmsKey === kmsKey) return snapshot;
      throw fail(`${title} ${encryptedWith(snapshot.kmsKey, kmsKey)}`, OTHER_KEY);
    }
    // A preview does not wait; it shows the present state.
    const waits = WAITED_FOR.includes(snapshot.status);
    if (waits && pulumi.runtime.isDryRun()) return snapshot;
    if (!waits) {
      throw fail(
        `${title} is "${snapshot.status}", not "available".`,
        "Run the same `up` again: it makes a fresh one.",
      );
    }
    if (Date.now() >= deadline) {
      throw fail(
        `${title} is still "${snapshot.status}" after ${timeout} (backup.timeout).`,
        "Run the same `up` again: it goes on waiting for this one.",
      );
    }
    await delay(POLL_MS);
  }
}
