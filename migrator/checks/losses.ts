import { escapeIdentifier } from "pg";
import type { Step } from "../../migrations/revert/effects";
import { nameOfKey, objectText } from "../../migrations/schema/schema-object";
import type { Session } from "../db/connection";
import { type NotRead, readTables } from "../db/safe-read";
import { type Count, countRows } from "./counts";

/** What would be lost with an object that is dropped: the rows of a table, or the rows with a value in a column. */
export interface LossCount {
  /** The object as a person names it: `column notes.colour`. */
  readonly object: string;
  readonly of: "rows" | "values";
  readonly count: Count | NotRead;
}

/** A column is read up to this number of values, and for at most this time in milliseconds. */
const MOST = 1_000_000;
const LIMIT = 10_000;

/**
 * Counts what the steps of a revert would destroy. It only reads, and no longer than a few seconds for each object.
 * @param session undefined without a connection; then every count is unknown
 */
export async function countLosses(steps: readonly Step[], session: Session | undefined): Promise<LossCount[]> {
  const losses: LossCount[] = [];
  for (const { undo } of steps) {
    if (undo.loses === undefined) continue;
    const object = objectText(undo.of);
    const of = undo.loses;
    if (!session) {
      losses.push({ object, of, count: { unknown: "no connection" } });
      continue;
    }
    const { schema = session.target.schema, name } = nameOfKey(undo.of.key);
    const table = `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
    const count =
      of === "rows"
        ? ((await countRows(session, [table]))[table] ?? { unknown: "there is no such table, or no right to read it" })
        : await countValues(session, table, undo.of.part ?? "");
    losses.push({ object, of, count });
  }
  return losses;
}

async function countValues(session: Session, table: string, column: string): Promise<Count | NotRead> {
  const c = escapeIdentifier(column);
  const counted = await readTables<{ rows: number }>(
    session,
    [table],
    LIMIT,
    `SELECT count(*)::int AS rows FROM (SELECT 1 FROM ${table} WHERE ${c} IS NOT NULL LIMIT ${MOST + 1}) limited`,
  );
  if ("unknown" in counted) return counted;
  return { rows: Math.min(counted[0]!.rows, MOST), exact: counted[0]!.rows <= MOST };
}
