import type { Migration } from "../../migrations/history/history";
import type { Report } from "../../report/contract";
import { counted } from "../../text/counted";
import type { TableSize } from "../../text/table-size";
import { analyzeTables } from "../checks/analyze";
import { countRows } from "../checks/counts";
import { amount, judgeRestored, type RestoredFacts, type RestoredTable } from "../checks/restored";
import { RestoredIncomplete } from "../failures/restored";
import { compareHistory } from "../records/history-state";
import { latestRecord } from "../records/release-records";
import { readCounters, recordedCounters } from "../records/write-counters";
import type { Run } from "../run";
import type { WrittenBase } from "./written";

/** What is known of a restored database from outside of it: the live release, and the backup's own manifest. */
export interface Expected {
  /** The id of the live release. */
  readonly release?: string | undefined;
  /** The rows and bytes of tables after the live release's migrations. */
  readonly sizes?: { readonly tables: Readonly<Record<string, TableSize>> } | null | undefined;
  /** The exact rows of each table in the backup. */
  readonly counts?: Readonly<Record<string, number>> | undefined;
  /** The rows of each table in the backup, as its manifest estimates them. */
  readonly estimates?: Readonly<Record<string, number>> | undefined;
  /** The counters that `written` compares with. */
  readonly base?: WrittenBase | undefined;
}

/** The number of tables that are listed, the largest first. */
const SHOWN = 30;

/**
 * Looks whether a restored database is complete: schema version, rows of every table. It runs ANALYZE, because the
 * planner's statistics of a copy may be missing, and changes nothing else.
 * @throws RestoredIncomplete if something is missing
 */
export async function restored(run: Run, migrations: readonly Migration[], expected: Expected): Promise<void> {
  const { log, settings, session } = run;
  const listed = await listTables(run);
  await analyzeTables(
    run,
    listed.map(({ name }) => name),
  );
  const counts = await countRows(
    session,
    listed.map(({ name }) => name),
  );
  const tables = Object.fromEntries(
    listed.map(({ name, label, unlogged }): [string, RestoredTable] => [
      label,
      { rows: counts[name] ?? { unknown: "it can't be read by this role" }, unlogged },
    ]),
  );
  const facts = {
    ...(await historyOf(run, migrations)),
    tables,
    counts: expected.counts,
    estimates: expected.estimates,
  };
  const verdict = judgeRestored(facts, settings.maxRowLossPercent);
  tellSchema(run, migrations, facts);
  tellRows(run, facts, expected);
  for (const remark of verdict.remarks) log.event("restored.remark", `Note: ${remark}`);
  const { last, applied } = facts;
  const rows = Object.fromEntries(
    Object.entries(tables).flatMap(([table, { rows: found }]) => ("unknown" in found ? [] : [[table, found.rows]])),
  );
  log.event("restored", verdict.findings.length === 0 ? "Everything is there." : "Something is missing.", {
    ...{ last, applied: applied.length, rows },
    ...{ findings: verdict.findings, remarks: verdict.remarks },
    ...{ written: (await countersOf(run)) as never },
  });
  if (verdict.findings.length > 0) throw new RestoredIncomplete(verdict.findings);
}

/**
 * Reads what later tells which rows a switch loses: the counters that the source had before the backup, as far as they
 * are in it, and the copy's own from now on.
 */
async function countersOf({ session, records }: Run): Promise<{ source: WrittenBase | null; copy: WrittenBase }> {
  const recorded = (await recordedCounters(records)).at(-1);
  return {
    source: recorded ? { at: recorded.at.toISOString(), counters: recorded.data } : null,
    copy: { at: new Date().toISOString(), counters: await readCounters(session) },
  };
}

/** Lists the tables with their quoted names, and as reports name them. Partitions are counted with their parents. */
function listTables({ session }: Run): Promise<{ name: string; label: string; unlogged: boolean }[]> {
  return session.rows(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relpersistence = 'u' AS unlogged,
       CASE WHEN n.nspname = $1 THEN c.relname ELSE n.nspname || '.' || c.relname END AS label
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', '_release')
       AND n.nspname !~ '^pg_(toast|temp)' AND c.relname <> '_prisma_migrations'
     ORDER BY pg_relation_size(c.oid) DESC, 1`,
    [session.target.schema],
  );
}

async function historyOf(
  { session, table, records }: Run,
  migrations: readonly Migration[],
): Promise<Pick<RestoredFacts, "last" | "applied" | "unfinished" | "recorded">> {
  const rows = await table.read(session);
  const finished = rows.filter(({ finishedAt, rolledBackAt }) => finishedAt !== null && rolledBackAt === null);
  const catalog = await latestRecord<{ last: string }>(records, "catalog");
  const report = await latestRecord<Report>(records, "report");
  return {
    last: finished.at(-1)?.migrationName,
    applied: finished.map(({ migrationName }) => migrationName),
    unfinished: compareHistory(migrations, rows).unfinished.map(({ migrationName }) => migrationName),
    recorded: catalog && { last: catalog.data.last, tables: report?.data.tables ?? {} },
  };
}

function tellSchema({ log }: Run, migrations: readonly Migration[], { last, applied }: RestoredFacts): void {
  if (last === undefined) return;
  const missing = migrations.filter(({ name }) => !applied.includes(name));
  const rest =
    missing.length === 0
      ? "all of this checkout"
      : `${counted(missing.length, "migration")} of this checkout ${missing.length === 1 ? "is" : "are"} not in it`;
  log.event("restored.schema", `Schema: ${last}, ${counted(applied.length, "migration")} applied; ${rest}.`, {
    ...{ last, applied: applied.length, missing: missing.map(({ name }) => name) },
  });
}

function tellRows({ log }: Run, { tables, recorded }: RestoredFacts, { sizes, estimates }: Expected): void {
  const names = Object.keys(tables);
  const rows = names
    .slice(0, SHOWN)
    .map((name) => [
      `  ${name}`,
      amount(tables[name]!.rows),
      ...(estimates ? [estimates[name] === undefined ? "" : `~${estimates[name]}`] : []),
      ...[estimate(recorded?.tables[name]), estimate(sizes?.tables[name])],
    ]);
  const head = ["Rows", "here", ...(estimates ? ["in the manifest"] : []), "at its last release", "live release"];
  const all = [head, ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
  if (names.length > SHOWN) lines.push(`  and ${names.length - SHOWN} smaller ones`);
  log.event("restored.rows", lines, { tables: names.length });
}

function estimate(size: TableSize | undefined): string {
  return size ? `~${size.rows}` : "";
}
