import type { Measurement } from "../report/measurement";
import { formatDuration } from "../text/short-duration";

/** What the migrations under review were seen to do in a rehearsal on a copy of the database. */
export interface MeasuredOnCopy {
  /** The time at which the rehearsal began, ISO 8601. */
  readonly at: string;
  readonly measurement: Measurement;
}

/**
 * Writes how long a statement took on the copy, such as `41 s, measured on a copy of 2026-11-30`.
 *
 * @param index the index of the statement in its migration, counted from 0
 * @returns undefined if it was not measured
 */
export function measuredDuration(
  measured: MeasuredOnCopy | undefined,
  migration: string,
  index: number,
): string | undefined {
  const statements = measured?.measurement.migrations.find(({ name }) => name === migration)?.statements;
  const found = statements?.find((statement) => statement.index === index);
  return (
    measured && found && `${formatDuration(found.milliseconds)}, measured on a copy of ${measured.at.slice(0, 10)}`
  );
}
