import type { PlannedStatement } from "../../migrations/history/plan";
import { blockedBy, stronger } from "../../migrations/sql/locks";
import type { MeasuredBlock, MeasuredMigration, MeasuredStatement, MeasuredTable } from "../../report/measurement";
import type { Session } from "../db/connection";
import { ownRows } from "../db/own-queries";
import { LockPoller } from "./lock-poller";
import { compareLooks, type Look, look, walPosition } from "./look";

/** A statement with the time at which it began, by the measurer's clock. */
interface Timed {
  readonly began: number;
  readonly statement: MeasuredStatement;
}

/**
 * Sees what each statement of the migrations does to the tables that were there before its migration. It looks from the
 * migration's own session, because no other one sees what is not committed. The time of its looks is counted nowhere.
 */
export class Measurer {
  readonly migrations: MeasuredMigration[] = [];
  readonly #poller: LockPoller;
  /** The milliseconds that all looks took. */
  #looking = 0;
  #began = 0;
  #among: ReadonlySet<number> = new Set();
  #transaction: Timed[] = [];
  #last: Look | undefined;
  /** True after the migration has set a statement_timeout that a look might exceed, and so abort its transaction. */
  #blind = false;
  #readsWal = true;
  #done: MeasuredStatement[] = [];
  #blocked: MeasuredBlock[] = [];

  constructor(readonly session: Session) {
    this.#poller = new LockPoller(session.target, session.pid);
  }

  /** Returns the position in the WAL, in bytes; 0 where the server doesn't tell it. */
  async walPosition(): Promise<number> {
    const position = await walPosition(this.session);
    this.#readsWal = position !== undefined;
    return position ?? 0;
  }

  /** Begins with a migration, also again after an attempt that left nothing. */
  async begin(): Promise<void> {
    const { relations } = await this.#look();
    this.#among = new Set(relations.keys());
    [this.#done, this.#blocked, this.#blind] = [[], [], false];
    this.beginTransaction();
    this.#began = this.#now();
  }

  /** Ends a migration that is applied. */
  end(name: string): void {
    const statements = this.#done.sort((a, b) => a.index - b.index);
    const milliseconds = this.#now() - this.#began;
    this.migrations.push({
      name,
      milliseconds: round(milliseconds),
      blocked: strongestBlocks(this.#blocked),
      statements,
    });
  }

  /** Forgets the statements of a transaction that was rolled back, and begins with the next one. */
  beginTransaction(): void {
    this.#transaction = [];
    this.#last = undefined;
  }

  /** Ends a transaction that is committed: others wait no longer. */
  endTransaction(): void {
    const end = this.#now();
    for (const { began, statement } of this.#transaction) {
      this.#done.push(statement);
      for (const { name, lock } of statement.tables)
        if (lock && blockedBy(lock) !== "nothing")
          this.#blocked.push({ table: name, lock, milliseconds: round(end - began) });
    }
    this.beginTransaction();
  }

  /**
   * Runs statements of an open transaction in one message; `endTransaction` ends it. Several of them only write rows, and
   * are measured together, as the first of them.
   * @param work runs the statements, and returns the number of rows that they touched
   */
  async inTransaction(statements: readonly PlannedStatement[], work: () => Promise<number>): Promise<number> {
    const [statement] = statements;
    if (statement && setsShortTimeout(statement)) this.#blind = true;
    // A query before SET TRANSACTION would make it fail, and a control statement may end the transaction.
    if (!statement || this.#blind || statement.control !== undefined || /^SET\b/.test(statement.kind)) return work();
    const before = this.#last ?? (await this.#look());
    const began = this.#now();
    const rows = await work();
    const milliseconds = this.#now() - began;
    const after = await this.#look();
    this.#last = after;
    this.#add(
      statement,
      began,
      { milliseconds, rows, wal: after.wal - before.wal, count: statements.length },
      compareLooks(before, after, this.#among),
    );
    return rows;
  }

  /** Runs one statement outside any transaction. */
  async outside(statement: PlannedStatement, work: () => Promise<number>): Promise<number> {
    this.beginTransaction();
    const [before, scansBefore] = [await this.#look(), await this.#scans()];
    await this.#uncounted(() => this.#poller.open());
    const began = this.#now();
    let milliseconds = 0;
    const { result: rows, locks } = await this.#poller.during(async () => {
      const touched = await work();
      milliseconds = this.#now() - began;
      return touched;
    });
    const [after, scansAfter] = [await this.#look(), await this.#scans()];
    const tables = compareLooks(counted(before, scansBefore), counted(after, scansAfter), this.#among, locks);
    this.#add(statement, began, { milliseconds, rows, wal: after.wal - before.wal }, tables);
    this.endTransaction();
    return rows;
  }

  /** Runs one statement in ranges of rows, each with a commit of its own; it holds no lock that blocks anybody. */
  async inRanges<T extends { rows: number }>(statement: PlannedStatement, work: () => Promise<T>): Promise<T> {
    const before = await this.#look();
    const began = this.#now();
    const result = await work();
    const milliseconds = this.#now() - began;
    const wal = (await this.#look()).wal - before.wal;
    this.#add(statement, began, { milliseconds, rows: result.rows, wal }, []);
    this.endTransaction();
    return result;
  }

  async close(): Promise<void> {
    await this.#poller.close();
  }

  #add(
    { index, line, kind }: PlannedStatement,
    began: number,
    { milliseconds, rows, wal, count = 1 }: { milliseconds: number; rows: number; wal: number; count?: number },
    tables: readonly MeasuredTable[],
  ): void {
    const statement = {
      index,
      line,
      kind,
      milliseconds: round(milliseconds),
      rows,
      walBytes: wal,
      tables,
      ...(count > 1 && { count }),
    };
    this.#transaction.push({ began, statement });
  }

  #now(): number {
    return performance.now() - this.#looking;
  }

  async #uncounted<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#looking += performance.now() - began;
    }
  }

  #look(): Promise<Look> {
    return this.#uncounted(() => look(this.session, this.#readsWal));
  }

