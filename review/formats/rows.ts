import { counted } from "../../text/counted";
import { sizeText } from "../../text/table-size";
import type { Finding, Severity } from "../finding";
import type { Review, ReviewedStatement, ReviewedTable } from "../review";
import { notRun } from "./measured";

/** The options of a format. */
export interface FormatOptions {
  /** Further notes for the reader, for example that the base has more migrations. */
  readonly notes?: readonly string[];
  /** The migrations' folder, relative to the repository, for links and annotations. */
  readonly directory?: string;
  /** Why the sizes of tables are unknown, as the end of a sentence. Default: nobody looked for them. */
  readonly sizesUnknown?: string;
}

/** Counts findings by severity, for example `1 error, 2 warnings, 0 notes`. */
export function tally(findings: readonly Finding[]): string {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  return `${counted(of("error"), "error")}, ${counted(of("warning"), "warning")}, ${counted(of("info"), "note")}`;
}

/** Returns the notes, together with those about assumptions and about missing parts of the review. */
export function notesOf({ unlinted, assumes, trial }: Review, { notes = [], sizesUnknown }: FormatOptions): string[] {
  return [
    ...notes,
    ...(assumes === undefined ? [] : [`${assumes}.`]),
    ...(sizesUnknown === undefined
      ? []
      : [`Sizes of tables and durations are unknown: ${sizesUnknown}. Pass --stats FILE.`]),
    ...(trial?.unavailable === undefined ? [] : [notRun(trial.unavailable)]),
    ...(unlinted === undefined ? [] : [`squawk's rules are left out: ${unlinted}.`]),
  ];
}

/** Writes in one line how many migrations are reviewed. */
export function scope({ migrations, before, first }: Review): string {
  if (migrations.length === 0) return "No new migration.";
  if (first) return `${counted(migrations.length, "migration")}, assuming an EMPTY database.`;
  return `${counted(migrations.length, "new migration")}, ${before} deployed already.`;
}

/** Writes the result of the review in one line. */
export function verdict(review: Review): string {
  const { findings, refused, migrations, first } = review;
  if (refused.length > 0)
    return `Refused: ${counted(refused.length, "finding")} must be fixed or acknowledged first: ${summary(refused)}.`;
  const serious = findings.filter(({ severity }) => severity !== "info");
  if (serious.length === 0 && migrations.length === 0) return "This release changes nothing in the database.";
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
  ["schema", "the Prisma schema and the migrations differ"],
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

/** One row of the review's table. It is about one table in one statement. */
export interface Row {
  readonly statement: ReviewedStatement;
  readonly table: ReviewedTable | undefined;
  readonly risk: Severity | undefined;
  /** The numbers of the findings about the statement in the list, counted from 1. */
  readonly findings: readonly number[];
}

const works = { none: "no", rows: "no", scan: "no, scan", index: "no, index", rewrite: "yes" };

/** Makes the rows for the reviewed statements, one for each table, with the numbers of their findings. */
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

/** Writes which queries are blocked. It adds "briefly" if no work under the lock grows with the table. */
export function blocksText({ statement, table }: Row): string {
  if (!table) return "unknown";
  const works = statement.tables.some(({ work }) => work !== "none" && work !== "rows");
  return table.blocks === "nothing" || works ? table.blocks : `${table.blocks}, briefly`;
}

/** Writes whether the statement rewrites the table or scans it. */
export function rewriteText(table: ReviewedTable | undefined): string {
  return table ? works[table.work] : "unknown";
}

/** Writes the size of a table for a cell, such as `12 GB, 40 million rows` or `unknown`. */
export function sizeCell(table: ReviewedTable | undefined): string {
  return table?.size ? sizeText(table.size) : "unknown";
}

/** Writes a text on one line, shortened to the given number of characters. */
export function short(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** Joins the migrations of a safe way to one text, each with a heading if there are several. */
export function script(migrations: readonly string[]): string {
  if (migrations.length === 1) return migrations[0] ?? "";
  return migrations.map((sql, index) => `-- migration ${index + 1} of ${migrations.length}\n${sql}`).join("\n\n");
}
