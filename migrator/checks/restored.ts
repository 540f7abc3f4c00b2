import type { TableSize } from "../../text/table-size";
import type { NotRead } from "../db/safe-read";
import type { Count } from "./counts";

/** What a restored database was found to have, and what is known of how it has to be. */
export interface RestoredFacts {
  /** The last applied migration; undefined if there is no history. */
  readonly last: string | undefined;
  /** The migrations that were applied, and not rolled back. */
  readonly applied: readonly string[];
  /** The migrations that were started, and neither finished nor rolled back. */
  readonly unfinished: readonly string[];
  /** What the last verified release recorded in this database; undefined: nothing, or it can't be read. */
  readonly recorded: { readonly last: string; readonly tables: Readonly<Record<string, TableSize>> } | undefined;
  /** The tables by name, with their rows after the ANALYZE. */
  readonly tables: Readonly<Record<string, RestoredTable>>;
  /** The exact rows of a manifest that belongs to the backup; undefined: there is none. */
  readonly counts: Readonly<Record<string, number>> | undefined;
  /** The rows of each table that the backup's manifest estimates; undefined: there is none. */
  readonly estimates?: Readonly<Record<string, number>> | undefined;
}

/** A table of a restored database. */
export interface RestoredTable {
  readonly rows: Count | NotRead;
  /** An unlogged table is empty after a restore from a snapshot. */
  readonly unlogged: boolean;
}

/** What was found wrong, and what only a person can judge. */
export interface RestoredVerdict {
  /** What the database lacks. */
  readonly findings: readonly string[];
  readonly remarks: readonly string[];
}

/**
 * Judges whether a restored database is complete. The rows that a release recorded are from some time before the
 * backup, so a table with fewer of them is only remarked; the rows of a backup's own manifest must be there exactly.
 * @param maxLossPercent the loss of a table's rows above which it is remarked
 */
export function judgeRestored(facts: RestoredFacts, maxLossPercent: number): RestoredVerdict {
  return {
    findings: [
      ...historyFindings(facts),
      ...tableFindings(facts),
      ...manifestFindings(facts),
      ...estimateFindings(facts),
    ],
    remarks: [
      ...(facts.last === undefined ? ["There is no history of migrations in it."] : []),
      ...rowRemarks(facts, maxLossPercent),
    ],
  };
}

function historyFindings({ applied, unfinished, recorded }: RestoredFacts): string[] {
  const findings = unfinished.map(
    (name) => `Migration ${name} was started and is not finished: the backup was made in the middle of it.`,
  );
  if (recorded && !applied.includes(recorded.last))
    findings.push(`Its own records name ${recorded.last} as applied, and its history doesn't.`);
  return findings;
}

/** Returns the tables that had rows at the last release. */
function filled({ recorded }: RestoredFacts): [name: string, size: TableSize][] {
  return Object.entries(recorded?.tables ?? {}).filter(([, { rows }]) => rows > 0);
}

function tableFindings(facts: RestoredFacts): string[] {
  const { last, recorded, tables } = facts;
  const known = filled(facts);
  // Migrations after the record may have dropped tables.
  const missing = recorded?.last === last ? known.filter(([name]) => !tables[name]) : [];
  const findings = missing.map(([name]) => `Table ${name} is missing.`);
  const empty = known.filter(([name]) => isEmpty(tables[name]));
  if (known.length > 1 && empty.length === known.length)
    findings.push("Every table that had rows at the last release is empty.");
  return findings;
}

function rowRemarks(facts: RestoredFacts, maxLossPercent: number): string[] {
  return filled(facts).flatMap(([name, { rows }]) => {
    const table = facts.tables[name];
    if (!table || "unknown" in table.rows) return [];
    if (table.unlogged && table.rows.rows === 0)
      return [`Table ${name} is unlogged, and therefore empty: a backup doesn't hold its rows.`];
    return table.rows.rows < rows * (1 - maxLossPercent / 100)
      ? [`Table ${name} has ${amount(table.rows)} rows; at the last release it had about ${rows}.`]
      : [];
  });
}

function manifestFindings({ tables, counts = {} }: RestoredFacts): string[] {
  return Object.entries(counts).flatMap(([name, wanted]) => {
    const table = tables[name];
    if (!table) return [`Table ${name} is missing; the backup's manifest counts ${wanted} rows in it.`];
    const { rows } = table;
    return "unknown" in rows || !rows.exact || rows.rows === wanted
      ? []
      : [`Table ${name} has ${rows.rows} rows; the backup's manifest counts ${wanted}.`];
  });
}

/** The rows above which an estimate tells for certain that a table was not empty. */
const SURE_ROWS = 100;

/** Returns the tables that are empty, and had many rows by the estimate of the backup's manifest. */
function estimateFindings({ tables, estimates = {} }: RestoredFacts): string[] {
  return Object.entries(estimates).flatMap(([name, rows]) => {
    const table = tables[name];
    return rows > SURE_ROWS && table && !table.unlogged && isEmpty(table)
      ? [`Table ${name} is empty; the backup's manifest estimates ${rows} rows in it.`]
      : [];
  });
}

function isEmpty(table: RestoredTable | undefined): boolean {
  return table === undefined || (!("unknown" in table.rows) && table.rows.rows === 0);
}

/** Formats a number of rows; an estimate has a sign for it. */
export function amount(rows: Count | NotRead): string {
  if ("unknown" in rows) return "?";
  return `${rows.exact ? "" : "~"}${rows.rows}`;
}
