import type { Migration } from "../migrations/history";
import type { Catalog } from "./catalog";
import type { Session } from "./connection";
import { readEverything } from "./definitions";
import { nodeOf } from "./left-behind";
import { planOf } from "./plans";
import type { Run } from "./run";
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

/** Statements that change rows only. On a scratch database without the app's rows they tell nothing, and may fail. */
const ROWS_ONLY = new Set(
  "InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt TruncateStmt LockStmt VacuumStmt RefreshMatViewStmt ReindexStmt".split(
    " ",
  ),
);

/** What defines something inside one database, and nothing outside of it. */
const DEFINING = new Set(
  (
    "CreateStmt AlterTableStmt IndexStmt ViewStmt CreateTableAsStmt CreateSeqStmt AlterSeqStmt CreateEnumStmt AlterEnumStmt CreateDomainStmt " +
    "AlterDomainStmt CompositeTypeStmt CreateRangeStmt AlterTypeStmt DropStmt RenameStmt AlterObjectSchemaStmt CreateFunctionStmt " +
    "AlterFunctionStmt CreateTrigStmt CreatePolicyStmt AlterPolicyStmt RuleStmt CommentStmt CreateStatsStmt AlterStatsStmt CreateSchemaStmt " +
    "CreateExtensionStmt DefineStmt GrantStmt VariableSetStmt"
  ).split(" "),
);

/**
 * Runs the migrations before one, and then its statements one by one, on a scratch database, and reads what each of them makes
 * of the catalog. Postgres itself writes every definition, so that two of them can be compared letter by letter.
 */
export function replayedStates(
  run: Run,
  before: readonly Migration[],
  migration: Migration,
): Promise<States | Unknown> {
  return onScratch(run, before, async (scratch) => statesOf(scratch, migration, run.signal));
}

async function statesOf(scratch: Session, migration: Migration, signal: AbortSignal): Promise<States> {
  const until = Date.now() + LIMIT_MS;
  const catalogs = [await readEverything(scratch)];
  for (const { text, control } of planOf(migration).statements) {
    signal.throwIfAborted();
    const last = catalogs.at(-1)!;
    const [kind = ""] = Object.keys(nodeOf({ text }));
    if (control === "begin" || control === "commit" || ROWS_ONLY.has(kind)) {
      catalogs.push(last);
      continue;
    }
    if (Date.now() > until) return { catalogs, stopped: `its statements take longer than ${LIMIT_MS / 1000} s` };
    if (!DEFINING.has(kind)) return { catalogs, stopped: "what it does is decided while it runs" };
    try {
      // Between these statements no transaction is open that a SET LOCAL could belong to.
      await scratch.run(text.replace(/^SET\s+LOCAL\b/i, "SET"));
    } catch (error) {
      return { catalogs, stopped: `on a scratch database it fails: ${(error as Error).message}` };
    }
    catalogs.push(kind === "VariableSetStmt" ? last : await readEverything(scratch));
  }
  return { catalogs };
}
