import { Client } from "pg";

/** What a server was seen to do for one statement. */
export interface Observed {
  /** Strongest lock on each table, view and materialized view that was there before; none of the weakest two modes. */
  readonly locks: Record<string, string>;
  /** Tables whose rows moved to another file. */
  readonly rewritten: readonly string[];
  /** Tables that were read from one end to the other. */
  readonly scanned: readonly string[];
}

const modes = ["RowExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive", "Exclusive", "AccessExclusive"];

/** One connection runs the statement, and another one looks at its locks while its transaction is open. */
export class Observer {
  private constructor(
    private readonly actor: Client,
    private readonly witness: Client,
    private readonly pid: number,
  ) {}

  static async connect(url: string): Promise<Observer> {
    const [actor, witness] = [new Client({ connectionString: url }), new Client({ connectionString: url })];
    await Promise.all([actor.connect(), witness.connect()]);
    // A waiting statement says so in the test's time, whatever goes wrong.
    for (const client of [actor, witness]) await client.query("SET statement_timeout = '20s'");
    const { rows } = await actor.query("SELECT pg_backend_pid() AS pid");
    return new Observer(actor, witness, rows[0].pid);
  }

  async end(): Promise<void> {
    await Promise.all([this.actor.end(), this.witness.end()]);
  }

  run(sql: string) {
    return this.actor.query(sql);
  }

  /** Runs it in a transaction that is undone. */
  async inTransaction(sql: string, setting?: string): Promise<Observed> {
    await this.actor.query("BEGIN");
    try {
      if (setting !== undefined) await this.actor.query(setting);
      const [files, scans] = [await this.files(), await this.scans()];
      await this.actor.query(sql);
      const locks = await this.locks(true);
      return { locks, rewritten: changed(files, await this.files()), scanned: grown(scans, await this.scans()) };
    } finally {
      await this.actor.query("ROLLBACK");
    }
  }

  /** The table of the index that a statement names last, or the table itself. */
  async tableOf(sql: string): Promise<string> {
    const name = /("?\w+"?)\s*$/.exec(sql)?.[1];
    const { rows } = await this.actor.query(
      "SELECT coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = $1::regclass), $1::regclass)::regclass::text AS name",
      [name],
    );
    return rows[0].name;
  }

  /** Oids of all tables and views that are there. */
  async relations(): Promise<ReadonlySet<number>> {
    const { rows } = await this.actor.query("SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')");
    return new Set(rows.map(({ oid }) => oid));
  }

  /**
   * Runs the statements in one transaction, and says of each what it did, and the locks that were held by then on relations of
   * `among` that keep others from writing.
   */
  async together(statements: readonly string[], among: ReadonlySet<number>): Promise<Observed[]> {
    await this.actor.query("BEGIN");
    try {
      const seen: Observed[] = [];
      for (const sql of statements) {
        const [files, scans] = [await this.files(), await this.scans()];
        await this.actor.query(sql);
        const locks = await this.locks(true, among);
        const only = (reading: Reading) => new Map([...reading].filter(([oid]) => among.has(oid)));
        seen.push({
          locks: Object.fromEntries(
            Object.entries(locks).filter(([, mode]) =>
              /^(SHARE|SHARE ROW EXCLUSIVE|EXCLUSIVE|ACCESS EXCLUSIVE)$/.test(mode),
            ),
          ),
          rewritten: changed(only(files), only(await this.files())),
          scanned: grown(only(scans), only(await this.scans())),
        });
      }
      await this.actor.query("COMMIT");
      return seen;
    } catch (error) {
      await this.actor.query("ROLLBACK");
      throw error;
    }
  }

  /**
   * Runs it outside a transaction, where its lock is seen while it waits for one that the witness holds on `table`:
   * one that lets it read the catalog and collides with everything that CONCURRENTLY and VACUUM take.
   */
  async waiting(sql: string, table: string): Promise<Observed> {
    const files = await this.files();
    await this.witness.query(`BEGIN; LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`);
    const running = this.actor.query(sql);
    running.catch(() => undefined);
    let locks: Record<string, string> = {};
    const end = Date.now() + 10_000;
    try {
      while (Object.keys(locks).length === 0) {
        if (Date.now() > end) throw new Error(`never waited for ${table}: ${sql}`);
        locks = await this.locks(false);
      }
    } finally {
      await this.witness.query("ROLLBACK");
    }
    await running;
    return { locks, rewritten: changed(files, await this.files()), scanned: [] };
  }

  private async locks(granted: boolean, among?: ReadonlySet<number>): Promise<Record<string, string>> {
    const { rows } = await this.witness.query(
      `SELECT c.oid, c.relname, replace(l.mode, 'Lock', '') AS mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
       JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\\_%'
       WHERE l.pid = $1 AND l.granted = $2 AND c.relkind IN ('r', 'p', 'v', 'm')`,
      [this.pid, granted],
    );
    const strongest: Record<string, string> = {};
    for (const { oid, relname, mode } of rows)
      if ((among?.has(oid) ?? true) && modes.indexOf(mode) > modes.indexOf(strongest[relname] ?? ""))
        strongest[relname] = mode;
    return Object.fromEntries(
      Object.entries(strongest).map(([table, mode]) => [
        table,
        mode.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase(),
      ]),
    );
  }

  /** By object, because a statement may rename the table. */
  private async files() {
    const { rows } = await this.actor.query(
      `SELECT c.oid, c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm')`,
    );
    return new Map<number, { name: string; value: number }>(
      rows.map((row) => [row.oid, { name: row.relname, value: row.relfilenode }]),
    );
  }

  private async scans() {
    const { rows } = await this.actor.query("SELECT relid AS oid, relname, seq_scan FROM pg_stat_xact_user_tables");
    return new Map<number, { name: string; value: number }>(
      rows.map((row) => [row.oid, { name: row.relname, value: Number(row.seq_scan) }]),
    );
  }
}

type Reading = Map<number, { name: string; value: number }>;

function changed(before: Reading, after: Reading): string[] {
  return [...before]
    .flatMap(([oid, { name, value }]) => (after.has(oid) && after.get(oid)?.value !== value ? [name] : []))
    .sort();
}

function grown(before: Reading, after: Reading): string[] {
  return [...after]
    .flatMap(([oid, { name, value }]) => (value > (before.get(oid)?.value ?? 0) ? [before.get(oid)?.name ?? name] : []))
    .sort();
}
