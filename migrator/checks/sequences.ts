import type { Migration } from "../../migrations/history/history";
import { readTables } from "../db/safe-read";
import { appliedSinceVerified, latestRecord, recordData } from "../records/release-records";
import type { Run } from "../run";

/** A sequence whose coming values are taken in its column. */
export interface BehindSequence {
  readonly sequence: string;
  /** What a person reads: where the sequence is, and which value is taken. */
  readonly text: string;
  /** One of the next values is taken; else only one far ahead is, which may be an id that was chosen by hand. */
  readonly near: boolean;
}

/** What is known of the sequences of serial and identity columns. */
export interface SequenceState {
  readonly behind: readonly BehindSequence[];
  /** How many were looked at. */
  readonly count: number;
  readonly unknown: readonly string[];
}

/** Milliseconds for one column, whose index knows the answer. */
const LIMIT = 30_000;

/** Of a sequence's coming values, this many are looked for in its column. */
const NEXT = 1000;

interface OwnedSequence {
  sequence: string;
  relation: string;
  column: string;
  increment: string;
  bottom: string;
  top: string;
}

/**
 * The sequences of serial and identity columns that will give values which their column has already. What counts are the
 * values that come: in the direction and the steps of the sequence, and within the column's type.
 */
export async function behindSequences({ session, table }: Pick<Run, "session" | "table">): Promise<SequenceState> {
  const owned = await session.rows<OwnedSequence>(
    `SELECT s.oid::regclass::text AS sequence, d.refobjid::regclass::text AS relation, quote_ident(a.attname) AS column,
       q.seqincrement::text AS increment,
       greatest(q.seqmin, CASE a.atttypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE q.seqmin END)::text AS bottom,
       least(q.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE q.seqmax END)::text AS top
     FROM pg_class s JOIN pg_sequence q ON q.seqrelid = s.oid
       JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
       JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace
     WHERE n.nspname = $1 AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
       AND has_table_privilege(t.oid, 'SELECT') AND CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'SELECT') END
       AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indkey[0] = a.attnum AND i.indisvalid) ORDER BY 1 LIMIT 200`,
    [table.schema],
  );
  const behind: BehindSequence[] = [];
  const unknown: string[] = [];
  for (const each of owned) {
    const { sequence, relation, column } = each;
    const query = takenValues(each);
    const read = await readTables<{ last: string; near: string | null; far: string | null }>(
      session,
      [relation],
      LIMIT,
      query,
    );
    if ("unknown" in read) unknown.push(`${relation} (${read.unknown})`);
    for (const { last, near, far } of "unknown" in read ? [] : read) {
      const taken = near ?? far;
      const text = `${sequence} is at ${last}, ${relation}.${column} at ${taken}`;
      if (taken !== null) behind.push({ sequence, text, near: near !== null });
    }
  }
  return { behind, count: owned.length - unknown.length, unknown };
}

/** A sequence that steps by more than one leaves the ids between to the app: only its own values count. */
function takenValues({ sequence, relation, column, increment, bottom, top }: OwnedSequence): string {
  const up = !increment.startsWith("-");
  const far = up
    ? `SELECT max(${column}) FROM ${relation} WHERE ${column} > (SELECT hi FROM span) AND ${column} < ${top}`
    : `SELECT min(${column}) FROM ${relation} WHERE ${column} < (SELECT lo FROM span) AND ${column} > ${bottom}`;
  return `WITH place AS MATERIALIZED (
      SELECT last_value AS last, last_value::numeric + CASE WHEN is_called THEN ${increment} ELSE 0 END AS next FROM ${sequence}),
    span AS MATERIALIZED (
      SELECT last, next, greatest(least(next, next + ${NEXT} * (${increment})::numeric), ${bottom})::bigint AS lo,
        least(greatest(next, next + ${NEXT} * (${increment})::numeric), ${top})::bigint AS hi
      FROM place WHERE next BETWEEN ${bottom} AND ${top})
    SELECT last::text,
      (SELECT ${column} FROM ${relation} WHERE ${column} BETWEEN (SELECT lo FROM span) AND (SELECT hi FROM span)
         AND mod(${column}::numeric - (SELECT next FROM span), ${increment}) = 0 ORDER BY 1 ${up ? "" : "DESC"} LIMIT 1)::text AS near,
      ${/^-?1$/.test(increment) ? `(${far})` : "NULL"}::text AS far
    FROM span`;
}

/**
 * Names of the sequences that were behind before this release began. A release that failed, or was killed before its
 * verification, wrote them down: what it did to a sequence is no old state.
 * @returns undefined where a release that applied migrations kept no record
 */
export async function behindBefore(
  run: Run,
  applied: readonly Migration[],
  begins: boolean,
): Promise<string[] | undefined> {
  if ((await appliedSinceVerified(run.records, applied)).length > 0) {
    const [known, verified] = [
      await latestRecord<string[]>(run.records, "sequences"),
      await latestRecord(run.records, "catalog"),
    ];
    if (known && (!verified || known.at > verified.at)) return known.data;
  }
  if (!begins) return undefined;
  const names = (await behindSequences(run)).behind.map(({ sequence }) => sequence);
  await recordData(run.records, "sequences", names);
  return names;
}