  /**
   * Returns how often each table was read from one end to the other. Before Postgres 15 no session can make the
   * statistics up to date, so nothing is returned there.
   */
  #scans(): Promise<ReadonlyMap<number, number>> {
    return this.#uncounted(async () => {
      if (this.session.serverVersion < 150_000) return new Map();
      await this.session.rows("SELECT pg_catalog.pg_stat_force_next_flush()");
      const rows = await ownRows<{ oid: number; scans: number }>(
        this.session,
        "SELECT relid AS oid, seq_scan::float8 AS scans FROM pg_stat_user_tables",
        [],
      );
      return new Map(rows.map(({ oid, scans }) => [oid, scans]));
    });
  }
}

/** Returns a look with the scans that all committed transactions have counted. */
function counted(look: Look, scans: ReadonlyMap<number, number>): Look {
  const relations = [...look.relations].map(
    ([oid, relation]) => [oid, { ...relation, scans: scans.get(oid) ?? 0 }] as const,
  );
  return { ...look, relations: new Map(relations) };
}

/** Returns true if a statement sets a statement_timeout of less than a second. */
function setsShortTimeout({ text }: PlannedStatement): boolean {
  const [, number, unit] = /\bstatement_timeout\W+(?:to\W+)?(\d+)\s*(\w+)?/i.exec(text) ?? [];
  return number !== undefined && Number(number) > 0 && /^(ms|us)?$/i.test(unit ?? "") && Number(number) < 1000;
}

/** Returns one entry for each table, with the strongest lock and the longest time, the longest first. */
function strongestBlocks(blocks: readonly MeasuredBlock[]): MeasuredBlock[] {
  const byTable = new Map<string, MeasuredBlock>();
  for (const block of blocks) {
    const { lock, milliseconds } = byTable.get(block.table) ?? block;
    byTable.set(block.table, {
      table: block.table,
      lock: stronger(lock, block.lock),
      milliseconds: Math.max(milliseconds, block.milliseconds),
    });
  }
  return [...byTable.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Rounds milliseconds to a tenth. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
