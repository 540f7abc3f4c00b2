import { blockedBy } from "../../migrations/sql/locks";
import type { MeasuredBlock, MeasuredMigration } from "../../report/measurement";
import { counted } from "../../text/counted";
import { oneLine } from "../../text/printable";
import { formatDuration } from "../../text/short-duration";
import { rowsText, sizeText, type TableSize } from "../../text/table-size";
import { wrapped } from "../../text/wrapped";
import type { Review, ReviewedStatement } from "../review";

/** The largest number of migrations, and of tables, that are listed. The others are counted. */
const LISTED = 20;

/** Writes the time that a statement took in the trial, such as `12 ms`; undefined if it was not measured. */
export function timeOf({ trial }: Review, { migration, index }: ReviewedStatement): string | undefined {
  const measured = trial?.measurement?.migrations.find(({ name }) => name === migration);
  const found = measured?.statements.find((statement) => statement.index === index);
  return found && formatDuration(found.milliseconds);
}

/** Writes the time of a migration and the number of rows that it changed, such as `12 ms, 3 rows`. */
export function migrationText({ milliseconds, statements }: MeasuredMigration): string {
  const rows = statements.reduce((sum, statement) => sum + statement.rows, 0);
  return `${formatDuration(milliseconds)}, ${rowsText(rows)}`;
}

/** The tables whose size became another in the trial, by name. */
export function grownTables({ trial }: Review): [name: string, growth: string][] {
  return Object.entries(trial?.measurement?.growth ?? {}).flatMap(([name, { before, after }]) =>
    before && after && before.bytes === after.bytes && before.rows === after.rows
      ? []
      : [[name, `${before ? sizeText(before) : "new"} → ${after ? afterText(before, after) : "dropped"}`]],
  );
}

/** Leaves the rows out where their number is the same as before. */
function afterText(before: TableSize | undefined, after: TableSize): string {
  const text = sizeText(after);
  return before?.rows === after.rows ? text.replace(/,.*/s, "") : text;
}

/**
 * Writes what a trial measured: a line for each migration with its time, its rows and what it kept others from doing,
 * then a line for each table that grew. Empty if there was no trial.
 */
export function measuredLines(review: Review): string[] {
  const { postgres, measurement, findings } = review.trial ?? {};
  if (postgres === undefined) return [];
  if (!measurement) return [`Run on Postgres ${postgres}${findings?.length ? ", see the findings" : ""}.`];
  const names = measurement.migrations.slice(0, LISTED);
  const tables = grownTables(review);
  return [
    `Run on Postgres ${postgres} in ${formatDuration(measurement.milliseconds)}:`,
    ...names.flatMap((each) =>
      wrapped(oneLine(`  ${each.name}  ${migrationText(each)}${blockedText(each.blocked)}`), "    "),
    ),
    ...more(measurement.migrations.length, "migration"),
    ...tables.slice(0, LISTED).flatMap(([name, growth]) => wrapped(oneLine(`  ${name}: ${growth}`), "    ")),
    ...more(tables.length, "table"),
  ];
}

/** Writes what a trial measured, or why there was none. Empty if nobody asked for one. */
export function trialLines(review: Review): string[] {
  const why = review.trial?.unavailable;
  return why === undefined ? measuredLines(review) : wrapped(oneLine(notRun(why)));
}

/** Writes why the migrations were not run. */
export function notRun(why: string): string {
  return `The migrations were not run: ${why}.`;
}

function more(all: number, noun: string): string[] {
  return all > LISTED ? [`  … and ${counted(all - LISTED, `more ${noun}`)}`] : [];
}

/** Writes what the migration kept others from doing with the table that it held the longest. */
function blockedText(blocked: readonly MeasuredBlock[]): string {
  const [longest] = [...blocked].sort((a, b) => b.milliseconds - a.milliseconds);
  if (!longest) return "";
  const tables = new Set(blocked.map(({ table }) => table)).size - 1;
  const others = tables > 0 ? `, and of ${counted(tables, "other table")} no longer` : "";
  return `, blocked ${blockedBy(longest.lock)} of ${longest.table} for ${formatDuration(longest.milliseconds)}${others}`;
}
