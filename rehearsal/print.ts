import type { MeasuredMigration, MeasuredPlan, Measurement } from "../report/measurement";
import { table } from "../restore/print";
import { formatBytes } from "../text/bytes";
import { formatDuration } from "../text/short-duration";

/** Returns what the migrations did to the copy, as a table for people. */
export function measurementLines(measurement: Measurement): string[] {
  const { migrations, milliseconds, walBytes, diskBytes } = measurement;
  if (migrations.length === 0) return ["No migration is pending."];
  return [
    ...table([
      ["MIGRATION", "TIME", "BLOCKED", "ROWS", "WAL"],
      ...migrations.map(row),
      ["all", formatDuration(milliseconds), "", "", formatBytes(walBytes)],
    ]),
    ...growthLines(measurement.growth),
    `The database ${diskBytes < 0 ? "shrinks" : "grows"} by ${formatBytes(Math.abs(diskBytes))}.`,
    ...planLines(measurement.plans),
  ];
}

function row({ name, milliseconds, blocked, statements }: MeasuredMigration): string[] {
  const sum = (of: (statement: MeasuredMigration["statements"][number]) => number) =>
    statements.reduce((all, each) => all + of(each), 0);
  return [
    name,
    formatDuration(milliseconds),
    blocked.map((each) => `${each.table} ${each.lock} ${formatDuration(each.milliseconds)}`).join(", "),
    sum(({ rows }) => rows).toLocaleString("en-US"),
    formatBytes(sum(({ walBytes }) => walBytes)),
  ];
}

function growthLines(growth: Measurement["growth"]): string[] {
  return Object.entries(growth).flatMap(([name, { before, after }]) => {
    if (!after) return before ? [`${name}: ${formatBytes(before.bytes)} are gone`] : [];
    if (!before) return [`${name}: new, ${formatBytes(after.bytes)}`];
    return before.bytes === after.bytes ? [] : [`${name}: ${formatBytes(before.bytes)} → ${formatBytes(after.bytes)}`];
  });
}

function planLines(plans: readonly MeasuredPlan[] | undefined): string[] {
  if (!plans) return ["Plans of the app's statements: unknown, because pg_stat_statements can't be read there."];
  return plans.flatMap(({ statement, calls, costBefore, costAfter, before, after }) => [
    `Another plan (${calls.toLocaleString("en-US")} calls, cost ${costBefore ?? "unknown"} → ${costAfter ?? "unknown"}): ${statement}`,
    `  before: ${before.join(", ")}`,
    `  after:  ${after.join(", ")}`,
  ]);
}
