import { nodeOf, ScriptError } from "../../../migrations/sql/parse";
import type { Defined } from "../../../migrations/statements/replay-rules";
import { replayOf } from "../../../migrations/statements/statements";
import type { Session } from "../../db/connection";
import type { Unknown } from "../scratch";
import type { Draft, DraftMigration } from "./draft";
import { type DriftFinding, findings, findingText } from "./findings";
import type { Snapshot } from "./object";
import { readObjects } from "./read-objects";

/** What is known of new migrations after they have run on the scratch database. */
export type Tried = { readonly remaining: readonly DriftFinding[] } | { readonly fails: string } | Unknown;

/**
 * Runs new migrations on the scratch database with their history, and compares the result with the live database.
 * @returns what still differs; why a migration fails; or why it can't be tried beside the real database
 */
export async function tryDraft(
  { migrations }: Pick<Draft, "migrations">,
  { scratch, defined, before, expected, actual }: Scratch,
): Promise<Tried> {
  for (const migration of migrations) {
    const sql = replayable(migration, defined);
    if ("unknown" in sql) return sql;
    try {
      await scratch.run("SET check_function_bodies = off");
      await scratch.run(sql.text);
    } catch (error) {
      if (scratch.lost !== undefined) throw error;
      return { fails: (error as Error).message };
    }
  }
  const after = await readObjects(scratch);
  const isManaged = (key: string) => expected.has(key) || !before.has(key);
  return { remaining: findings(new Map([...after].filter(([key]) => isManaged(key))), actual) };
}

/** The scratch database, everything that it had before, and what of that and of the live database is compared. */
interface Scratch {
  readonly scratch: Session;
  readonly defined: Defined;
  readonly before: Snapshot;
  readonly expected: Snapshot;
  readonly actual: Snapshot;
}

/** Returns the statements of a migration that may be run beside the real database, in one message. */
function replayable({ statements }: DraftMigration, defined: Defined): { text: string } | Unknown {
  const texts: string[] = [];
  for (const { key, sql } of statements) {
    try {
      const verdict = replayOf(nodeOf({ text: sql }), defined);
      if (typeof verdict === "object")
        return { unknown: `${key} is not run beside the real database: ${verdict.outside}` };
      if (verdict === "run") texts.push(sql);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      return { unknown: `this program's parser can't read the SQL for ${key}` };
    }
  }
  return { text: texts.join(";\n") };
}

/** Returns the lines about what the migrations leave as it is. */
export function leftLines({ notGenerated }: Draft, tried: Tried): string[] {
  const known = new Set(notGenerated.map(({ key }) => key));
  const remaining = "remaining" in tried ? tried.remaining.filter(({ key }) => !known.has(key)) : [];
  return [
    ...notGenerated.map(({ key, why }) => `  Not generated: ${key}: ${why}.`),
    ...remaining.map((each) => `  Still differs after it: ${findingText(each)}`),
  ];
}
