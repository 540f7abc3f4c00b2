import { counted } from "../../text/counted";
import { sizeText } from "../../text/table-size";
import type { Finding, Severity } from "../finding";
import type { Review, ReviewedStatement, ReviewedTable } from "../review";

/** What a format needs besides the review itself. */
export interface FormatOptions {
  /** What else the reader should know: that the base has more migrations. */
  readonly notes?: readonly string[];
  /** The migrations' folder, relative to the repository, for links and annotations. */
  readonly directory?: string;
}

/** Counts findings by severity: `1 error, 2 warnings, 0 notes`. */
export function tally(findings: readonly Finding[]): string {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  return `${counted(of("error"), "error")}, ${counted(of("warning"), "warning")}, ${counted(of("info"), "note")}`;
}

/** Notes, with the word that a part of the review is missing. */
export function notesOf({ unlinted, assumes }: Review, { notes = [] }: FormatOptions): string[] {
  return [
    ...notes,
    ...(assumes === undefined ? [] : [`${assumes}.`]),
    ...(unlinted === undefined ? [] : [`squawk's rules are left out: ${unlinted}.`]),
  ];
}

/** What is reviewed, in one line. */
export function scope({ migrations, before, first }: Review): string {
  if (migrations.length === 0) return "No new migration.";
  if (first) return `${counted(migrations.length, "migration")}, assuming an EMPTY database.`;
  return `${counted(migrations.length, "new migration")}, ${before} deployed already.`;
}

/** The line that a manager reads. */
export function verdict(review: Review): string {
  const { findings, refused, migrations, first } = review;
  if (refused.length > 0)
    return `Refused: ${counted(refused.length, "finding")} must be fixed or acknowledged first: ${summary(refused)}.`;
  if (migrations.length === 0) return "This release changes nothing in the database.";
  const serious = findings.filter(({ severity }) => severity !== "info");
  if (serious.length === 0)
    return `Safe to release${first ? ", assuming an EMPTY database" : ""}: no data is lost, no request stalls for a second, and the old version keeps working.`;
  return `Warning, the release continues: ${summary(serious)}.`;
}

const effects = [
  ["destructive", "data is lost"],
  ["blocking", "requests to the app stall"],
  ["incompatible", "pods of the old version fail during the rollout"],
  ["failing", "the migration may fail"],
  ["partial", "a failure leaves a part of a migration in place"],
  ["history", "the history contradicts what is deployed"],
  ["secret", "a migration holds a secret"],
  ["unknown", "some statements can't be judged"],
  ["lint", "squawk objects"],
] as const;

function summary(findings: readonly Finding[]): string {
  const told = effects
    .filter(([name]) => findings.some(({ classes }) => classes.includes(name)))
    .map(([, text]) => text);
  const last = told.pop();
  return told.length > 0 ? `${told.join(", ")}, and ${last}` : (last ?? "see below");
}

/** One row of the table: one table in one statement. */
export interface Row {
  readonly statement: ReviewedStatement;
  readonly table: ReviewedTable | undefined;
  readonly risk: Severity | undefined;
  /** Findings about the statement, as numbers of the list, from 1. */
  readonly findings: readonly number[];
}

const works = { none: "no", rows: "no", scan: "no, scan", index: "no, index", rewrite: "yes" };

/** Makes one row for each statement that touches what was there before, with the numbers of its findings. */
export function rowsOf(review: Review): Row[] {
  return review.statements.flatMap((statement) => {
    const about = review.findings.flatMap((finding, index) =>
      finding.migration === statement.migration && finding.statement === statement.index
        ? [{ finding, number: index + 1 }]
        : [],
    );
    const risk = (["error", "warning", "info"] as const).find((severity) =>
      about.some(({ finding }) => finding.severity === severity),
    );
    const findings = about.map(({ number }) => number);
    const tables: (ReviewedTable | undefined)[] = statement.tables.length > 0 ? [...statement.tables] : [undefined];
    return tables.map((table) => ({ statement, table, risk, findings }));
  });
}

/** What is blocked, and whether that is over at once: nothing that grows with a table is done under the lock. */
export function blocksText({ statement, table }: Row): string {
  if (!table) return "unknown";
  const works = statement.tables.some(({ work }) => work !== "none" && work !== "rows");
  return table.blocks === "nothing" || works ? table.blocks : `${table.blocks}, briefly`;
}

/** Says whether the statement rewrites the table, or scans it. */
export function rewriteText(table: ReviewedTable | undefined): string {
  return table ? works[table.work] : "unknown";
}

/** Says the size of a table in a cell: `12 GB, 40 million rows`, or `unknown`. */
export function sizeCell(table: ReviewedTable | undefined): string {
  return table?.size ? sizeText(table.size) : "unknown";
}

/** A statement on one line. */
export function short(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** The steps of a safe way as one script, each a migration of its own. */
export function script(migrations: readonly string[]): string {
  if (migrations.length === 1) return migrations[0] ?? "";
  return migrations.map((sql, index) => `-- migration ${index + 1} of ${migrations.length}\n${sql}`).join("\n\n");
}
