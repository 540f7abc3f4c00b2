import { setTimeout as pause } from "node:timers/promises";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { formatDuration } from "../../text/short-duration";
import type { Say } from "../target";

/** The times between two questions for the state of a database, in milliseconds: they grow from the first to the last. */
const POLL = { first: 500, last: 15_000, factor: 1.5 } as const;

/** The time after which an unchanged state is said again, in milliseconds. */
const SAID_AGAIN_MS = 60_000;

/** States from which a database doesn't get available by itself, with what a person can do. */
const FINAL: Readonly<Record<string, string>> = {
  failed: "remove it, and see aws rds describe-events before the same command again",
  "incompatible-restore": "remove it, and restore to another snapshot or moment",
  "incompatible-network": "see to its subnets and their free addresses, remove it, then the same command again",
  "incompatible-option-group": "see to the source's option group, remove it, then the same command again",
  "incompatible-parameters": "see to the source's parameter group, remove it, then the same command again",
  "inaccessible-encryption-credentials": "see to the KMS key and its grants, remove it, then the same command again",
  "inaccessible-encryption-credentials-recoverable":
    "see to the KMS key and its grants, start it (aws rds start-db-instance), then the same command again",
  "insufficient-capacity": "remove it, then the same command again later, or when the class has room in another zone",
  "storage-full": "remove it, then the same command again",
  "restore-error": "remove it, and see aws rds describe-events before the same command again",
  deleting: "when it is gone, the same command again",
  stopped: "start it (aws rds start-db-instance or start-db-cluster), then the same command again",
};

/** How long is waited, and how that is ended. */
export interface Patience {
  /** The longest wait for one step, in milliseconds. */
  readonly timeout: number;
  /** Is aborted by Ctrl-C. */
  readonly stop: AbortSignal;
  /** The command that removes a copy, for messages. */
  readonly removal: (name: string) => string;
}

/**
 * Waits until a database is available and a condition holds.
 * @param look reads the database; undefined: RDS doesn't list it yet
 * @param settled returns whether nothing is waited for any more, once the database is available
 * @returns the database as it was seen last
 * @throws CommandFailure if it gets into a state that doesn't end by itself, or takes too long
 */
export async function untilAvailable<T>(
  name: string,
  look: () => Promise<{ readonly status: string; readonly database: T } | undefined>,
  { timeout, stop, removal }: Patience,
  say: Say,
  settled: (database: T) => boolean = () => true,
): Promise<T> {
  const began = Date.now();
  let told = { status: "", at: 0 };
  for (let wait: number = POLL.first; ; wait = Math.min(POLL.last, wait * POLL.factor)) {
    const seen = await look();
    const status = seen?.status ?? "not listed yet";
    if (seen && status === "available" && settled(seen.database)) return seen.database;
    const remedy = Object.hasOwn(FINAL, status) ? FINAL[status] : undefined;
    if (remedy !== undefined)
      throw new CommandFailure(
        EXIT.failed,
        `${name} is "${status}", from which it doesn't get available by itself.`,
        `the source is untouched; ${name} can't be used.`,
        `${remedy}${remedy.startsWith("remove") ? ` (${removal(name)})` : ""}`,
      );
    if (status !== told.status || Date.now() - told.at >= SAID_AGAIN_MS) {
      say(`  ${name}: ${status === "available" ? "available, settings are being applied" : status}`);
      told = { status, at: Date.now() };
    }
    if (Date.now() - began > timeout)
      throw new CommandFailure(
        EXIT.failed,
        `${name} is still "${status}" after ${formatDuration(timeout)}.`,
        `the source is untouched; RDS goes on with ${name}.`,
        "the same command again: it goes on waiting for it",
      );
    await interruptible(wait, name, stop);
  }
}

/**
 * Waits for a time.
 * @throws CommandFailure if that is interrupted
 */
export async function interruptible(milliseconds: number, name: string, stop: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal: stop }).catch(() => undefined);
  if (!stop.aborted) return;
  throw new CommandFailure(
    130,
    "Interrupted.",
    `the source is untouched; RDS goes on with ${name}.`,
    "the same command again: it goes on with that copy",
  );
}

/**
 * Waits until a database is gone.
 * @param look returns its state; undefined once it is gone
 * @throws CommandFailure if it takes too long
 */
export async function untilGone(
  name: string,
  look: () => Promise<string | undefined>,
  { timeout, stop }: Omit<Patience, "removal">,
  say: Say,
): Promise<void> {
  const began = Date.now();
  let told = "";
  for (let wait: number = POLL.first; ; wait = Math.min(POLL.last, wait * POLL.factor)) {
    const status = await look();
    if (status === undefined) return;
    if (status !== told) say(`  ${name}: ${status}`);
    told = status;
    if (Date.now() - began > timeout)
      throw new CommandFailure(
        EXIT.failed,
        `${name} is still "${status}" after ${formatDuration(timeout)}.`,
        "nothing else was deleted; RDS goes on deleting it.",
        "the same command again",
      );
    await interruptible(wait, name, stop);
  }
}
