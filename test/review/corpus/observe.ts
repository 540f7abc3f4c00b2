import type { QueryResult } from "pg";
import { blockedBy, type LockMode, lockModes } from "../../../migrations/sql/locks";
import { Session } from "../../../migrator/db/connection";
import { parseUrl } from "../../../migrator/db/url";
import { compareLooks, type Look, lockMode, look } from "../../../migrator/measure/look";
import type { MeasuredTable } from "../../../report/measurement";

/** What a server was seen to do for one statement. */
export interface Observed {
  /** Strongest lock on each table, view and materialized view that was there before; none of the weakest two modes. */
  readonly locks: Record<string, string>;
  /** Tables whose rows moved to another file. */
  readonly rewritten: readonly string[];
  /** Tables that were read from one end to the other. */
  readonly scanned: readonly string[];
}

/** One session runs the statement and looks at it as `deploy --measure` does, and another one makes it wait. */
export class Observer {
  private constructor(
    private readonly actor: Session,
    private readonly witness: Session,
  ) {}

  static async connect(url: string): Promise<Observer> {
    const open = () => Session.open(parseUrl(url), { applicationName: "test", connectWait: 0, showValues: true });
    const [actor, witness] = await Promise.all([open(), open()]);
    // A waiting statement says so in the test's time, whatever goes wrong.
    for (const session of [actor, witness])
      await session.run("SET statement_timeout = '20s'; SET search_path = public");
    return new Observer(actor, witness);
  }

  async end(): Promise<void> {
    await Promise.all([this.actor.close(), this.witness.close()]);
  }

  run(sql: string): Promise<QueryResult[]> {
    return this.actor.run(sql);
  }

  /** Runs it in a transaction that is undone. */
  async inTransaction(sql: string, setting = ""): Promise<Observed> {
    await this.actor.run(`BEGIN; ${setting}`);
    try {
      const before = await look(this.actor);
      await this.actor.run(sql);
      const after = await look(this.actor);
      return observed(heldOn(before, after.held), compareLooks(before, after, new Set(before.relations.keys())));
    } finally {
      await this.actor.run("ROLLBACK");
    }
  }

  /** The table of the index that a statement names last, or the table itself. */
  async tableOf(sql: string): Promise<string> {
    const name = /("?\w+"?)\s*$/.exec(sql)?.[1];
    const rows = await this.actor.rows<{ name: string }>(
      "SELECT coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = $1::regclass), $1::regclass)::regclass::text AS name",
      [name],
    );
    return rows[0]!.name;
  }

  /** Oids of all tables and views that are there. */
  async relations(): Promise<ReadonlySet<number>> {
    return new Set((await look(this.actor)).relations.keys());
  }

  /**
   * Runs the statements in one transaction, and says of each what it did, and the locks that were held by then on relations of
   * `among` that keep others from writing.
   */
  async together(statements: readonly string[], among: ReadonlySet<number>): Promise<Observed[]> {
    await this.actor.run("BEGIN");
    try {
      const seen: Observed[] = [];
      // A table that is dropped or renamed meanwhile stays locked, and others know it by its old name.
      const first = await look(this.actor);
      for (const sql of statements) {
        const before = await look(this.actor);
        await this.actor.run(sql);
        const after = await look(this.actor);
        const blocking = [...after.held].filter(([oid, mode]) => among.has(oid) && blockedBy(mode) !== "nothing");
        seen.push(observed(heldOn(first, new Map(blocking)), compareLooks(before, after, among)));
      }
      await this.actor.run("COMMIT");
      return seen;
    } catch (error) {
      await this.actor.run("ROLLBACK");
      throw error;
    }
  }

  /**
   * Runs it outside a transaction, where its lock is seen while it waits for one that the witness holds on `table`:
   * one that lets it read the catalog and collides with everything that CONCURRENTLY and VACUUM take.
   */
  async waiting(sql: string, table: string): Promise<Observed> {
    const before = await look(this.actor);
    await this.witness.run(`BEGIN; LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`);
    const running = this.actor.run(sql);
    running.catch(() => undefined);
    let locks: Record<string, string> = {};
    const end = Date.now() + 10_000;
    try {
      while (Object.keys(locks).length === 0) {
        if (Date.now() > end) throw new Error(`never waited for ${table}: ${sql}`);
        locks = heldOn(before, await this.wanted());
      }
    } finally {
      await this.witness.run("ROLLBACK");
    }
    await running;
    const after = await look(this.actor);
    return { ...observed(locks, compareLooks(before, after, new Set(before.relations.keys()))), scanned: [] };
  }

  /** The locks that the actor waits for. */
  private async wanted(): Promise<Map<number, LockMode>> {
    const rows = await this.witness.rows<{ relation: number; mode: string }>(
      "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND NOT granted AND relation IS NOT NULL",
      [this.actor.pid],
    );
    return new Map(rows.map(({ relation, mode }) => [relation, lockMode(mode)]));
  }
}

/** The locks that are stronger than those of readers, by the names that the tables had before. */
function heldOn({ relations }: Look, held: ReadonlyMap<number, LockMode>): Record<string, string> {
  const strong = [...held].filter(([, mode]) => lockModes.indexOf(mode) >= lockModes.indexOf("ROW EXCLUSIVE"));
  return Object.fromEntries(
    strong.flatMap(([oid, mode]) => (relations.has(oid) ? [[relations.get(oid)!.name, mode]] : [])),
  );
}

function observed(locks: Record<string, string>, tables: readonly MeasuredTable[]): Observed {
  const names = (which: (table: MeasuredTable) => boolean) => tables.filter(which).map(({ name }) => name);
  return { locks, rewritten: names(({ rewritten }) => rewritten), scanned: names(({ scanned }) => scanned) };
}
