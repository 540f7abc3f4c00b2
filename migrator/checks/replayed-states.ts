import type { Migration } from "../../migrations/history/history";
import type { Catalog } from "../../migrations/schema/expectation";
import { nodeOf } from "../../migrations/sql/parse";
import type { Defined } from "../../migrations/statements/replay-rules";
import { replayOf } from "../../migrations/statements/statements";
import type { Session } from "../db/connection";
import type { Run } from "../run";
import { readEverything } from "./definitions";
import { onScratch, type Unknown } from "./scratch";

/** What a database consists of while a migration runs on it. */
export interface States {
  /** Before its first statement, then after each of its statements that could be run. */
  readonly catalogs: readonly Catalog[];
  /** Why the statement behind the last of them could not be run. */
  readonly stopped?: string;
}

/** Longest time that the statements of one migration may take on the scratch database. */
const LIMIT_MS = 60_000;

/**
 * Runs the migrations before one, and then its statements one by one, on a scratch database, and reads what each of them makes
 * of the catalog. Postgres itself writes every definition, so that two of them can be compared letter by letter.
 */
export function replayedStates(
  run: Run,
  before: readonly Migration[],
  migration: Migration,
): Promise<States | Unknown> {
  return onScratch(run, before, (scratch, defined) => statesOf(run, scratch, migration, defined));
}

async function statesOf(
  { plans, signal }: Run,
  scratch: Session,
  migration: Migration,
  defined: Defined,
): Promise<States> {
  const until = Date.now() + LIMIT_MS;
  const catalogs = [await readEverything(scratch)];
  for (const { text, control } of plans.of(migration).statements) {
    signal.throwIfAborted();
    const last = catalogs.at(-1)!;
    const node = nodeOf({ text });
    const verdict = replayOf(node, defined);
    if (control === "begin" || control === "commit" || verdict === "skip") {
      catalogs.push(last);
      continue;
    }
    if (Date.now() > until) return { catalogs, stopped: `its statements take longer than ${LIMIT_MS / 1000} s` };
    if (typeof verdict === "object") return { catalogs, stopped: verdict.outside };
    try {
      // Between these statements no transaction is open that a SET LOCAL could belong to.
      await scratch.run(text.replace(/^SET\s+LOCAL\b/i, "SET"));
    } catch (error) {
      return { catalogs, stopped: `on a scratch database it fails: ${(error as Error).message}` };
    }
    catalogs.push("VariableSetStmt" in node ? last : await readEverything(scratch));
  }
  return { catalogs };
}
