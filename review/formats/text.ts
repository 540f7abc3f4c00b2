import { jsonLine, oneLine } from "../../text/printable";
import { wrapped } from "../../text/wrapped";
import type { Finding } from "../finding";
import { acknowledgementFor } from "../gate";
import type { Review, ReviewedStatement } from "../review";
import { measuredLines, timeOf } from "./measured";
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

/** The number of columns of a line. */
const width = 80;

/** Writes a review for a terminal, in lines of 80 columns where text can be broken. */
export function formatText(review: Review, options: FormatOptions = {}): string {
  const { findings } = review;
  const lines = [verdict(review), `${scope(review)}${findings.length > 0 ? ` ${tally(findings)}.` : ""}`];
  if (tellsSizes(review, options)) lines.push(sizesLine(review));
  lines.push(...notesOf(review, options).map((note) => `Note: ${note}`));
  const text = lines.flatMap((line) => wrapped(oneLine(line)));
  text.push(...statementLines(review));
  const measured = measuredLines(review);
  if (measured.length > 0) text.push("", ...measured);
  for (const [index, finding] of findings.entries()) text.push("", ...findingLines(finding, index + 1, review));
  for (const { acknowledgement, why } of review.void)
    text.push(
      "",
      ...wrapped(
        oneLine(
          `The acknowledgement of ${acknowledgement.finding} in ${acknowledgement.migration} has no effect: ${why}.`,
        ),
      ),
    );
  return `${text.join("\n")}\n`;
}

/** Writes each statement with its locks: a line of SQL with the time that it took, then a line for each of its tables. */
function statementLines(review: Review): string[] {
  const rows = rowsOf(review).filter(({ table }) => table && (table.blocks !== "nothing" || table.work !== "none"));
  let before: ReviewedStatement | undefined;
  return rows.flatMap((row) => {
    const { statement, table } = row;
    const time = timeOf(review, statement);
    const where = `${short(statement.migration, 44)}:${statement.line}${time === undefined ? "" : ` (${time})`}  `;
    const sql = oneLine(`${where}${short(statement.text, Math.max(20, width - where.length))}`);
    const head = statement === before ? [] : [...(before ? [] : [""]), sql];
    before = statement;
    const work = table && works[table.work];
    const parts = [`blocks ${blocksText(row)}`, ...(work === undefined ? [] : [work]), `size ${sizeCell(table)}`];
    return [...head, ...wrapped(oneLine(`  ${table?.name}: ${table?.lock}, ${parts.join(", ")}`), "    ")];
  });
}

const works = {
  none: undefined,
  rows: "changes rows",
  scan: "reads all rows",
  index: "builds an index",
  rewrite: "rewrites all rows",
};

function findingLines(finding: Finding, number: number, review: Review): string[] {
  const { severity, id, classes, migration, line, what, who, howLong, irreversible, safe } = finding;
  const refused = review.refused.includes(finding);
  const reason = review.acknowledged.find((item) => item.finding === finding)?.reason;
  const prose = (text: string) => wrapped(oneLine(`   ${text}`), "   ");
  const proposed = safe !== undefined && safe.migrations.length > 0;
  return [
    oneLine(`${number}. ${refused ? "REFUSED" : severity}: ${id} (${classes.join(", ")})`),
    ...prose(`${migration}, line ${line}`),
    ...prose(what),
    ...prose(`Affects: ${who}`),
    ...prose(`Duration: ${howLong}.`),
    ...(irreversible === undefined ? [] : prose(`Irreversible: ${irreversible}`)),
    ...(proposed ? ["   Write instead:", ...sqlLines(safe.migrations)] : []),
    ...(safe?.note === undefined ? [] : prose(safe.note)),
    ...(reason === undefined ? [] : prose(`Acknowledged: ${reason}`)),
    ...(refused
      ? [
          ...prose(
            `${proposed ? "Or acknowledge" : "Acknowledge"} it in \`review.acknowledgements\` of the stack's file:`,
          ),
          oneLine(`     - ${jsonLine(acknowledgementFor(finding))}`),
        ]
      : []),
  ];
}

function sqlLines(migrations: readonly string[]): string[] {
  return script(migrations)
    .split("\n")
    .map((sql) => oneLine(`     ${sql}`.trimEnd()));
}

/** Whether the review has a line about sizes: not if a note says why they are unknown. */
export function tellsSizes({ migrations, first }: Review, { sizesUnknown }: FormatOptions): boolean {
  return migrations.length > 0 && !first && sizesUnknown === undefined;
}

/** Writes where the sizes of tables come from, or that they are unknown. */
export function sizesLine({ stats }: Review): string {
  if (!stats) return "Sizes of tables and durations are unknown (pass --stats FILE).";
  return stats.recordedAt === undefined
    ? "Sizes of tables are from the given file."
    : `Sizes of tables are of ${stats.recordedAt.replace(/T(\d\d:\d\d).*$/, " $1 UTC")}.`;
}
