import type { Client } from "pg";
import type { Snapshot } from "../../../../migrator/checks/drift/object";
import { planChange } from "../../../../migrator/checks/drift/plan";
import { readObjectsInTransaction } from "../../../../migrator/checks/drift/read-objects";
import { changedFacts } from "../../../../migrator/checks/drift/rule";
import { OWN_PATH } from "../../../../migrator/db/search-path";
import type { Drift } from "./corpus";

/** What the SQL of a direction leads to. */
export type Outcome = "no drift" | "not generated" | "drift is left";

/** What was found of a change by hand, and what the SQL of both directions leads to. */
export interface Tried {
  readonly found: readonly string[];
  readonly "to-database": Outcome;
  readonly "to-history": Outcome;
}

/** A database that is as its history made it. Each change is tried in a transaction that is rolled back. */
export class CorpusDatabase {
  private constructor(
    private readonly client: Client,
    readonly history: Snapshot,
    private readonly major: number,
  ) {}

  static async of(client: Client): Promise<CorpusDatabase> {
    await client.query(OWN_PATH);
    const { rows } = await client.query("SHOW server_version_num");
    return new CorpusDatabase(client, await snapshot(client), Math.floor(Number(rows[0].server_version_num) / 10_000));
  }

  /** The keys of the objects that differ now from the history. */
  async differing(): Promise<string[]> {
    return differing(this.history, await snapshot(this.client));
  }

  async try({ sql }: Drift): Promise<Tried> {
    const { client, history } = this;
    const byHand = await this.undone(async () => {
      await client.query("SET LOCAL search_path = public");
      await client.query(sql);
      await client.query(OWN_PATH.replace("SET", "SET LOCAL"));
      const live = await snapshot(client);
      return { live, outcome: await this.run(live, history) };
    });
    const { live, outcome } = byHand;
    const toHistory = await this.undone(() => this.run(history, live));
    return { found: differing(history, live), "to-database": outcome, "to-history": toHistory };
  }

  /** Runs the SQL that makes the database, which is as `from`, as `to`. */
  private async run(from: Snapshot, to: Snapshot): Promise<Outcome> {
    const { statements, notGenerated } = planChange(from, { to, major: this.major });
    const script = statements.map(({ sql }) => `${sql};\n`).join("");
    await this.client.query(script).catch((error) => {
      throw new Error(`${error.message}, in:\n${script}`);
    });
    if (notGenerated.length > 0) return "not generated";
    return differing(to, await snapshot(this.client)).length === 0 ? "no drift" : "drift is left";
  }

  private async undone<T>(work: () => Promise<T>): Promise<T> {
    await this.client.query("BEGIN; SET LOCAL check_function_bodies = off");
    try {
      return await work();
    } finally {
      await this.client.query("ROLLBACK");
    }
  }
}

/** The server plans the query once, which takes longer than to run it. */
function snapshot(client: Client): Promise<Snapshot> {
  return readObjectsInTransaction({ rows: async (text) => (await client.query({ name: "objects", text })).rows });
}

function differing(a: Snapshot, b: Snapshot): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => {
    const [before, after] = [a.get(key), b.get(key)];
    return !before || !after || changedFacts(before, after).length > 0;
  });
}
