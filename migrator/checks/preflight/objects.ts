import { counted } from "../../../text/counted";
import { behindSequences } from "../sequences";
import type { PreflightCheck } from "./context";

/** Looks for invalid indexes, which cost every write and help no query. */
export const invalidIndexes: PreflightCheck = {
  name: "invalid-indexes",
  kind: "data",
  async run({ run: { session } }) {
    const found = await session.rows<{ name: string; relation: string }>(
      `SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS relation FROM pg_index i
       WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) ORDER BY 1 LIMIT 20`,
    );
    const what = "Invalid indexes cost every write and help no query: a CREATE INDEX CONCURRENTLY failed.";
    const evidence = found.map(({ name, relation }) => `  ${name} on ${relation}`);
    const next = `DROP INDEX CONCURRENTLY ${found[0]?.name}; and build it again`;
    return { findings: found.length > 0 ? [{ what, evidence, next }] : [], facts: `${found.length}` };
  },
};

/** Looks for sequences that are nearly used up: they have passed maxSequencePercent of their range. */
export const sequences: PreflightCheck = {
  name: "sequences",
  kind: "data",
  async run({ run: { session, settings } }) {
    // A bigint sequence on an integer column ends where the column does.
    const found = await session.rows<{ name: string; share: number; ends: string }>(
      `SELECT name, ends::text, (100.0 * last_value / ends)::float8 AS share FROM (
         SELECT format('%I.%I', s.schemaname, s.sequencename) AS name, s.last_value,
           CASE WHEN s.increment_by > 0
             THEN least(s.max_value, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE s.max_value END)
             ELSE greatest(s.min_value, CASE a.atttypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE s.min_value END)
           END AS ends
         FROM pg_sequences s LEFT JOIN pg_depend d ON d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
           LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE s.last_value IS NOT NULL AND NOT s.cycle) q
       WHERE sign(last_value) = sign(ends) AND 100.0 * last_value / nullif(ends, 0) > $1 ORDER BY share DESC LIMIT 20`,
      [settings.maxSequencePercent],
    );
    const evidence = found.map(({ name, share, ends }) => `  ${name}: ${share.toFixed(1)} % of ${ends}`);
    const what = "Sequences are near their end; then every INSERT fails.";
    return {
      findings:
        found.length > 0 ? [{ what, evidence, next: "change the column to bigint in a migration of its own" }] : [],
      facts: `limit ${settings.maxSequencePercent} %`,
    };
  },
};

/** Looks for sequences whose next values are already in use. */
export const sequencesBehind: PreflightCheck = {
  name: "sequences-behind",
  kind: "data",
  async run({ run }) {
    const { behind, count, unknown } = await behindSequences(run);
    const evidence = behind.filter(({ near }) => near).map(({ text }) => `  ${text}`);
    const what = "Sequences are behind their columns, from before this release: INSERTs will fail with duplicate keys.";
    const next = "see whether the app gives these ids itself; if not, move the sequence on by setval";
    return {
      findings: evidence.length > 0 ? [{ what, evidence, next }] : [],
      unknown: unknown.length > 0,
      facts: `${counted(count, "sequence")}${unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""}`,
    };
  },
};
