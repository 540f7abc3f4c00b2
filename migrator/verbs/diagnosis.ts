import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { maskSql } from "../../migrations/sql/mask-sql";
import { nodeOf } from "../../migrations/sql/parse";
import { readEverything } from "../checks/definitions";
import { replayedStates } from "../checks/replayed-states";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";
import { byNames } from "./diagnosis-by-names";
import { byStates, type Verdict } from "./diagnosis-by-states";

/** What the catalog says about one statement. */
export interface StatementDiagnosis extends Verdict {
  readonly line: number;
  readonly text: string;
  /** It leaves nothing behind (SET, BEGIN, LOCK, …): not knowing whether it ran is no loss. */
  readonly passing: boolean;
}

/**
 * `all`: every statement is applied. `none`: no statement is. `part`: some are, and others are not or can't be told.
 * `unknown`: nothing is known to be applied, and not everything is known not to be.
 */
export type AppliedPart = "all" | "part" | "none" | "unknown";

/** What of a migration is applied. */
export interface Diagnosis {
  readonly applied: AppliedPart;
  readonly statements: StatementDiagnosis[];
  /** Why definitions could not be compared, if they could not: then only names tell. */
  readonly namesOnly?: string;
}

const PASSING = new Set(
  "VariableSetStmt VariableShowStmt TransactionStmt LockStmt ConstraintsSetStmt DiscardStmt PrepareStmt DeallocateStmt VacuumStmt".split(
    " ",
  ),
);

/**
 * What of a migration is really applied, statement by statement. The live catalog is compared, definition by definition, with what Postgres
 * makes of the history and of each statement on a scratch database. Where that can't be had, a statement is only told by the names of
 * what it makes or drops, as far as no earlier migration knows these names. Rows can't be told.
 */
export async function diagnose(run: Run, migrations: readonly Migration[], migration: Migration): Promise<Diagnosis> {
  await loadParser();
  const { statements } = run.plans.of(migration);
  const nodes = statements.map((statement) => nodeOf(statement));
  const rows = await run.table.read(run.session);
  const before = compareHistory(migrations, rows).applied.filter(({ name }) => name !== migration.name);
  const actual = await readEverything(run.session);
  const states = await replayedStates(run, before, migration);
  const known = "unknown" in states ? [] : byStates(states.catalogs, actual);
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
 * Statements run in their order, and a failed migration stopped at one of them: rows that an earlier statement changes are changed if a
 * later statement is known to be applied.
 */
function summary(statements: readonly StatementDiagnosis[]): AppliedPart {
  const lasting = statements.filter(({ passing, state }) => !passing || state !== "unknown");
  const last = lasting.map(({ state }) => state).lastIndexOf("applied");
  const first = lasting.findIndex(({ state }) => state === "not applied");
  if (last < 0) return first === 0 ? "none" : "unknown";
  const untold = lasting.some(({ state, untold }) => state === "unknown" && untold);
  return first < 0 && !untold && last === lasting.length - 1 ? "all" : "part";
}

/** Writes a diagnosis as lines for people. */
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
