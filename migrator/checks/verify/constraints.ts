import { escapeIdentifier } from "pg";
import { readTables } from "../../db/safe-read";
import type { VerifyCheck } from "./context";

interface Unvalidated {
  relation: string;
  name: string;
  kind: string;
  parent: string | null;
  columns: string[];
  referenced: string[] | null;
  /** The operators that compare a column of the parent, on the left, with a column of the relation. */
  operators: string[];
}

/**
 * Looks for constraints that are NOT VALID, which hold for new rows only. For foreign keys, the rows without a parent
 * are counted.
 */
export const constraints: VerifyCheck = {
  name: "constraints",
  kind: "data",
  async run({ run: { session } }) {
    const found = await session.rows<Unvalidated>(
      `SELECT k.conrelid::regclass::text AS relation, k.conname AS name, k.contype AS kind, nullif(k.confrelid, 0)::regclass::text AS parent,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY o) AS columns,
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, o) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY o) AS referenced,
         ARRAY(SELECT format('OPERATOR(%I.%s)', s.nspname, p.oprname) FROM unnest(k.conpfeqop) WITH ORDINALITY u(n, o) JOIN pg_operator p ON p.oid = u.n
           JOIN pg_namespace s ON s.oid = p.oprnamespace ORDER BY o) AS operators
       FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE NOT k.convalidated AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2 LIMIT 20`,
    );
    const evidence: string[] = [];
    for (const each of found) {
      const orphans = each.kind === "f" ? await countOrphans(session, each) : undefined;
      evidence.push(`  ${each.name} on ${each.relation}${orphans === undefined ? "" : `: ${orphans}`}`);
    }
    const what = "Constraints are NOT VALID: they hold for new rows only.";
    const next = `ALTER TABLE ${found[0]?.relation} VALIDATE CONSTRAINT ${escapeIdentifier(found[0]?.name ?? "")}, in a new migration`;
    return {
      findings: found.length > 0 ? [{ what, evidence, next }] : [],
      facts: found.length === 0 ? "all validated" : `${found.length} not validated`,
    };
  },
};

/** The largest number of rows without a parent that is reported exactly. */
const MOST = 10_000;

/** The longest time for counting the rows of one constraint, in milliseconds. */
const LIMIT = 30_000;

async function countOrphans(
  session: Parameters<VerifyCheck["run"]>[0]["run"]["session"],
  each: Unvalidated,
): Promise<string> {
  // The constraint's own operators are used, with their schemas: the search path doesn't include those of an extension.
  const match = each.columns
    .map(
      (column, index) =>
        `p.${escapeIdentifier(each.referenced![index]!)} ${each.operators[index]} c.${escapeIdentifier(column)}`,
    )
    .join(" AND ");
  const given = each.columns.map((column) => `c.${escapeIdentifier(column)} IS NOT NULL`).join(" AND ");
  const read = await readTables<{ orphans: number }>(
    session,
    [each.relation, each.parent!],
    LIMIT,
    `SELECT count(*)::int AS orphans FROM (SELECT 1 FROM ${each.relation} c WHERE ${given}
       AND NOT EXISTS (SELECT FROM ${each.parent} p WHERE ${match}) LIMIT ${MOST + 1}) limited`,
  );
  if ("unknown" in read) return `rows without a parent: unknown (${read.unknown})`;
  const { orphans } = read[0]!;
  return orphans > MOST ? `more than ${MOST} rows without a parent` : `${orphans} rows without a parent`;
}
