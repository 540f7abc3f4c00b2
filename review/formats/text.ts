import { jsonLine, oneLine } from "../../text/printable";
import { acknowledgementFor } from "../gate";
import type { Review } from "../review";
import {
  blocksText,
  type FormatOptions,
  notesOf,
  rowsOf,
  scope,
  script,
  short,
  sizeCell,
  tally,
  verdict,
} from "./rows";

/** For a terminal. */
export function formatText(review: Review, options: FormatOptions = {}): string {
  const lines = [verdict(review), `${scope(review)}${review.findings.length > 0 ? ` ${tally(review.findings)}.` : ""}`];
  if (review.migrations.length > 0 && !review.first) lines.push(sizesLine(review));
  for (const note of notesOf(review, options)) lines.push(`Note: ${note}`);
  const rows = rowsOf(review).filter(({ table }) => table && (table.blocks !== "nothing" || table.work !== "none"));
  if (rows.length > 0)
    lines.push(
      "",
      ...columns(
        rows.map(({ statement, table, ...row }) => [
          `${short(statement.migration, 44)}:${statement.line}`,
          short(statement.text, 60),
          table?.name ?? "",
          table?.lock ?? "",
          `blocks ${blocksText({ statement, table, ...row })}`,
          table?.work === "none" ? "" : (table?.work ?? ""),
          sizeCell(table),
        ]),
      ),
    );
  for (const [index, finding] of review.findings.entries()) {
    const { severity, id, classes, migration, line, what, who, howLong, irreversible, safe } = finding;
    const refused = review.refused.includes(finding);
    const reason = review.acknowledged.find((item) => item.finding === finding)?.reason;
    lines.push(
      "",
      `${index + 1}. ${refused ? "REFUSED" : severity}: ${id} (${classes.join(", ")})`,
      `   ${migration}, line ${line}`,
    );
    lines.push(`   ${what}`, `   To whom: ${who}`, `   How long: ${howLong}.`);
    if (irreversible !== undefined) lines.push(`   No way back: ${irreversible}`);
    if (safe && safe.migrations.length > 0)
      lines.push(
        "   Write instead:",
        ...script(safe.migrations)
          .split("\n")
          .map((sql) => `     ${sql}`.trimEnd()),
      );
    if (safe?.note !== undefined) lines.push(`   ${safe.note}`);
    if (reason !== undefined) lines.push(`   Acknowledged: ${reason}`);
    if (refused)
      lines.push(
        `   ${safe && safe.migrations.length > 0 ? "Or acknowledge" : "Acknowledge"} it in the stack's settings, review.acknowledgements:`,
        `     - ${jsonLine(acknowledgementFor(finding))}`,
      );
  }
  for (const { acknowledgement, why } of review.void)
    lines.push(
      "",
      `The acknowledgement of ${acknowledgement.finding} in ${acknowledgement.migration} counts for nothing: ${why}.`,
    );
  return `${lines.map(oneLine).join("\n")}\n`;
}

/** Says where the sizes of tables come from, or that they are not known. */
export function sizesLine({ stats }: Review): string {
  if (!stats) return "Sizes of tables are not known (--stats FILE), so durations aren't either.";
  return stats.recordedAt === undefined
    ? "Sizes of tables are from the given file."
    : `Sizes of tables are of ${stats.recordedAt.replace(/T(\d\d:\d\d).*$/, " $1 UTC")}.`;
}

function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join("  ")
      .trimEnd(),
  );
}
