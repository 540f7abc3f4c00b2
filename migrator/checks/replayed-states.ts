import type { Migration } from "../../migrations/history/history";
import type { Catalog } from "../../migrations/schema/expectation";
import { nodeOf } from "../../migrations/sql/parse";
import type { Defined } from "../../migrations/statements/replay-rules";
import { replayOf } from "../../migrations/statements/statements";
import type { Session } from "../db/connection";
import type { Run } from "../run";
import { readEverything } from "./definitions";
import { onScratch, type Unknown } from "./scratch";

/** What was read of a database while a migration runs on it. */
export interface States<T> {
  /** What was read before the first statement, and then after each statement that could be run. */
  readonly states: readonly T[];
  /** The reason why the statement after the last state could not be run; undefined: all of them could. */
  readonly stopped?: string;
}

/** The longest time that the statements of one migration may take on the scratch database, in milliseconds. */
const LIMIT_MS = 60_000;

/**
 * Runs the migrations before one, and then its statements one by one, on a scratch database, and reads the catalog
 * after each of them. Postgres itself writes every definition, so that two definitions can be compared letter by
 * letter.
 */
export function replayedStates(
  run: Run,
  before: readonly Migration[],
  migration: Migration,
): Promise<States<Catalog> | Unknown> {
  return onScratch(run, before, (scratch, defined) =>
    statesOf(run, { scratch, defined, others: "refuse" }, migration, () => readEverything(scratch)),
  );
}

/**
 * Runs the statements of a migration one by one on a scratch database.
 * @param others as `onScratch` takes it
 * @param read is called before the first statement, and after each one that may have changed an object
 */
export async function statesOf<T>(
  { plans, signal }: Run,
  { scratch, defined, others }: { scratch: Session; defined: Defined; others: "refuse" | "skip" },
  migration: Migration,
  read: () => Promise<T>,
): Promise<States<T>> {
  const until = Date.now() + LIMIT_MS;
  const states = [await read()];
  for (const { text, control } of plans.of(migration).statements) {
    signal.throwIfAborted();
    const last = states.at(-1)!;
    const node = nodeOf({ text });
    const verdict = replayOf(node, defined);
    const isSkipped = verdict === "skip" || (typeof verdict === "object" && others === "skip");
    if (control === "begin" || control === "commit" || isSkipped) {
      states.push(last);
      continue;
    }
    if (Date.now() > until) return { states, stopped: `its statements take longer than ${LIMIT_MS / 1000} s` };
    if (typeof verdict === "object") return { states, stopped: verdict.outside };
    try {
      // No transaction is open between these statements, so a SET LOCAL would have no effect.
      await scratch.run(text.replace(/^SET\s+LOCAL\b/i, "SET"));
    } catch (error) {
      return { states, stopped: `on a scratch database it fails: ${(error as Error).message}` };
    }
    states.push("VariableSetStmt" in node ? last : await read());
  }
  return { states };
}
