import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { maskSql } from "../../migrations/sql/mask-sql";
import { nodeOf } from "../../migrations/sql/parse";
import { readEverything } from "../checks/definitions";
import { byNames } from "../checks/diagnosis-by-names";
import { byStates, type Verdict } from "../checks/diagnosis-by-states";
import { replayedStates } from "../checks/replayed-states";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";

/** What the catalog shows about one statement. */
export interface StatementDiagnosis extends Verdict {
  readonly line: number;
  readonly text: string;
  /** True if the statement leaves nothing behind (SET, BEGIN, LOCK, …), so that it doesn't matter whether it ran. */
  readonly passing: boolean;
}

/**
 * How much of a migration is applied. `all`: every statement is. `none`: no statement is. `part`: some statements are,
 * and others are not or are unknown. `unknown`: no statement is known to be applied, and not all are known not to be.
 */
type AppliedPart = "all" | "part" | "none" | "unknown";

/** How much of a migration is applied, in total and statement by statement. */
export interface Diagnosis {
  readonly applied: AppliedPart;
  readonly statements: StatementDiagnosis[];
  /**
   * The reason why not all definitions could be compared, so that other statements are judged by names only; undefined
   * if all were compared.
   */
  readonly namesOnly?: string;
}

const PASSING = new Set(
  "VariableSetStmt VariableShowStmt TransactionStmt LockStmt ConstraintsSetStmt DiscardStmt PrepareStmt DeallocateStmt VacuumStmt".split(
    " ",
  ),
);

/**
 * Finds out what of a migration is really applied, statement by statement. The live catalog is compared, definition by
 * definition, with what Postgres makes of the history and of each statement on a scratch database. Where that is not
 * possible, a statement is judged only by the names of what it creates or drops, as far as no earlier migration
 * mentions these names. Changes of rows can't be detected.
 */
export async function diagnose(run: Run, migrations: readonly Migration[], migration: Migration): Promise<Diagnosis> {
  await loadParser();
  const { statements } = run.plans.of(migration);
  const nodes = statements.map((statement) => nodeOf(statement));
  const rows = await run.table.read(run.session);
  const before = compareHistory(migrations, rows).applied.filter(({ name }) => name !== migration.name);
  const actual = await readEverything(run.session);
  const states = await replayedStates(run, before, migration);
  const known = "unknown" in states ? [] : byStates(states.states, actual);
  const said = rows.filter(({ migrationName }) => migrationName === migration.name).at(-1)?.logs ?? "";
  const rest = known.length < nodes.length ? await byNames(run, { nodes, before, said }, actual) : [];
  const verdicts = nodes.map((_, index) => known[index] ?? rest[index]!);
  const stopped = "unknown" in states ? states.unknown : states.stopped;
  const diagnosed = statements.map(
    ({ line, text }, index): StatementDiagnosis => ({
      line,
      text: maskSql(text).slice(0, 70),
      passing: PASSING.has(Object.keys(nodes[index]!)[0] ?? ""),
      ...verdicts[index]!,
    }),
  );
  return { applied: summary(diagnosed), statements: diagnosed, ...(stopped !== undefined && { namesOnly: stopped }) };
}

/**
 * Sums up the states of the statements. They run in their order, and a failed migration stopped at one of them, so a
 * statement that only changes rows has done so if a later statement is known to be applied.
 */
function summary(statements: readonly StatementDiagnosis[]): AppliedPart {
  const lasting = statements.filter(({ passing, state }) => !passing || state !== "unknown");
  const last = lasting.map(({ state }) => state).lastIndexOf("applied");
  const first = lasting.findIndex(({ state }) => state === "not applied");
  if (last < 0) return first === 0 ? "none" : "unknown";
  const untold = lasting.some(({ state, untold }) => state === "unknown" && untold);
  return first < 0 && !untold && last === lasting.length - 1 ? "all" : "part";
}

/** Describes a diagnosis in lines for people. */
export function describeDiagnosis(name: string, { applied, statements, namesOnly }: Diagnosis): string[] {
  const verdicts = {
    all: "it is applied",
    part: "some of it is applied; the rest is not, or can't be told",
    none: "nothing of it is applied",
    unknown: "how much of it is applied can't be told",
  };
  const lines = statements.flatMap(({ line, text, state, evidence }) => [
    `  line ${line}: ${state.padEnd(11)} ${text}`,
    `      ${evidence}`,
  ]);
  const limit = namesOnly === undefined ? [] : [`  Definitions could not all be compared: ${namesOnly}.`];
  return [`${name}: ${verdicts[applied]}.`, ...limit, ...lines];
}
