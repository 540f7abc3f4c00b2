import type { Finding, Severity } from "../finding";
import { acknowledgementFor } from "../gate";
import type { Review } from "../review";
import { bytesText } from "../size";
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
import { sizesLine } from "./text";

/** A comment on GitHub may have 65,536 characters; some room is left for what a workflow adds. */
export const largestComment = 64_000;
/** Finds the comment again, to update it in place. */
export const commentMark = "<!-- release-review -->";

/** How much of a review is shown; taken down step by step until it fits. */
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

/** For a comment on a pull request: a line for the manager, a table for the DBA, the rest folded away. */
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
  if (review.migrations.length > 0 && !review.first) facts.push(sizesLine(review));
  parts.push(facts.join(" "));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join("\n"));
  const rows = rowsOf(review);
  if (rows.length > 0) parts.push(table(rows, extent));
  if (review.findings.length > 0) parts.push(...details(review, extent));
  if (review.void.length > 0)
    parts.push(
      `**Acknowledgements that count for nothing**\n\n${review.void.map(({ acknowledgement, why }) => `- \`${acknowledgement.finding}\` in \`${acknowledgement.migration}\`: ${why}.`).join("\n")}`,
    );
  return `${parts.join("\n\n")}\n`;
}

function table(rows: readonly Row[], { rows: most }: Extent): string {
  const worstFirst = [...rows].sort((a, b) => rank(a.risk) - rank(b.risk));
  const shown = new Set(worstFirst.slice(0, most));
  const lines = [
    "| Migration | Statement | Lock | Blocks | Rewrite | Size | Risk | Safe way |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  let before = "";
  let lineBefore = "";
  for (const row of rows.filter((item) => shown.has(item))) {
    const { statement, table: target, risk, findings } = row;
    const name = statement.migration === before ? "" : code(short(statement.migration.replace(/^\d+_/, ""), 24));
    const where = `${statement.migration}:${statement.index}`;
    const text = where === lineBefore ? "″" : code(short(statement.text.replaceAll('"', ""), 44));
    before = statement.migration;
    lineBefore = where;
    const lock = target ? `${code(target.name)} ${target.lock}` : "not known";
    const size = target?.size ? bytesText(target.size.bytes).replace(" ", "&nbsp;") : "?";
    const way = findings.length > 0 ? `see&nbsp;${findings.join(",&nbsp;")}` : "as&nbsp;it&nbsp;is";
    lines.push(
      `| ${name} | ${text} | ${lock} | ${blocksText(row)} | ${rewriteText(target)} | ${size} | ${riskText(risk)} | ${way} |`,
    );
  }
  const more = rows.length - shown.size;
  return `${lines.join("\n")}${more > 0 ? `\n\n${more} more rows are in the full report.` : ""}`;
}

function riskText(risk: Severity | undefined): string {
  return risk === undefined ? "none" : { error: "**high**", warning: "**medium**", info: "low" }[risk];
}

function rank(risk: Severity | undefined): number {
  return risk === undefined ? 3 : { error: 0, warning: 1, info: 2 }[risk];
}

function details(review: Review, extent: Extent): string[] {
  const parts: string[] = [];
  const shown = review.findings.slice(0, extent.findings);
  for (const [index, finding] of shown.entries()) parts.push(detail(finding, index + 1, review, extent));
  const more = review.findings.length - shown.length;
  if (more > 0) parts.push(`${more} more findings are in the full report.`);
  return parts;
}

function detail(finding: Finding, number: number, review: Review, { sql }: Extent): string {
  const { id, severity, classes, migration, line, what, who, howLong, irreversible, safe } = finding;
  const refused = review.refused.includes(finding);
  const reason = review.acknowledged.find((item) => item.finding === finding)?.reason;
  const state = refused ? "refused" : reason !== undefined ? "acknowledged" : severity === "info" ? "note" : severity;
  const lines = [
    `<details${refused ? " open" : ""}><summary><b>${number}.</b> ${state}: <code>${escapeHtml(id)}</code> — ${escapeHtml(what)}</summary>`,
    "",
    `- Where: \`${migration}\`, line ${line} (${classes.join(", ")})`,
    `- To whom: ${escapeHtml(who)}`,
    `- How long: ${escapeHtml(howLong)}`,
  ];
  if (irreversible !== undefined) lines.push(`- No way back: ${escapeHtml(irreversible)}`);
  if (reason !== undefined) lines.push(`- Acknowledged: ${escapeHtml(reason)}`);
  if (safe && safe.migrations.length > 0 && sql)
    lines.push("", "Write instead:", "", fenced(script(safe.migrations), "sql"));
  if (safe?.note !== undefined) lines.push("", escapeHtml(safe.note));
  if (refused)
    lines.push(
      "",
      "Or acknowledge it in the stack's settings (`review.acknowledgements`):",
      "",
      fenced(`- ${JSON.stringify(acknowledgementFor(finding))}`, "yaml"),
    );
  lines.push("", "</details>");
  return lines.join("\n");
}

/** Text from a migration must not end its own markup. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

/** Inside a table, and outside of it: nothing of a migration is markup, and nobody is mentioned. */
function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[|`*_[\]@#~\\]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
