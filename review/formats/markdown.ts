import { formatBytes } from "../../text/bytes";
import { counted } from "../../text/counted";
import { htmlCode, htmlText, markdownBlock, markdownCode, markdownText } from "../../text/markdown";
import { jsonLine } from "../../text/printable";
import type { Finding, Severity } from "../finding";
import { acknowledgementFor } from "../gate";
import type { Review } from "../review";
import { grownTables, measuredLines, migrationText, timeOf } from "./measured";
import {
  blocksText,
  type FormatOptions,
  notesOf,
  type Row,
  rewriteText,
  rowsOf,
  scope,
  script,
  short,
  tally,
  verdict,
} from "./rows";
import { sizesLine, tellsSizes } from "./text";

/**
 * The largest size of a comment, in bytes. GitHub allows 65,536 characters; the rest is left for text that a workflow
 * adds.
 */
export const largestComment = 64_000;
/** A mark by which a workflow finds its earlier comment and updates it. */
export const commentMark = "<!-- release-review -->";

/** The limits of what a comment shows. They are lowered step by step until the comment fits. */
interface Extent {
  readonly rows: number;
  readonly findings: number;
  readonly sql: boolean;
}

const extents: readonly Extent[] = [
  { rows: 30, findings: 60, sql: true },
  { rows: 30, findings: 60, sql: false },
  { rows: 20, findings: 25, sql: false },
  { rows: 10, findings: 10, sql: false },
];

/** Writes a review as a comment on a pull request: the verdict, a table of the statements, and the folded details. */
export function formatMarkdown(review: Review, options: FormatOptions = {}): string {
  let text = "";
  for (const extent of extents) {
    text = render(review, options, extent);
    if (Buffer.byteLength(text) <= largestComment) break;
  }
  return text;
}

