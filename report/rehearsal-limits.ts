import type { Settings } from "../settings/schema";
import { parseMemory } from "../settings/units";
import { formatBytes } from "../text/bytes";
import { formatDuration } from "../text/short-duration";
import type { MeasuredBlock, MeasuredMigration, Measurement } from "./measurement";

type Limits = Settings["rehearsal"]["limits"];

/** What the migrations did to a copy. */
interface Migrated {
  readonly milliseconds: number;
  /** What was measured; undefined if the app's own command migrates. */
  readonly measurement?: Measurement | undefined;
}

/**
 * Returns a sentence for each limit that the migrations exceed, with the measured value, the migration and the line of
 * the statement that takes most of it. What was not measured exceeds nothing.
 */
export function exceededLimits(limits: Limits, migrated: Migrated): string[] {
  return [...tooLong(limits, migrated), ...tooLongBlocked(limits, migrated), ...tooMuch(limits, migrated)];
}

function tooLong({ duration }: Limits, { milliseconds, measurement }: Migrated): string[] {
  if (!duration || milliseconds <= duration.seconds * 1000) return [];
  const slowest = longest(measurement?.migrations ?? []);
  const most = slowest
    ? ` The slowest is ${slowest.name} (${formatDuration(slowest.milliseconds)}${lineOf(slowest)}).`
    : "";
  return [`The migrations take ${formatDuration(milliseconds)}, and rehearsal.limits.duration is ${duration}.${most}`];
}

function tooLongBlocked({ blockedFor }: Limits, { measurement }: Migrated): string[] {
  if (!blockedFor) return [];
  return (measurement?.migrations ?? []).flatMap((migration) =>
    migration.blocked
      .filter(({ milliseconds }) => milliseconds > blockedFor.seconds * 1000)
      .map(
        (block) =>
          `${migration.name} holds ${block.lock} on ${block.table} for ${formatDuration(block.milliseconds)}${lineOf(migration, block)}, and rehearsal.limits.blockedFor is ${blockedFor}.`,
      ),
  );
}

function tooMuch({ diskGrowth }: Limits, { measurement }: Migrated): string[] {
  const most = diskGrowth === undefined ? undefined : parseMemory(diskGrowth);
  if (most === undefined || !measurement || measurement.diskBytes <= most) return [];
  const grown = Object.entries(measurement.growth)
    .map(([table, { before, after }]) => ({ table, bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0) }))
    .sort((a, b) => b.bytes - a.bytes)[0];
  const largest = grown && grown.bytes > 0 ? `, most of it ${grown.table} (${formatBytes(grown.bytes)})` : "";
  return [
    `The database grows by ${formatBytes(measurement.diskBytes)}${largest}, and rehearsal.limits.diskGrowth is ${diskGrowth}.`,
  ];
}

/** Returns the line of the statement that takes most of a migration's time, or of the time of one of its locks. */
function lineOf({ statements }: MeasuredMigration, block?: MeasuredBlock): string {
  const holders = block
    ? statements.filter(({ tables }) => tables.some(({ name, lock }) => name === block.table && lock))
    : statements;
  const statement = longest(holders);
  return statement ? `, line ${statement.line}: ${statement.kind}` : "";
}

function longest<T extends { readonly milliseconds: number }>(all: readonly T[]): T | undefined {
  return [...all].sort((a, b) => b.milliseconds - a.milliseconds)[0];
}
