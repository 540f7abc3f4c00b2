import { formatBytes } from "../text/bytes";
import { markdownCode, markdownText } from "../text/markdown";
import { formatDuration } from "../text/short-duration";
import { sizeText } from "../text/table-size";
import type { MeasuredMigration, Measurement } from "./measurement";
import type { RehearsalProof } from "./rehearsal-proof";

/** The largest number of migrations, and of tables, that a page lists. The others are counted. */
const LISTED = 50;

/** Writes what a rehearsal measured as a part of the page; nothing if it measured nothing. */
export function measuredPart({ measurement, of, leftOut }: RehearsalProof): string[] {
  if (!measurement || measurement.migrations.length === 0) return [];
  const { migrations, milliseconds, walBytes, diskBytes } = measurement;
  const rows = migrations.slice(0, LISTED).map(row);
  return [
    "## Measured on a copy",
    "",
    `Of ${markdownText(of)}, before the release.`,
    "",
    "| migration | time | blocked | rows | WAL |",
    "|---|---|---|---|---|",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    ...more(migrations.length, "migrations", 5),
    `| all | ${formatDuration(milliseconds)} | | | ${formatBytes(walBytes)} |`,
    "",
    ...growth(measurement),
    ...(leftOut === undefined
      ? []
      : [`Left out, because a ConfigMap takes 1 MiB: ${leftOut}. Rows and WAL above are without them.`, ""]),
    `The database ${diskBytes < 0 ? "shrank" : "grew"} by ${formatBytes(Math.abs(diskBytes))}.`,
    "",
  ];
}

function row({ name, milliseconds, blocked, statements }: MeasuredMigration): string[] {
  const sum = (key: "rows" | "walBytes") => statements.reduce((all, statement) => all + statement[key], 0);
  const blocks = blocked.map((each) => `${each.table} (${each.lock}) for ${formatDuration(each.milliseconds)}`);
  return [
    markdownCode(name),
    formatDuration(milliseconds),
    blocks.map(markdownText).join("<br>") || "nothing",
    sum("rows").toLocaleString("en-US"),
    formatBytes(sum("walBytes")),
  ];
}

/** Writes the tables whose size became another, with both sizes. */
function growth({ growth: tables }: Measurement): string[] {
  const changed = Object.entries(tables).filter(([, { before, after }]) => before?.bytes !== after?.bytes);
  if (changed.length === 0) return [];
  const rows = changed.slice(0, LISTED).map(([name, { before, after }]) => {
    const sizes = [before ? sizeText(before) : "new", after ? sizeText(after) : "dropped"];
    return `| ${markdownText(name)} | ${sizes.join(" | ")} |`;
  });
  return ["| table | before | after |", "|---|---|---|", ...rows, ...more(changed.length, "tables", 3), ""];
}

function more(all: number, noun: string, columns: number): string[] {
  return all > LISTED ? [`| … and ${all - LISTED} more ${noun} |${" |".repeat(columns - 1)}`] : [];
}
