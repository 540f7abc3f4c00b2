import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { ReleaseFacts } from "../../by-hand/release-facts";
import { formatDuration } from "../../text/short-duration";
import { time } from "./command-line";
import { described, type Source } from "./source";

/**
 * Reads a time as in ISO 8601 with its time zone.
 * @returns undefined if it is no time
 * @throws CommandFailure if the time zone is missing
 */
export function readTime(text: string): Date | undefined {
  const match = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(text);
  if (!match) return undefined;
  const at = new Date(match[1] === undefined ? Number.NaN : text.replace(" ", "T").replace(/\s/g, ""));
  if (!Number.isNaN(at.getTime())) return new Date(Math.floor(at.getTime() / 1000) * 1000);
  throw new CommandFailure(
    EXIT.usage,
    `--to ${text} is no time with a time zone, such as 2026-11-21T15:04:05Z or 2026-11-21T16:04:05+01:00.`,
    "not connected to; nothing was changed.",
  );
}

/** The word for the moment before the migration of the live release began. */
export const BEFORE_MIGRATION = "before-migration";

/** The word for the latest moment that there is. */
export const LATEST = "latest";

/** Whether `--to` means a moment, to which only RDS goes back, and not a backup by its name. */
export function isMoment(to: string | undefined): boolean {
  return to === BEFORE_MIGRATION || to === LATEST || /^\d{4}-\d{2}-\d{2}/.test(to ?? "");
}

/**
 * Returns the moment before the migration of the live release began.
 * @throws CommandFailure if it is not known
 */
export function beganAt({ outputs, unknown }: ReleaseFacts): Date {
  const began = outputs?.migrationBegan;
  if (began) return new Date(began);
  throw new CommandFailure(
    EXIT.usage,
    `When the migration of the live release began is not known: ${unknown ?? "the release was made by a version of this project that didn't record it"}.`,
    undefined,
    "the same command with --to TIME, such as --to 2026-11-21T15:04:05Z; or without --to, for the snapshot before the release",
  );
}

/**
 * Returns the latest moment that the automated backups reach to; undefined if there are none. RDS is about five minutes
 * behind.
 */
export function latestOf({ database }: Source): Date | undefined {
  const latest = database.LatestRestorableTime;
  return latest && new Date(Math.floor(latest.getTime() / 1000) * 1000);
}

/**
 * Returns the moment if the automated backups reach to it.
 * @throws CommandFailure if they don't
 */
export function reachable(source: Source, at: Date): Date {
  const { database } = source;
  const latest = database.LatestRestorableTime;
  const earliest = source.kind === "cluster" ? source.database.EarliestRestorableTime : undefined;
  if (!latest)
    throw new CommandFailure(
      EXIT.usage,
      `RDS keeps no automated backups of ${described(source)} (its retention is ${database.BackupRetentionPeriod ?? 0} days), so it can't be restored to a moment.`,
      undefined,
      "the same command without --to, or with --to SNAPSHOT",
    );
  if (at > latest)
    throw new CommandFailure(
      EXIT.usage,
      `${described(source)} can be restored to ${time(latest)} at the latest, and ${time(at)} is later. RDS is about five minutes behind.`,
      undefined,
      at.getTime() > Date.now()
        ? "the same command with a time that is past"
        : `wait ${formatDuration(Math.ceil((at.getTime() - latest.getTime()) / 60_000 + 1) * 60_000)}, then the same command again`,
    );
  if (earliest && at < earliest)
    throw new CommandFailure(
      EXIT.usage,
      `${described(source)} can be restored to ${time(earliest)} at the earliest, and ${time(at)} is earlier.`,
      undefined,
      "the same command with a later time, or with --to SNAPSHOT",
    );
  return at;
}
