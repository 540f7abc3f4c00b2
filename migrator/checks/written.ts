import type { TableWrites, WriteCounters } from "../records/write-counters";

/** The rows of one table that were written between two moments. */
export interface WrittenTable {
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** What was written between two moments, as far as the server's counters tell. */
export interface WrittenSince {
  /** The tables with writes, the most written first. */
  readonly tables: readonly WrittenTable[];
  /** The tables whose counters were reset in between, or lost in a crash, so that nothing is known of them. */
  readonly unknown: readonly string[];
  /** The tables that are gone now, such as those that a migration has dropped. */
  readonly gone: readonly string[];
}

/** Compares the counters of two moments. A table that is new has all of its writes since then. */
export function writtenSince(base: WriteCounters, now: WriteCounters): WrittenSince {
  const reset = base.resetAt !== now.resetAt;
  const known = Object.entries(now.tables).map(([table, writes]) => ({
    table,
    change: reset && base.tables[table] ? undefined : difference(base.tables[table], writes),
  }));
  return {
    tables: known
      .flatMap(({ table, change }) => (change && total(change) > 0 ? [{ table, ...change }] : []))
      .sort((a, b) => total(b) - total(a)),
    unknown: known.flatMap(({ table, change }) => (change ? [] : [table])),
    gone: Object.keys(base.tables).filter((table) => !now.tables[table]),
  };
}

type Change = Omit<WrittenTable, "table">;

/** Returns the writes since; undefined if the counters went down, which they only do when they are reset. */
function difference(
  was: TableWrites = { inserted: 0, updated: 0, deleted: 0, rows: 0 },
  is: TableWrites,
): Change | undefined {
  const change = {
    inserted: is.inserted - was.inserted,
    updated: is.updated - was.updated,
    deleted: is.deleted - was.deleted,
  };
  return Object.values(change).some((each) => each < 0) ? undefined : change;
}

function total({ inserted, updated, deleted }: Change): number {
  return inserted + updated + deleted;
}
