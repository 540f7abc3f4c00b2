import { quoteName } from "../history-table";
import type { VerifyCheck } from "./context";

interface Unvalidated {
  relation: string;
  name: string;
  kind: string;
  parent: string | null;
  columns: string[];
  referenced: string[] | null;
}

/** Constraints that are NOT VALID hold for new rows only; of foreign keys, the rows without a parent are counted. */
export const constraints: VerifyCheck = {
  name: "constraints",
  kind: "data",
  level: "warn",
  title: "Constraints are validated",
  async run({ run: { session } }) {
    const found = await session.rows<Unvalidated>(
      `SELECT k.conrelid::regclass::text AS relation, k.conname AS name, k.contype AS kind, nullif(k.confrelid, 0)::regclass::text AS parent,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY o) AS columns,
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY o) AS referenced
       FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE NOT k.convalidated AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2 LIMIT 20`,
    );
    const evidence: string[] = [];
    for (const each of found) {
      const orphans = each.kind === "f" ? await countOrphans(session, each) : undefined;
      evidence.push(`  ${each.name} on ${each.relation}${orphans === undefined ? "" : `: ${orphans}`}`);
    }
    const what = "Constraints are NOT VALID: they hold for new rows only.";
    const next = `ALTER TABLE ${found[0]?.relation} VALIDATE CONSTRAINT ${quoteName(found[0]?.name ?? "")}, in a new migration`;
    return { findings: found.length > 0 ? [{ what, evidence, next }] : [], facts: `${found.length} not validated` };
  },
};

const LIMIT = 10_000;

async function countOrphans(
  session: Parameters<VerifyCheck["run"]>[0]["run"]["session"],
  each: Unvalidated,
): Promise<string> {
  const match = each.columns
    .map((column, index) => `p.${quoteName(each.referenced![index]!)} = c.${quoteName(column)}`)
    .join(" AND ");
  const given = each.columns.map((column) => `c.${quoteName(column)} IS NOT NULL`).join(" AND ");
  try {
    await session.run("BEGIN READ ONLY; SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '1s'");
    const [row] = await session.rows<{ orphans: number }>(
      `SELECT count(*)::int AS orphans FROM (SELECT 1 FROM ${each.relation} c WHERE ${given}
         AND NOT EXISTS (SELECT FROM ${each.parent} p WHERE ${match}) LIMIT ${LIMIT + 1}) limited`,
    );
    const { orphans } = row!;
    return orphans > LIMIT ? `more than ${LIMIT} rows without a parent` : `${orphans} rows without a parent`;
  } catch (error) {
    if (session.lost !== undefined) throw error;
    return "rows without a parent could not be counted within 30 s";
  } finally {
    if (session.lost === undefined) await session.run("ROLLBACK");
  }
}
