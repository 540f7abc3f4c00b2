import type { Migration } from "../../migrations/history/history";
import { readTables } from "../db/safe-read";
import { appliedSinceVerified, latestRecord, recordData } from "../records/release-records";
import type { Run } from "../run";

/** A sequence whose next values are already in use in its column. */
interface BehindSequence {
  readonly sequence: string;
  /** The text for people: where the sequence is, and which value is in use. */
  readonly text: string;
  /**
   * True if one of the next values is in use. Otherwise only a value far ahead is, which may be an id that was chosen
   * by hand.
   */
  readonly near: boolean;
}

/** The state of the sequences of serial and identity columns. */
export interface SequenceState {
  readonly behind: readonly BehindSequence[];
  /** The number of sequences that were looked at. */
  readonly count: number;
  readonly unknown: readonly string[];
}

/** The longest time for one column, in milliseconds. Each column has an index for the query. */
const LIMIT = 30_000;

/** The number of a sequence's next values that are looked for in its column. */
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
 * Finds the sequences of serial and identity columns that will produce values which their column already has. The next
 * values follow the direction and the step of the sequence, and stay within the column's type.
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

/**
 * Returns a query for the next values that are in use. A sequence that steps by more than one leaves the ids between
 * its values to the app, so only its own values count.
 */
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
 * Returns the names of the sequences that were behind before this release began. If a release failed, or was killed
 * before its verification, the names that it recorded are returned, because its own effect on a sequence must not count
 * as an old state.
 * @param begins true if this run is about to apply migrations, so that the present state is the state before the
 *   release
 * @returns undefined if a release that applied migrations kept no record
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
