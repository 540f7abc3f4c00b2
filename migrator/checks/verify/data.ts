import type { PlannedStatement } from "../../../migrations/history/plan";
import { nodeOf } from "../../../migrations/sql/parse";
import { some } from "../../../migrations/sql/references";
import { counted } from "../../../text/counted";
import { countRows } from "../counts";
import { behindSequences } from "../sequences";
import type { VerifyCheck } from "./context";

/** Looks for touched tables that have lost more than maxRowLossPercent of their rows since before the release. */
export const rows: VerifyCheck = {
  name: "rows",
  kind: "data",
  async run({ run: { session, settings }, before, plans }) {
    const after = await countRows(session, Object.keys(before));
    const unknown: string[] = [];
    const lost = Object.entries(before).flatMap(([table, was]) => {
      const is = after[table];
      if ("unknown" in was) unknown.push(`${table} (${was.unknown})`);
      else if (is && "unknown" in is) unknown.push(`${table} (${is.unknown})`);
      if ("unknown" in was || !is || "unknown" in is || is.rows >= was.rows * (1 - settings.maxRowLossPercent / 100))
        return [];
      const exact = was.exact && is.exact ? "" : " (estimates)";
      return [`  ${table}: ${was.rows} → ${is.rows}${exact}`];
    });
    const what = `Tables have fewer rows than before by more than ${settings.maxRowLossPercent} %.`;
    const next = "compare with the snapshot before the app is rolled out";
    return {
      findings: lost.length > 0 ? [{ what, evidence: lost, next }] : [],
      unknown: unknown.length > 0,
      facts: `${counted(Object.keys(before).length - unknown.length, "touched table")} compared${unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""}`,
      // A migration that deletes rows shows so in its text, so the loss is only a warning.
      mild: lost.length > 0 && plans.some(({ statements }) => statements.some(mayDelete)),
    };
  },
};

/** Looks for sequences whose next values are in use because of this release. */
export const sequencesAhead: VerifyCheck = {
  name: "sequences-ahead",
  kind: "data",
  async run({ run, behindBefore }) {
    const { behind, count, unknown } = await behindSequences(run);
    const found = behind.filter(({ sequence }) => !behindBefore?.includes(sequence));
    const old = behind.length - found.length;
    const what = "Sequences are behind their columns: INSERTs will fail with duplicate keys.";
    const next =
      "SELECT setval(SEQUENCE, …) in a new migration, to a value behind which the column is free in the sequence's direction";
    const evidence = found.map(({ text }) => `  ${text}`);
    return {
      findings: found.length > 0 ? [{ what, evidence, next }] : [],
      unknown: unknown.length > 0,
      // Only what this release did is a failure, which is unknown without `behindBefore`. A single id far ahead may be
      // intended.
      mild: behindBefore === undefined || !found.some(({ near }) => near),
      facts: `${counted(count, "sequence")}${old > 0 ? `; ${old} behind since before this release` : ""}${unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""}`,
    };
  },
};

/** Looks for touched tables of which the planner has no statistics. */
export const analyzed: VerifyCheck = {
  name: "analyzed",
  kind: "data",
  async run({ run: { session }, touched }) {
    // Before Postgres 14, a table that was never analyzed has reltuples 0; since then it has -1.
    const never = await session.rows<{ name: string }>(
      `SELECT t.name FROM unnest($1::text[]) t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
       WHERE c.relkind = 'r' AND c.reltuples <= 0 AND pg_relation_size(c.oid) > 0 AND
         NOT EXISTS (SELECT FROM pg_stat_user_tables s WHERE s.relid = c.oid AND (s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL)) LIMIT 20`,
      [touched],
    );
    const what = "Tables have no statistics: the first queries may be planned badly.";
    const next = `ANALYZE ${never[0]?.name}`;
    return {
      findings: never.length > 0 ? [{ what, evidence: never.map(({ name }) => `  ${name}`), next }] : [],
      facts: counted(touched.length, "table"),
    };
  },
};

/**
 * Returns true if a statement deletes rows by its own text, also in a WITH, or runs code that its text does not show.
 */
function mayDelete(statement: PlannedStatement): boolean {
  const node = nodeOf(statement);
  const deletes = ["DeleteStmt", "TruncateStmt", "MergeStmt", "DoStmt", "CallStmt"];
  return (
    some(node, (each) => deletes.some((kind) => kind in each)) ||
    ("SelectStmt" in node && some(node.SelectStmt, (each) => "FuncCall" in each))
  );
}
