import { counted } from "../../migrations/counted";
import type { PlannedStatement } from "../../migrations/plan";
import { countRows } from "../counts";
import { nodeOf } from "../left-behind";
import { readTables } from "../safe-read";
import type { VerifyCheck } from "./context";

/** Milliseconds for the largest value of one column, which an index knows. */
const LIMIT = 30_000;

export const rows: VerifyCheck = {
  name: "rows",
  kind: "data",
  level: "fail",
  title: "No table lost rows that no migration deletes",
  async run({ run: { session, settings }, before, plans }) {
    const after = await countRows(session, Object.keys(before));
    const unknown: string[] = [];
    const lost = Object.entries(before).flatMap(([table, was]) => {
      const is = after[table];
      if ("unknown" in was) unknown.push(`${table} (${was.unknown})`);
      else if (is && "unknown" in is) unknown.push(`${table} (${is.unknown})`);
      if ("unknown" in was || !is || "unknown" in is || is.rows >= was.rows * (1 - settings.maxRowLoss / 100))
        return [];
      const exact = was.exact && is.exact ? "" : " (estimates)";
      return [`  ${table}: ${was.rows} → ${is.rows}${exact}`];
    });
    const what = `Tables have fewer rows than before by more than ${settings.maxRowLoss} %.`;
    const next = "compare with the snapshot before the app is rolled out";
    return {
      findings: lost.length > 0 ? [{ what, evidence: lost, next }] : [],
      unknown: unknown.length > 0,
      facts: `${counted(Object.keys(before).length - unknown.length, "touched table")} compared${unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""}`,
      // A migration that deletes says so itself.
      mild: lost.length > 0 && plans.some(({ statements }) => statements.some(mayDelete)),
    };
  },
};

export const sequencesAhead: VerifyCheck = {
  name: "sequences-ahead",
  kind: "data",
  level: "fail",
  title: "Sequences are ahead of their columns",
  async run({ run: { session, table } }) {
    const owned = await session.rows<{ sequence: string; relation: string; column: string }>(
      `SELECT s.oid::regclass::text AS sequence, d.refobjid::regclass::text AS relation, quote_ident(a.attname) AS column
       FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace
       WHERE s.relkind = 'S' AND n.nspname = $1 AND has_table_privilege(t.oid, 'SELECT') AND CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'SELECT') END
         AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indkey[0] = a.attnum AND i.indisvalid) ORDER BY 1 LIMIT 200`,
      [table.schema],
    );
    const behind: string[] = [];
    const unknown: string[] = [];
    for (const { sequence, relation, column } of owned) {
      const read = await readTables<{ behind: boolean; last: string; highest: string }>(
        session,
        [relation],
        LIMIT,
        `SELECT m.highest > s.last_value OR (m.highest = s.last_value AND NOT s.is_called) AS behind, s.last_value::text AS last, m.highest::text AS highest
         FROM ${sequence} s, (SELECT max(${column}) AS highest FROM ${relation}) m`,
      );
      if ("unknown" in read) unknown.push(`${relation} (${read.unknown})`);
      else if (read[0]?.behind)
        behind.push(`  ${sequence} is at ${read[0].last}, ${relation}.${column} at ${read[0].highest}`);
    }
    const what = "Sequences are behind their columns: the next INSERTs fail with duplicate keys.";
    const next = "SELECT setval(SEQUENCE, (SELECT max(COLUMN) FROM TABLE)), in a new migration";
    return {
      findings: behind.length > 0 ? [{ what, evidence: behind, next }] : [],
      unknown: unknown.length > 0,
      facts: `${counted(owned.length - unknown.length, "sequence")}${unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""}`,
    };
  },
};

export const analyzed: VerifyCheck = {
  name: "analyzed",
  kind: "data",
  level: "warn",
  title: "The planner knows the changed tables (ANALYZE)",
  async run({ run: { session }, touched }) {
    // Before Postgres 14 a table that was never analyzed has reltuples 0, afterwards -1.
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

/** Deletes by its own text, also in a WITH, or runs code that its text does not show. */
function mayDelete(statement: PlannedStatement): boolean {
  const node = nodeOf(statement);
  return (
    /"(DeleteStmt|TruncateStmt|MergeStmt|DoStmt|CallStmt)"/.test(JSON.stringify(node)) ||
    (node.SelectStmt !== undefined && /"FuncCall"/.test(JSON.stringify(node.SelectStmt)))
  );
}