function render(review: Review, options: FormatOptions, extent: Extent): string {
  const notes = notesOf(review, options);
  const worst = review.findings[0]?.severity;
  const alert = review.refused.length > 0 || worst === "error" ? "CAUTION" : worst === "warning" ? "WARNING" : "TIP";
  const parts = [commentMark, `> [!${alert}]\n> **${verdict(review)}**`];
  const facts = [scope(review)];
  if (review.findings.length > 0) facts.push(`${tally(review.findings)}.`);
  if (tellsSizes(review, options)) facts.push(sizesLine(review));
  if (!review.trial?.measurement) facts.push(...measuredLines(review).map(markdownText));
  parts.push(facts.join(" "));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${markdownText(note)}`).join("\n"));
  const rows = rowsOf(review);
  const measured = measuredOf(review);
  if (rows.length > 0 || measured) parts.push(table(rows, extent, measured));
  if (review.findings.length > 0) parts.push(...details(review, extent));
  if (review.void.length > 0)
    parts.push(
      `**Acknowledgements without effect**\n\n${review.void.map(({ acknowledgement, why }) => `- ${markdownCode(acknowledgement.finding)} in ${markdownCode(acknowledgement.migration)}: ${markdownText(why)}.`).join("\n")}`,
    );
  return `${parts.join("\n\n")}\n`;
}

/** The largest number of refused findings that are shown unfolded. If there are more, all are folded. */
const opened = 3;
/** The number of rows that are shown at once. The others are folded. */
const glance = 12;

/** What a trial measured, for the cells of the table. */
interface Measured {
  /** The heading of the column. */
  readonly title: string;
  /** The text for the cell with a migration's name, by its name. */
  readonly migrations: ReadonlyMap<string, string>;
  readonly timeOf: (row: Row) => string;
  /** How tables grew, by name. */
  readonly growth: ReadonlyMap<string, string>;
}

function measuredOf(review: Review): Measured | undefined {
  const { postgres, measurement } = review.trial ?? {};
  if (!measurement) return undefined;
  return {
    title: `Run on Postgres ${markdownText(postgres ?? "")}`,
    migrations: new Map(measurement.migrations.map((migration) => [migration.name, migrationText(migration)])),
    timeOf: ({ statement }) => timeOf(review, statement) ?? "",
    growth: new Map(grownTables(review)),
  };
}

/**
 * Writes the table of the statements. With a trial it also has the time of each migration and statement and how each
 * table grew, in rows of their own if no statement is about them.
 */
function table(rows: readonly Row[], { rows: most }: Extent, measured: Measured | undefined): string {
  const worstFirst = [...rows].sort((a, b) => rank(a.risk) - rank(b.risk)).slice(0, most);
  const first = new Set(worstFirst.slice(0, worstFirst.length > glance + 2 ? glance : most));
  const folded = worstFirst.filter((row) => !first.has(row));
  const more = rows.length - worstFirst.length;
  const shown = rows.filter((row) => first.has(row));
  return [
    [...tableOf(shown, measured), ...(measured ? unmentioned(rows, measured, most) : [])].join("\n"),
    ...(folded.length > 0
      ? [
          fold(
            `${counted(folded.length, "more row")}, of less risk`,
            tableOf(
              rows.filter((row) => folded.includes(row)),
              measured,
            ).join("\n"),
          ),
        ]
      : []),
    ...(more > 0 ? [`${counted(more, "more row")} in the full report.`] : []),
  ].join("\n\n");
}

function tableOf(rows: readonly Row[], measured: Measured | undefined): string[] {
  const title = measured ? ` ${measured.title} |` : "";
  const lines = [
    `| Migration | Statement | Lock | Blocks | Rewrite | Size |${title} Risk | Safe way |`,
    `| --- | --- | --- | --- | --- | --- |${measured ? " --- |" : ""} --- | --- |`,
  ];
  let before = "";
  let lineBefore = "";
  const grown = new Set<string>();
  for (const { statement, table: target, risk, findings, ...row } of rows) {
    const same = statement.migration === before;
    const name = same ? "" : nameCell(statement.migration, measured?.migrations.get(statement.migration));
    const where = `${statement.migration}:${statement.index}`;
    const again = where === lineBefore;
    const text = again ? "″" : code(short(statement.text.replaceAll('"', ""), 44));
    before = statement.migration;
    lineBefore = where;
    const lock = target ? `${code(target.name)} ${target.lock}` : "unknown";
    const size = target?.size ? formatBytes(target.size.bytes).replace(" ", "&nbsp;") : "?";
    const way = findings.length > 0 ? `see ${findings.join(", ")}` : "no change needed";
    const all = { statement, table: target, risk, findings, ...row };
    const growth = target && !grown.has(target.name) ? measured?.growth.get(target.name) : undefined;
    if (target) grown.add(target.name);
    const time = again ? "" : (measured?.timeOf(all) ?? "");
    const seen = measured ? ` ${[time, growth].filter(Boolean).join("<br>")} |` : "";
    lines.push(
      `| ${name} | ${text} | ${lock} | ${blocksText(all)} | ${rewriteText(target)} | ${size} |${seen} ${riskText(risk)} | ${way} |`,
    );
  }
  return lines;
}

/** Writes a row for each migration and each table that grew of which no other row is, up to a number of each. */
function unmentioned(rows: readonly Row[], { migrations, growth }: Measured, most: number): string[] {
  const told = new Set(rows.flatMap(({ statement, table: target }) => [statement.migration, target?.name]));
  const rest = (all: ReadonlyMap<string, string>) => [...all].filter(([name]) => !told.has(name));
  const line = (first: string, lock: string, text: string) =>
    `| ${first} | | ${lock} | nothing | no | | ${text} | none | no change needed |`;
  return [
    ...rest(migrations)
      .slice(0, most)
      .map(([name, text]) => line(nameCell(name, undefined), "none", text)),
    ...rest(growth)
      .slice(0, most)
      .map(([name, text]) => line("", code(name), text)),
  ];
}

function nameCell(migration: string, measured: string | undefined): string {
  const name = code(short(migration.replace(/^\d+_/, ""), 24));
  return measured === undefined ? name : `${name}<br>${measured}`;
}

function fold(summary: string, text: string): string {
  return `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`;
}

function riskText(risk: Severity | undefined): string {
  return risk === undefined ? "none" : { error: "**high**", warning: "**medium**", info: "low" }[risk];
}

function rank(risk: Severity | undefined): number {
  return risk === undefined ? 3 : { error: 0, warning: 1, info: 2 }[risk];
}

function details(review: Review, extent: Extent): string[] {
  const shown = review.findings.slice(0, extent.findings);
  const told = shown.map((finding, index) => detail(finding, index + 1, review, extent));
  // The findings are sorted, the most severe first. A refused one is never put into the fold of the remaining ones.
  const refused = Math.max(0, ...shown.map((finding, index) => (review.refused.includes(finding) ? index + 1 : 0)));
  const serious = shown.filter(({ severity }) => severity !== "info").length;
  const at = Math.max(refused, Math.min(serious, glance));
  const parts = told.slice(0, at);
  const rest = shown.slice(at);
  if (rest.length > 0) {
    const what = rest.every(({ severity }) => severity === "info") ? "note" : "more finding";
    parts.push(fold(counted(rest.length, what), told.slice(at).join("\n\n")));
  }
  const more = review.findings.length - shown.length;
  if (more > 0) parts.push(`${counted(more, "more finding")} in the full report.`);
  return parts;
}

function detail(finding: Finding, number: number, review: Review, { sql }: Extent): string {
  const { id, severity, classes, migration, line, what, who, howLong, irreversible, safe } = finding;
  const refused = review.refused.includes(finding);
  const reason = review.acknowledged.find((item) => item.finding === finding)?.reason;
  const state = refused ? "refused" : reason !== undefined ? "acknowledged" : severity === "info" ? "note" : severity;
  const lines = [
    `<details${refused && review.refused.length <= opened ? " open" : ""}><summary><b>${number}.</b> ${state}: <code>${htmlText(id)}</code> — ${prose(what)}</summary>`,
    "",
    `- Where: ${markdownCode(migration)}, line ${line} (${classes.join(", ")})`,
    `- Affects: ${prose(who)}`,
    `- Duration: ${prose(howLong)}`,
  ];
  if (irreversible !== undefined) lines.push(`- Irreversible: ${prose(irreversible)}`);
  if (reason !== undefined) lines.push(`- Acknowledged: ${markdownText(reason)}`);
  if (safe && safe.migrations.length > 0 && sql)
    lines.push("", "Write instead:", "", ...markdownBlock(script(safe.migrations), "sql"));
  if (safe?.note !== undefined) lines.push("", prose(safe.note));
  if (refused)
    lines.push(
      "",
      `${safe && safe.migrations.length > 0 ? "Or acknowledge" : "Acknowledge"} it in \`review.acknowledgements\` of the stack's file:`,
      "",
      ...markdownBlock(`- ${jsonLine(acknowledgementFor(finding))}`, "yaml"),
    );
  lines.push("", "</details>");
  return lines.join("\n");
}

/** Writes a text whose parts between backticks are shown as code. Markup in the rest is escaped. */
function prose(text: string): string {
  return text
    .split(/`([^`]+)`/)
    .map((part, index) => {
      if (index % 2 === 1) return htmlCode([part]);
      const shown = markdownText(part);
      return shown === "" ? part : `${/^\s/.test(part) ? " " : ""}${shown}${/\s$/.test(part) ? " " : ""}`;
    })
    .join("");
}

/** Writes code for a table's cell. A long name may be broken, so that the table isn't wider than the page. */
function code(text: string): string {
  return htmlCode(text.split(/(?<=[_(,.])|(?<=[a-z])(?=[A-Z])/));
}
